"""Observed ECGs that the population does not expect are told, and those that it does are not."""

import pytest
import torch

from tests.worldmodel.test_support import ORDINARY
from tests.worldmodel.virtual_patients import PROLONG_QT
from worldmodel.measurement import Intervals, Measurement
from worldmodel.pharmacology import Action
from worldmodel.population import shipped_population
from worldmodel.response import Bearing
from worldmodel.seeing import ObservedEcg, see_ecgs
from worldmodel.support import judge_support
from worldmodel.surprise import Surprise, most_surprising

NOBODY = Bearing(torch.full((1,), torch.nan), torch.zeros(1, dtype=torch.bool))
BEFORE = {"hr_bpm": 60.0, "pr_ms": 160.0, "qrs_ms": 95.0, "jtpeak_ms": 230.0, "tpeak_tend_ms": 90.0}


def surprise(period: int = 0, **moved: float) -> Surprise | None:
    """Of an ECG on the QT drug, in which some intervals have moved from before the dose."""
    after = Intervals(**{name: value + moved.get(name, 0.0) for name, value in BEFORE.items()})
    observed = [ObservedEcg(PROLONG_QT, after, period)]
    if period:
        observed.append(ObservedEcg(Action((), 0.0), Intervals(**BEFORE), period))
    before = Measurement(intervals=Intervals(**BEFORE))
    return most_surprising(see_ecgs(observed, before, [PROLONG_QT], NOBODY, shipped_population()))


def test_a_usual_change_is_none() -> None:
    usual = surprise(jtpeak_ms=35.0, tpeak_tend_ms=10.0, hr_bpm=2.0)
    assert usual is not None and usual.ratio < 1


@pytest.mark.parametrize("period", [0, 1])
@pytest.mark.parametrize(("name", "by", "words"), [("qrs_ms", 80.0, "QRS"), ("hr_bpm", 70.0, "its rate")])
def test_what_nobody_shows_is_told_by_what_and_how_far(name: str, by: float, words: str, period: int) -> None:
    far = surprise(period, **{name: by})
    assert far is not None
    assert far.ratio > 2 and far.farthest == words
    support = judge_support(ORDINARY, True, 0.03, PROLONG_QT, far)
    assert not support.in_distribution
    assert f"{far.distance:.1f} SDs" in support.reasons[0]


def test_the_pre_dose_ecg_alone_is_no_surprise() -> None:
    before = Measurement(intervals=Intervals(**BEFORE))
    nothing = ObservedEcg(PROLONG_QT, Intervals())
    assert most_surprising(see_ecgs([nothing], before, [PROLONG_QT], NOBODY, shipped_population())) is None
