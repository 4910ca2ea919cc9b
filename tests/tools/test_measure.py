"""Measuring files: one entry for each, and one bad file spoils nothing."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.tools.made_records import write_record
from tools.measure import lead_by_lead, measure_file, measure_files, recording_of
from tools.window import Window
from worldmodel.delineation.measure import measure
from worldmodel.ecg import LEADS, Ecg
from worldmodel.measurement import FIDUCIALS, Intervals, Quality, Shape, Variability
from worldmodel.readers.stated import Stated

CONTRACT = (
    "hr_bpm",
    "rr_ms",
    "pr_ms",
    "qrs_ms",
    "qt_ms",
    "qtcf_ms",
    "qtcb_ms",
    "jtpeak_ms",
    "tpeak_tend_ms",
    "p_ms",
)


@pytest.fixture
def record(tmp_path: Path, made_ecg: Callable[..., Ecg]) -> Path:
    """A WFDB record of the made ECG."""
    return write_record(tmp_path, "made", made_ecg())


def test_every_interval_of_the_contract_is_a_number_or_has_a_reason(record: Path) -> None:
    (entry,) = measure_files([record]).recordings
    assert set(CONTRACT) <= set(entry.intervals)
    for name in CONTRACT:
        assert (entry.intervals[name] is None) == (name in entry.not_measurable)
    assert entry.intervals["hr_bpm"] == pytest.approx(70, abs=1)
    assert entry.quality is not None
    assert entry.rhythm is not None
    assert entry.rhythm.label == "sinus"


def test_one_bad_file_among_good_ones_is_an_entry_with_its_error(record: Path, tmp_path: Path) -> None:
    bad = tmp_path / "notes.hea"
    bad.write_text("patient feels well today")
    first, second, third = measure_files([record, bad, record]).recordings
    assert first == third
    assert first.error is None
    assert second.error is not None
    assert second.error.hint
    assert second.intervals == {}


def test_no_interval_of_a_flat_recording_is_a_number(tmp_path: Path) -> None:
    flat = Ecg(np.zeros((12, 5000)), 500.0, LEADS)
    (entry,) = measure_files([write_record(tmp_path, "flat", flat)]).recordings
    assert entry.quality is not None
    assert entry.quality.verdict == "unusable"
    assert set(entry.intervals.values()) == {None}
    assert set(CONTRACT) <= set(entry.not_measurable)


def test_the_seconds_that_were_measured_are_told_and_can_be_chosen(
    tmp_path: Path, made_ecg: Callable[..., Ecg]
) -> None:
    slow, fast = (made_ecg(hr_bpm=rate).samples_mv for rate in (60, 90))
    header = write_record(tmp_path, "r", Ecg(np.hstack([slow, fast]), 500.0, LEADS))
    (first,) = measure_files([header], Window(0.0, 10.0)).recordings
    (second,) = measure_files([header], Window(10.0, 20.0)).recordings
    assert (first.window_s, second.window_s) == ((0.0, 10.0), (10.0, 20.0))
    assert (first.duration_s, second.duration_s) == (20.0, 20.0)
    assert [first.intervals["hr_bpm"], second.intervals["hr_bpm"]] == pytest.approx([60, 90], abs=1)


def test_a_window_beyond_the_end_is_the_error_of_that_recording(
    tmp_path: Path, made_ecg: Callable[..., Ecg]
) -> None:
    short = write_record(tmp_path, "a", made_ecg())
    long = write_record(tmp_path, "b", Ecg(np.hstack([made_ecg().samples_mv] * 2), 500.0, LEADS))
    first, second = measure_files([short, long], Window(8.0, 18.0)).recordings
    assert first.error is not None
    assert "10 s" in first.error.message
    assert second.error is None
    assert second.window_s == (8.0, 18.0)


def test_a_table_is_measured_as_it_is_said_to_be(tmp_path: Path, made_ecg: Callable[..., Ecg]) -> None:
    table = tmp_path / "ecg.csv"
    np.savetxt(table, made_ecg().samples_mv[:2].T * 1000, delimiter=",", fmt="%.1f")
    (unsaid,) = measure_files([table]).recordings
    assert unsaid.error is not None
    stated = Stated(fs_hz=500.0, unit="uV", leads=("I", "II"))
    (said,) = measure_files([table], Window(0.0, 6.0), stated).recordings
    assert said.error is None
    assert (said.leads, said.window_s) == (("I", "II"), (0.0, 6.0))
    assert said.intervals["hr_bpm"] == pytest.approx(70, abs=1)


def test_what_is_known_of_single_leads_is_told_under_their_names(made_ecg: Callable[..., Ecg]) -> None:
    ecg = made_ecg()
    measured = measure(ecg)
    assert measured.median_beat is not None
    marks = np.full((12, len(FIDUCIALS)), np.nan)
    marks[1] = [-160.04, -120, -90, -40, 0, 46, 270, np.nan, 350]
    full = replace(
        measured,
        median_beat=replace(measured.median_beat, lead_marks_ms=marks),
        lead_intervals={"II": Intervals(qt_ms=390.04)},
        confidence={"qt_ms": 0.914},
        quality=Quality("usable", (), {"V1": ("Noise.",)}),
        shape=Shape(qrs_axis_deg=-30.26, t_flatness=0.4567, t_amplitude_mv=0.5678),
        variability=Variability(rr_sd_ms=12.34),
    )
    recording = lead_by_lead(recording_of("x", ecg, full), full)
    data = json.loads(json.dumps(recording.model_dump(mode="json"), allow_nan=False))
    assert data["lead_marks_ms"] == {
        "II": dict(zip(FIDUCIALS, [-160.0, -120, -90, -40, 0, 46, 270, None, 350], strict=True))
    }
    assert data["lead_intervals"]["II"]["qt_ms"] == 390.0
    assert data["lead_intervals"]["II"]["pr_ms"] is None
    assert data["confidence"] == {"qt_ms": 0.91}
    assert data["quality"]["leads"] == {"V1": ["Noise."]}
    assert (data["shape"]["qrs_axis_deg"], data["shape"]["t_flatness"]) == (-30.3, 0.457)
    assert data["shape"]["t_amplitude_mv"] == 0.568
    assert data["shape"]["p_axis_deg"] is None
    assert data["variability"] == {"rr_sd_ms": 12.3, "rmssd_ms": None, "qt_sd_ms": None}


def test_a_conversation_is_spared_the_numbers_of_single_leads(made_ecg: Callable[..., Ecg]) -> None:
    ecg = made_ecg()
    measured = replace(measure(ecg), lead_intervals={"II": Intervals(qt_ms=390.0)})
    assert recording_of("x", ecg, measured).lead_intervals == {}


def test_a_name_that_is_no_text_here_can_still_be_written(tmp_path: Path) -> None:
    (recording,) = measure_files([tmp_path / os.fsdecode(b"caf\xe9.hea")]).recordings
    assert recording.file.encode()
    assert recording.error is not None


def test_beats_are_told_in_seconds_of_the_recording(made_ecg: Callable[..., Ecg], tmp_path: Path) -> None:
    ecg = made_ecg()
    long = np.tile(ecg.samples_mv, (1, 3))
    np.save(tmp_path / "long.npy", long)
    stated = Stated(ecg.fs_hz, "mV", ecg.leads)
    recording = measure_file(tmp_path / "long.npy", Window(12.0, 22.0), stated)
    assert recording.window_s == (12.0, 22.0)
    assert all(12.0 <= beat.r_s <= 22.0 for beat in recording.beats)
    assert len(recording.beats) >= 9
