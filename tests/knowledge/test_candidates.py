"""What could be given together: complete, each combination once, none of a part that is refused, the safest first."""

from collections.abc import Callable
from typing import Any

import pytest

from knowledge.candidates import candidates, judged_together
from knowledge.drugs import Catalogue
from knowledge.mask import judge
from knowledge.policy import GRAVITY, REFUSED
from knowledge.verdicts import Verdict

AF: dict[str, Any] = {"hr_bpm": 125, "pr_ms": None, "rhythm": "atrial_fibrillation"}


def together(bed: Any, goal: str, size: int, most: int = 10_000) -> list[Verdict]:
    singles = candidates(goal, None, bed.catalogue)
    return judged_together(
        singles,
        lambda actions: judge(actions, bed.patient, bed.findings, bed.catalogue, bed.rules),
        size,
        most,
    )


def test_no_drug_comes_first_and_every_single_agent_is_there(
    bedside: Callable[..., Any], catalogue: Catalogue
) -> None:
    bed = bedside(has=["atrial fibrillation"], ecg=AF)
    verdicts = together(bed, "rate-control", 1)
    assert verdicts[0].action.doses == ()
    assert {v.action for v in verdicts[1:]} == set(candidates("rate-control", None, catalogue))
    gravities = [GRAVITY[v.verdict] for v in verdicts[1:]]
    assert gravities == sorted(gravities)


def test_pairs_are_all_that_the_mask_leaves_of_all_pairs(bedside: Callable[..., Any]) -> None:
    """Against a list made the slow way: both orders of every two doses, less the refused ones."""
    bed = bedside(has=["atrial fibrillation"], ecg=AF, taking=["apixaban"])
    verdicts = together(bed, "antiemetic", 2)
    singles = [v.action.doses[0] for v in verdicts if len(v.action.doses) == 1]
    expected = {
        frozenset((one, other))
        for one in singles
        for other in singles
        if one.drug_id != other.drug_id
        and bed.judge(type(verdicts[0].action)(doses=(one, other))).verdict not in REFUSED
    }
    found = [frozenset(v.action.doses) for v in verdicts if len(v.action.doses) == 2]
    assert len(found) == len(set(found))
    assert set(found) == expected
    assert len(expected) > 50


@pytest.mark.parametrize("goal", ["antiemetic", "antibiotic"])
def test_three_together_hold_no_refused_part_or_pair(bedside: Callable[..., Any], goal: str) -> None:
    bed = bedside(taking=["phenelzine"])
    triples = [v for v in together(bed, goal, 3, most=40) if len(v.action.doses) == 3]
    assert len(triples) == 40
    for verdict in triples:
        first, second, third = verdict.action.doses
        assert len({first.drug_id, second.drug_id, third.drug_id}) == 3
        assert verdict.verdict not in REFUSED
        for pair in ((first, second), (first, third), (second, third)):
            assert bed.judge(type(verdict.action)(doses=pair)).verdict not in REFUSED
        assert bed.judge(verdict.action) == verdict


def test_a_bound_keeps_the_safest_and_different_drugs(bedside: Callable[..., Any]) -> None:
    bed = bedside()
    everything = [v for v in together(bed, "antibiotic", 2) if len(v.action.doses) == 2]
    kept = [v for v in together(bed, "antibiotic", 2, most=5) if len(v.action.doses) == 2]
    assert kept == everything[:5]
    assert max(GRAVITY[v.verdict] for v in kept) <= min(GRAVITY[v.verdict] for v in everything[5:])
    assert len({frozenset(dose.drug_id for dose in v.action.doses) for v in kept}) > 1
