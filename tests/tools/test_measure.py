"""Measuring files: one entry for each, and one bad file spoils nothing."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tools.draw import draw_files
from tools.files import write_simulated
from tools.measure import measure_files
from worldmodel.ecg import Ecg
from worldmodel.errors import EcgFileError

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
    ecg = made_ecg()
    samples = ecg.samples_mv[None].astype(np.float32)
    header, *_ = write_simulated(tmp_path, ecg, "no drug", 2.0, 0, samples, ecg.fs_hz)
    return Path(header)


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


def test_no_interval_of_a_flat_recording_is_a_number(tmp_path: Path, made_ecg: Callable[..., Ecg]) -> None:
    flat = np.zeros((1, 12, 5000), dtype=np.float32)
    header, *_ = write_simulated(tmp_path, made_ecg(), "no drug", 2.0, 0, flat, 500.0)
    (entry,) = measure_files([header]).recordings
    assert entry.quality is not None
    assert entry.quality.verdict == "unusable"
    assert set(entry.intervals.values()) == {None}
    assert set(CONTRACT) <= set(entry.not_measurable)


def test_a_drawing_is_written_and_needs_its_recordings(record: Path, tmp_path: Path) -> None:
    result = draw_files(record, tmp_path / "x.png", compare=record)
    assert Path(result.file).read_bytes().startswith(b"\x89PNG")
    with pytest.raises(EcgFileError):
        draw_files(record, tmp_path / "y.png", compare=tmp_path / "nowhere")
    assert not (tmp_path / "y.png").exists()
