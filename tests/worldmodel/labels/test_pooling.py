"""Poolings: the paper's by name and to the letter, ours with the sign that theirs lacks."""

import pytest
import torch

from worldmodel.labels.definition import LABELS, NAMES, label_scores, none_judged, over_windows
from worldmodel.labels.pooling import POOLINGS, label_risk, pool


def of(**present: float) -> torch.Tensor:
    """All labels at 0 but those given, by their first words: Sinus=1."""
    p = torch.zeros(17, dtype=torch.float64)
    for word, value in present.items():
        p[next(i for i, name in enumerate(NAMES) if name.startswith(word))] = value
    return p


def test_the_labels_are_those_of_the_published_table_in_its_order() -> None:
    """Another order would read the published model's outputs as other diseases."""
    assert len(NAMES) == 17
    assert NAMES[:2] == ("Poor data quality", "Sinus rhythm")
    assert NAMES[9] == "Accessory pathway conduction"
    assert NAMES[15:] == ("Infarction", "Electronic pacemaker")


def test_windows_are_joined_by_each_labels_own_rule() -> None:
    """PVC in one of two windows is a PVC; sinus rhythm in one of two is half of it."""
    windows = torch.stack([of(Premature=0.9, Sinus=1.0), of(Premature=0.1, Sinus=0.5)])
    whole = over_windows(windows)
    assert whole[NAMES.index("Premature ventricular contraction")] == pytest.approx(0.9)
    assert whole[NAMES.index("Sinus rhythm")] == pytest.approx(0.75)


def test_the_papers_poolings() -> None:
    p = of(Sinus=0.9, Bradycardia=0.6, Infarction=0.3, Tachycardia=0.2)
    assert pool(p, "mean").item() == pytest.approx(2.0 / 17)
    assert pool(p, "max").item() == pytest.approx(0.9)
    assert pool(p, "top3").item() == pytest.approx(0.6)


def test_sinus_rhythm_is_good_in_ours_and_a_danger_in_the_papers() -> None:
    kept, lost = of(Sinus=1.0), of(Sinus=0.0)
    assert pool(kept).item() == 0.0
    assert pool(lost) > pool(kept)
    assert all(pool(lost, name) < pool(kept, name) for name in ("mean", "max", "top3"))


def test_a_poor_recording_a_pacemaker_and_the_contaminated_label_are_no_danger_of_a_drug() -> None:
    assert pool(of(Sinus=1.0, Poor=1.0, Electronic=1.0, Accessory=1.0)).item() == 0.0
    accessory = LABELS[NAMES.index("Accessory pathway conduction")]
    assert "fibrillation and flutter" in accessory.note


@pytest.mark.parametrize("label", [label for label in LABELS if label.danger], ids=lambda label: label.name)
def test_more_of_a_danger_is_never_safer(label) -> None:
    """One label alone counts for as much as its severity."""
    p = of(Sinus=1.0)
    p[NAMES.index(label.name)] = 0.0 if label.good else 1.0
    assert pool(p).item() == pytest.approx(label.danger)


@pytest.mark.parametrize("name", POOLINGS)
def test_what_no_model_judged_is_left_out_and_has_no_gradient(name: str) -> None:
    p = of(Sinus=0.9, Infarction=0.3)
    p[2:10] = float("nan")
    p.requires_grad_()
    risk = pool(p, name)
    risk.backward()
    judged = ~p.isnan()
    assert 0 < risk.item() < 1
    assert p.grad is not None
    assert p.grad[judged].isfinite().all()
    assert pool(torch.full((17,), float("nan")), name).isnan()


def test_the_mean_is_over_the_judged_ones() -> None:
    """Counting an unjudged label as 0 would call it absent."""
    p = torch.full((17,), float("nan"), dtype=torch.float64)
    p[:2] = torch.tensor([0.2, 0.6])
    assert pool(p, "mean").item() == pytest.approx(0.4)
    assert pool(p, "top3").item() == pytest.approx(0.4)


def test_labels_that_the_intervals_judge_are_not_counted_again() -> None:
    scores = label_scores(of(Sinus=1.0, Tachycardia=1.0, Infarction=1.0).tolist(), {}, "test")
    assert label_risk(scores) == pytest.approx(1 - 0.8 * 0.7)
    assert label_risk(scores, ["fast_rate", "qtc"]) == pytest.approx(0.3)


def test_nothing_judged_is_no_risk_to_speak_of() -> None:
    assert label_risk(none_judged("no beats", "test")) is None
