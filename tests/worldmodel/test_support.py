"""Support: each reason to distrust a simulation is found, and nothing is said without one."""

from dataclasses import replace

import pytest

from tests.worldmodel.virtual_patients import HERG_BLOCKER, NO_DRUG, PROLONG_QT
from worldmodel.measurement import Intervals, Measurement, Quality, Rhythm
from worldmodel.pharmacology import Action
from worldmodel.support import judge_support

ORDINARY = Measurement(
    intervals=Intervals(hr_bpm=70.0, qrs_ms=95.0), rhythm=Rhythm("sinus", 0.9), quality=Quality("good")
)


def test_an_ordinary_ecg_and_dose_are_in_distribution() -> None:
    support = judge_support(ORDINARY, True, 0.03, PROLONG_QT)
    assert (support.in_distribution, support.score, support.reasons) == (True, 0.0, ())


@pytest.mark.parametrize(
    ("measured", "told"),
    [
        (replace(ORDINARY, rhythm=Rhythm("paced", 0.9)), "paced"),
        (replace(ORDINARY, intervals=Intervals(hr_bpm=190.0)), "190 bpm"),
        (replace(ORDINARY, intervals=Intervals(qrs_ms=200.0)), "200 ms"),
        (replace(ORDINARY, quality=Quality("unusable", ("all flat",))), "all flat"),
        (replace(ORDINARY, missing_leads=("V1", "V2", "V3")), "3 leads"),
    ],
)
def test_what_training_has_not_seen_is_out_of_distribution(measured: Measurement, told: str) -> None:
    support = judge_support(measured, True, 0.03, NO_DRUG)
    assert not support.in_distribution
    assert told in " ".join(support.reasons)


def test_a_doubtful_scale_a_lost_signal_and_a_huge_dose_count() -> None:
    tenfold = Action((replace(HERG_BLOCKER, relative_dose=10.0),))
    assert not judge_support(ORDINARY, False, 0.03, NO_DRUG).in_distribution
    assert not judge_support(ORDINARY, True, 0.4, NO_DRUG).in_distribution
    assert not judge_support(ORDINARY, True, 0.03, tenfold).in_distribution
