"""Support: each reason to distrust a simulation is found, and nothing is said without one."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.worldmodel.virtual_patients import AV_BLOCKER, HERG_BLOCKER, NO_DRUG, PROLONG_QT
from worldmodel.delineation.measure import measure
from worldmodel.ecg import LEADS, Ecg, standard_twelve
from worldmodel.measurement import Finding, Intervals, Measurement, Quality, Rhythm
from worldmodel.pharmacology import Action
from worldmodel.readers import read_ecg
from worldmodel.support import MARKED, judge_support, why_refused
from worldmodel.virtual import demo_ecg

ORDINARY = Measurement(
    intervals=Intervals(hr_bpm=70.0, qrs_ms=95.0), rhythm=Rhythm("sinus", 0.9), quality=Quality("good")
)

DATA = Path(os.environ.get("ECGWM_DATA", Path(__file__).parents[3] / "shared/data"))
# Of LUDB, by its table.
RECORDS = {"sinus": (9, 11, 17, 29, 33), "fibrillation": (101, 129, 173), "paced": (45, 93, 95, 111)}


@pytest.fixture
def ludb() -> Path:
    folder = DATA / "ludb"
    if not folder.is_dir():
        pytest.skip("LUDB is not here")
    return folder


def test_an_ordinary_ecg_and_dose_are_in_distribution() -> None:
    support = judge_support(ORDINARY, True, 0.03, PROLONG_QT)
    assert (support.in_distribution, support.score, support.reasons) == (True, 0.0, ())


@pytest.mark.parametrize(
    ("measured", "told"),
    [
        (replace(ORDINARY, rhythm=Rhythm("paced", 0.9)), "paced"),
        (replace(ORDINARY, intervals=Intervals(hr_bpm=190.0)), "190 bpm"),
        (replace(ORDINARY, intervals=Intervals(qrs_ms=200.0)), "200 ms"),
        (
            replace(ORDINARY, quality=Quality("usable", ("possibly the arm electrodes are swapped.",))),
            "swapped",
        ),
        (replace(ORDINARY, missing_leads=("V1", "V2", "V3")), "V1, V2, V3"),
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


@pytest.mark.parametrize(
    ("measured", "told"),
    [
        (
            replace(ORDINARY, quality=Quality("unusable", ("V1: flat.", "No lead can be measured."))),
            "No lead",
        ),
        (
            replace(ORDINARY, findings=(Finding("ventricular_fibrillation", 0.6, "Waves of 300/min."),)),
            "300/min",
        ),
    ],
)
def test_without_beats_nothing_is_simulated(measured: Measurement, told: str) -> None:
    assert told in (why_refused(measured) or "")
    assert judge_support(measured, True, 0.03, NO_DRUG).score == 1.0


TIME_S = np.arange(5000) / 500.0


@pytest.mark.parametrize(
    ("samples_mv", "told"),
    [
        (np.random.default_rng(0).normal(0.0, 0.2, (12, 5000)), "do not resemble each other"),
        (np.zeros((12, 5000)), "No lead can be measured"),
        (np.tile(0.5 * np.sin(2 * np.pi * 50 * TIME_S), (12, 1)), "No heart beat was found"),
        (np.linspace(0.3, 1, 12)[:, None] * np.sin(2 * np.pi * 0.3 * TIME_S), "No heart beat was found"),
    ],
    ids=["white noise", "flat", "mains hum", "wander"],
)
def test_noise_is_refused_for_being_noise_and_not_for_its_scale(
    samples_mv: NDArray[np.float64], told: str
) -> None:
    """Noise breaks Einthoven's law, so its scale is in doubt as well, but that is not why it shows no beats."""
    for trusted in (True, False):
        refused = why_refused(measure(Ecg(samples_mv, 500.0, LEADS, amplitudes_trusted=trusted)))
        assert told in (refused or "")


def test_what_is_strange_but_has_beats_is_marked_and_not_refused() -> None:
    for label in ("paced", "atrial_flutter", "other"):
        assert why_refused(replace(ORDINARY, rhythm=Rhythm(label, 0.9))) is None
    assert why_refused(ORDINARY) is None


def score(measured: Measurement, action: Action = NO_DRUG, trusted: bool = True) -> float:
    return judge_support(measured, trusted, 0.03, action).score


def test_the_score_rises_from_sinus_rhythm_to_what_was_never_in_training() -> None:
    fibrillating = replace(ORDINARY, rhythm=Rhythm("atrial_fibrillation", 0.9))
    paced = replace(ORDINARY, rhythm=Rhythm("paced", 0.9))
    scores = [score(ORDINARY), score(fibrillating), score(paced), score(paced, trusted=False)]
    assert scores == sorted(set(scores)) and scores[1] < MARKED <= scores[2]


def test_the_score_rises_with_each_lead_that_is_missing() -> None:
    missing = [(), ("V6",), ("V1",), ("V1", "V2"), LEADS[6:], LEADS[1:]]
    scores = [score(replace(ORDINARY, missing_leads=gone)) for gone in missing]
    assert scores == sorted(set(scores))
    assert scores[2] < 0.2 and scores[-1] > 0.9
    assert score(replace(ORDINARY, missing_leads=("III", "aVL"))) == 0.0  # which follow from the others


def test_the_score_rises_with_dose_and_number_of_drugs() -> None:
    doses = [Action((replace(HERG_BLOCKER, relative_dose=dose),)) for dose in (1.0, 1.5, 2.0, 3.0, 6.0)]
    scores = [score(ORDINARY, action) for action in doses]
    assert scores[0] == scores[1] == 0.0 and scores == sorted(scores) and scores[3] >= MARKED
    assert 0 < score(ORDINARY, Action((HERG_BLOCKER, AV_BLOCKER))) < MARKED


@pytest.mark.parametrize("gain", [0.1, 10.0])
def test_a_gain_that_is_ten_times_off_is_told_as_such(gain: float) -> None:
    """All else of an ECG can be ordinary at ten times its size."""
    ecg = demo_ecg()
    tenfold = measure(replace(ecg, samples_mv=gain * ecg.samples_mv))
    support = judge_support(tenfold, True, 0.03, NO_DRUG)
    assert not support.in_distribution
    assert any("check the units and gain" in reason for reason in support.reasons)
    ordinary = judge_support(measure(ecg), True, 0.03, NO_DRUG)
    assert not any("units" in reason for reason in ordinary.reasons)


@pytest.mark.parametrize("record", [131, 137, 143])
def test_a_wrong_gain_of_a_real_recording_is_told(ludb: Path, record: int) -> None:
    """Ten times too tall these had a score of 0.37 to 0.44, and passed."""
    ecg = standard_twelve(read_ecg(ludb / "data" / f"{record}.hea"))
    for gain in (0.1, 1.0, 10.0):
        support = judge_support(measure(replace(ecg, samples_mv=gain * ecg.samples_mv)), True, 0.03, NO_DRUG)
        assert any("units and gain" in reason for reason in support.reasons) == (gain != 1.0)
        assert support.in_distribution == (gain == 1.0)


def test_all_leads_reversed_are_out_of_distribution() -> None:
    turned = replace(
        ORDINARY, quality=Quality("usable", ("possibly the polarity of all leads is reversed.",))
    )
    assert not judge_support(turned, True, 0.03, NO_DRUG).in_distribution


def test_real_recordings_are_ordered(ludb: Path) -> None:
    """Medians over recordings: sinus rhythm, fibrillation, pacing, and sinus rhythm at ten times its size."""
    ecgs = {
        kind: [standard_twelve(read_ecg(ludb / "data" / f"{record}.hea")) for record in records]
        for kind, records in RECORDS.items()
    }
    ecgs["tenfold"] = [replace(ecg, samples_mv=10 * ecg.samples_mv) for ecg in ecgs["sinus"]]
    medians = [float(np.median([score(measure(ecg)) for ecg in ecgs[kind]])) for kind in ecgs]
    assert medians == sorted(set(medians))
    assert medians[0] < 0.1 and medians[1] < MARKED <= medians[2]


def test_a_t_wave_that_runs_into_the_next_beat_is_told() -> None:
    ordinary = judge_support(ORDINARY, True, 0.03, NO_DRUG, room_ms=40.0)
    crowded = judge_support(ORDINARY, True, 0.03, NO_DRUG, room_ms=-30.0)
    assert crowded.score > ordinary.score
    assert any("T would run 30 ms into the next beat" in reason for reason in crowded.reasons)
