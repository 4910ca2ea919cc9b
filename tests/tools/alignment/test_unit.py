"""From an episode to what is kept of it: nothing of later, nothing dropped, and the same numbers in any company."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from knowledge.doses import parse_action
from knowledge.drugs import load_catalogue
from knowledge.patient import Patient
from tests.tools.alignment.made import ManyModel
from tests.tools.made_records import write_record
from tools.alignment.choices import choices_for, combinations_prescribed, nearest
from tools.alignment.episode import Episode
from tools.alignment.rankers import Scoring, by_risk
from tools.alignment.record import EpisodeKept
from tools.alignment.unit import Plan, align_unit, seed_of
from tools.case import Case
from tools.goals import candidates_for
from tools.rank import rank_candidates
from worldmodel.ecg import LEADS, Ecg

GOAL = "sinus-rate-control"  # few candidates, so that tests are quick
PLAN = Plan(2, 0, {})


@pytest.fixture
def episode(made_ecg: Callable[..., Ecg], healthy: Patient) -> Episode:
    patient = json.loads(healthy.model_dump_json(exclude_none=True))
    return Episode("e1", "s1", made_ecg(), patient, "ivabradine 5 mg oral", goal=GOAL)


def alone(episode: Episode, plan: Plan = PLAN, model: Any = None) -> EpisodeKept:
    (kept,) = align_unit([episode], plan, model or ManyModel())
    return kept


def test_every_sample_of_every_candidate_is_kept_with_its_risk(episode: Episode) -> None:
    kept = alone(episode)
    assert kept.failure is None
    assert kept.prescribed.standing == "ranked"
    assert kept.prescribed.candidate in {c.action for c in kept.candidates}
    assert len(kept.candidates) == len(candidates_for(GOAL, (), load_catalogue()))
    for candidate in kept.candidates:
        assert {len(risks) for risks in candidate.risks.values()} == {2}
        assert all(0 <= risk <= 1 for risks in candidate.risks.values() for risk in risks if risk is not None)
    assert EpisodeKept.model_validate_json(kept.model_dump_json()) == kept


def test_the_same_numbers_whatever_else_is_in_the_unit_and_in_what_order(episode: Episode) -> None:
    other = replace(episode, id="e2", subject="s2")
    first, second = align_unit([episode, other], PLAN, ManyModel())
    assert [second, first] == align_unit([other, episode], PLAN, ManyModel())
    assert alone(episode) == first
    assert seed_of(0, "e1") != seed_of(0, "e2") != seed_of(1, "e2")


def test_candidates_of_all_episodes_are_one_call(episode: Episode) -> None:
    model = ManyModel()
    align_unit([replace(episode, id=str(i)) for i in range(3)], PLAN, model)
    assert model.batches == [3]


def test_what_fails_says_why_and_the_rest_goes_on(episode: Episode, tmp_path: Path) -> None:
    flat = Ecg(np.zeros((12, 5000)), 500.0, LEADS)
    bad = {
        "gone": replace(episode, ecg=tmp_path / "gone.hea"),
        "flat": replace(episode, ecg=flat),
        "no ecg": replace(episode, ecg=""),
        "no patient": replace(episode, patient={}),
        "patient": replace(episode, patient={"age_years": 3, "sex": "male", "x": 1}),
        "empty": replace(episode, prescribed=""),
        "late": replace(episode, time="2026-01-01T08:00", ecg_time="2026-01-01T09:00"),
        "time": replace(episode, time="yesterday"),
        "goal": replace(episode, goal="happiness"),
    }
    episodes = [replace(one, id=name) for name, one in bad.items()] + [episode]
    *failed, good = align_unit(episodes, PLAN, ManyModel())
    codes = {one.id: one.failure.code for one in failed if one.failure}
    assert codes == {
        "gone": "ecg_file",
        "flat": "not_simulatable",
        "no ecg": "missing_input",
        "no patient": "missing_input",
        "patient": "patient_file",
        "empty": "episodes",
        "late": "episodes",
        "time": "episodes",
        "goal": "unknown_drug",
    }
    assert all(one.failure and one.failure.message for one in failed)
    assert good == alone(episode)


def test_an_episode_that_breaks_the_batch_does_not_take_the_others_with_it(episode: Episode) -> None:
    class Breaking(ManyModel):
        def simulate_many(self, requests: Any, k: int, progress: Any = None) -> Any:
            if any(request.seed == seed_of(0, "bad") for request in requests):
                raise RuntimeError("a strange file")
            return super().simulate_many(requests, k, progress)

    bad, good = align_unit([replace(episode, id="bad"), episode], PLAN, Breaking())
    assert bad.failure is not None
    assert (bad.failure.code, bad.failure.message) == ("fault", "RuntimeError: a strange file")
    assert good == alone(episode)


def test_laboratory_values_of_after_the_decision_are_not_known(episode: Episode) -> None:
    assert isinstance(episode.patient, dict)
    labs = [
        {"name": "potassium", "value": 4.4, "unit": "mmol/L", "time": "2026-01-05T08:00:00"},
        {"name": "potassium", "value": 2.9, "unit": "mmol/L", "time": "2026-01-05T12:00:00"},
    ]
    at_ten = replace(episode, patient={**episode.patient, "labs": labs}, time="2026-01-05T10:00:00")
    kept = alone(at_ten)
    assert (kept.before["potassium_mmol_l"], kept.left_out) == (4.4, 1)
    assert alone(replace(at_ten, time=None)).before["potassium_mmol_l"] == 2.9


def test_a_prescription_that_the_mask_blocks_is_kept_with_the_rule(episode: Episode) -> None:
    assert isinstance(episode.patient, dict)
    paced = {**episode.patient, "goal": None, "conditions": [{"code": "I45.81", "text": "long QT syndrome"}]}
    kept = alone(replace(episode, patient=paced, prescribed="sotalol 80 mg oral"))
    assert kept.prescribed.standing == "blocked"
    assert kept.prescribed.rules
    assert kept.prescribed.why


@pytest.mark.parametrize("text", ["heparin 5000 IU iv", "aspirin 100 mg oral", "ivabradine", "no drug"])
def test_a_prescription_that_is_no_candidate_is_counted_with_the_reason(episode: Episode, text: str) -> None:
    kept = alone(replace(episode, prescribed=text))
    assert kept.failure is None
    assert kept.prescribed.standing in ("not_among", "blocked", "cannot_evaluate")
    assert kept.prescribed.why
    assert all(c.risks for c in kept.candidates)


def test_a_prescription_counts_as_the_nearest_usual_dose_within_a_factor_of_two() -> None:
    catalogue = load_catalogue()
    choices = candidates_for(None, ["metoprolol"], catalogue)

    def counts_as(text: str) -> str:
        return str(nearest(parse_action(text, catalogue), choices))

    assert counts_as("metoprolol 60 mg oral") == "metoprolol 50 mg oral"
    assert counts_as("metoprolol 2000 mg oral") == "None"
    assert counts_as("metoprolol 5 mg iv") == "metoprolol 5 mg iv"
    assert counts_as("diltiazem 60 mg oral") == "None"


def test_drugs_given_together_are_one_candidate_where_others_were_given_them(episode: Episode) -> None:
    catalogue = load_catalogue()
    both = "digoxin 0.25 mg oral + metoprolol 50 mg oral"
    given = [replace(episode, subject=name, prescribed=both) for name in ("a", "b")]
    found = combinations_prescribed([*given, episode], catalogue)
    assert [len(subjects) for subjects in found.values()] == [2]
    (combination,) = found
    assert combination in choices_for("rate-control", "a", found, catalogue)
    assert combination not in choices_for("antiemetic", "a", found, catalogue)
    only_own = combinations_prescribed(given[:1], catalogue)
    assert combination not in choices_for("rate-control", "a", only_own, catalogue)
    turned = parse_action("metoprolol 50 mg oral + digoxin 250 ug oral", catalogue)
    assert nearest(turned, [combination]) == combination


def test_the_order_is_that_of_rank(case: Case, made_ecg: Callable[..., Ecg]) -> None:
    """Two ways to the same table: stored risks here, `rank` there."""
    assert case.patient is not None and case.ecg is not None
    patient = json.loads(case.patient.model_dump_json(exclude_none=True))
    goal = "svt-termination"
    kept = alone(
        Episode("e", "s", made_ecg(), patient, "adenosine 6 mg iv", goal=goal), Plan(2, 3, {}), ManyModel()
    )
    result = rank_candidates(case, goal=goal, k=2, seed=kept.seed, model=ManyModel())
    theirs = [row.action.text for row in result.ranking if row.action.drugs]
    keys = by_risk(kept, Scoring())
    assert sorted(keys, key=lambda action: (keys[action], action)) == theirs
    assert {row.action.text: row.score for row in result.ranking if row.action.drugs} == {
        action: key[-1] for action, key in keys.items()
    }


def test_a_file_and_its_samples_are_the_same_episode(
    episode: Episode, tmp_path: Path, made_ecg: Callable[..., Ecg]
) -> None:
    patient = tmp_path / "p.json"
    patient.write_text(json.dumps(episode.patient))
    record = write_record(tmp_path, "e", made_ecg())
    kept = alone(replace(episode, ecg=record, patient=patient))
    assert kept.failure is None
    assert (kept.ecg, kept.patient) == (str(record), str(patient))
