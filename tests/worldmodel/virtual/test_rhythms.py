"""Rhythms: the truth that is told of a recording, and what the delineator reads from it."""

from collections import Counter

import pytest
import torch

from tests.worldmodel.virtual_patients import generator
from worldmodel.delineation.measure import measure_batch
from worldmodel.measurement import Measurement
from worldmodel.pharmacology import EFFECTS
from worldmodel.preprocessing import FS_HZ, to_twelve
from worldmodel.virtual.patients import Patients, sample_patients
from worldmodel.virtual.rhythms import ECTOPIC, LONE_P, RHYTHMS, Strip, sample_strip
from worldmodel.virtual.trial import record_strip


def measured(rhythm: str, patients: int = 12, seed: int = 5) -> tuple[Patients, Strip, list[Measurement]]:
    draws = generator(seed)
    drawn = sample_patients(patients, draws, rhythm)
    strip = sample_strip(drawn.pattern, drawn.rhythm, draws)
    recordings = to_twelve(record_strip(drawn, torch.zeros(patients, len(EFFECTS)), strip, draws))
    return drawn, strip, measure_batch(recordings.double().numpy(), FS_HZ)


@pytest.mark.parametrize(
    "rhythm, label",
    [
        ("sinus", "sinus"),
        ("atrial_fibrillation", "atrial_fibrillation"),
        ("atrial_flutter", "atrial_flutter"),
        ("av_block_3", "other"),
        ("ventricular_pacing", "paced"),
        ("atrial_pacing", "paced"),
        ("ventricular_ectopy", "sinus"),
    ],
)
def test_the_delineator_calls_a_rhythm_by_its_name(rhythm: str, label: str) -> None:
    """Two independent pieces agree; a few recordings in doubt are as in life."""
    patients, _, found = measured(rhythm)
    assert set(patients.labels) == {rhythm}
    labels = Counter(one.rhythm.label for one in found)
    assert labels[label] >= 8, labels


def test_blocks_are_found() -> None:
    _, _, found = measured("av_block_3")
    assert sum(any(f.name == "av_block_2_or_3" for f in one.findings) for one in found) >= 9


@pytest.mark.parametrize("rhythm", RHYTHMS)
def test_beats_ascend_and_cover_the_recording(rhythm: str) -> None:
    draws = generator(2)
    patients = sample_patients(60, draws, rhythm)
    strip = sample_strip(patients.pattern, patients.rhythm, draws)
    assert (strip.r_times_s.diff(dim=1) > 0.2).all()
    assert (strip.r_times_s[:, 0] < 0.5).all() and (strip.r_times_s[:, -1] > 10.5).all()
    # Prior and anchor are laid on these; they are on the recording, too.
    in_reach = (strip.r_times_s > 0) & (strip.r_times_s < 10)
    for row in range(60):
        events = strip.event_s[row]
        assert torch.isin(strip.r_times_s[row][in_reach[row]], events).all()


def test_a_ventricular_beat_is_followed_by_a_compensatory_pause() -> None:
    draws = generator(4)
    patients = sample_patients(40, draws, "ventricular_ectopy")
    strip = sample_strip(patients.pattern, patients.rhythm, draws)
    for row in range(40):
        usual = strip.r_times_s[row]
        for at in strip.event_s[row, strip.event_kind == ECTOPIC].tolist():
            if 1.0 < at < 9.0:
                around = float(usual[usual > at][0] - usual[usual < at][-1])
                assert around == pytest.approx(2 * float(patients.rhythm.rr_s[row]), rel=0.2)


def test_block_has_more_p_waves_than_beats() -> None:
    draws = generator(4)
    patients = sample_patients(20, draws, "av_block_2_to_1")
    strip = sample_strip(patients.pattern, patients.rhythm, draws)
    lone = strip.event_s[:, strip.event_kind == LONE_P]
    inside = ((lone > 0) & (lone < 10)).sum(dim=1)
    beats = ((strip.r_times_s > 0) & (strip.r_times_s < 10)).sum(dim=1)
    assert ((inside - beats).abs() <= 1).all()


def test_rhythms_without_one_median_beat_stay_the_exception() -> None:
    counts = Counter(sample_patients(3000, generator(1)).labels)
    assert set(counts) == set(RHYTHMS)
    regular = counts["sinus"] + counts["atrial_fibrillation"]
    assert 0.78 < regular / 3000 < 0.88
    assert 0.13 < counts["atrial_fibrillation"] / 3000 < 0.22
