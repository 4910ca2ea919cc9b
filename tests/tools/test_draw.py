"""Files on paper: what the head says, which seconds are shown, and two recordings on one sheet."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tools.plot
from tests.tools.made_records import write_record
from tools.draw import draw_files
from tools.plot import PlotError
from tools.window import Window
from worldmodel.delineation.measure import measure
from worldmodel.ecg import LEADS, Ecg
from worldmodel.errors import EcgFileError
from worldmodel.measurement import FIDUCIALS, Finding, Measurement, Quality, Shape


@pytest.fixture
def texts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """All that is written on the sheet, kept as the picture is saved."""
    kept: list[str] = []
    save = tools.plot.save_figure

    def keep(figure: Any, path: Path) -> Path:
        kept[:] = [text.get_text() for text in figure.axes[0].texts]
        return save(figure, path)

    monkeypatch.setattr("tools.plot.save_figure", keep)
    return kept


def test_a_drawing_says_what_it_measured(
    tmp_path: Path, made_ecg: Callable[..., Ecg], texts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def measured(ecg: Ecg) -> Measurement:
        return replace(
            measure(ecg),
            shape=Shape(p_axis_deg=51.2, qrs_axis_deg=-30.4),
            findings=(Finding("av_block_1", 0.9, "PR 230 ms."),),
            quality=Quality("usable", ("V1: noisy.",)),
        )

    monkeypatch.setattr("worldmodel.delineation.measure.measure", measured)
    result = draw_files(write_record(tmp_path, "r", made_ecg()), tmp_path / "x.png")
    assert Path(result.file).read_bytes().startswith(b"\x89PNG")
    told = "\n".join(texts)
    assert "r.hea" in texts
    assert "70 bpm · PR " in told
    assert "QTcF " in told
    assert "axis P 51°, QRS −30°" in told
    assert "sinus (confidence " in told
    assert "AV block 1: PR 230 ms · signal usable; V1: noisy" in told


def test_what_is_drawn_is_what_was_measured(
    tmp_path: Path, made_ecg: Callable[..., Ecg], texts: list[str]
) -> None:
    rng = np.random.default_rng(0)
    clean = made_ecg().samples_mv
    noisy = clean + 0.3 * rng.normal(size=clean.shape)
    header = write_record(tmp_path, "r", Ecg(np.hstack([noisy, clean, noisy]), 500.0, LEADS))
    (drawn,) = draw_files(header, tmp_path / "x.svg").recordings
    assert drawn.window_s == (10.0, 20.0)
    assert any("10–20 s of 30 s" in text for text in texts)
    (drawn,) = draw_files(header, tmp_path / "x.svg", window=Window(1.0, 9.0)).recordings
    assert drawn.window_s == (1.0, 9.0)
    with pytest.raises(EcgFileError) as error:
        draw_files(header, tmp_path / "y.svg", window=Window(25.0, 31.0))
    assert "30 s" in error.value.message
    assert not (tmp_path / "y.svg").exists()


def test_two_recordings_are_told_apart_and_their_difference_is_told(
    tmp_path: Path, made_ecg: Callable[..., Ecg], texts: list[str]
) -> None:
    before = write_record(tmp_path, "before", made_ecg(hr_bpm=70, qt_ms=380))
    after = write_record(tmp_path, "after", made_ecg(hr_bpm=60, qt_ms=430))
    result = draw_files(before, tmp_path / "x.png", compare=after)
    assert [Path(drawn.file).name for drawn in result.recordings] == ["before.hea", "after.hea"]
    assert texts.count("— before.hea") == texts.count("— after.hea") == 2
    assert {"II · before.hea", "II · after.hea"} <= set(texts)
    (change,) = (text for text in texts if text.startswith("change: "))
    assert "rate −10 bpm" in change
    assert int(change.partition("QT +")[2].split()[0]) == pytest.approx(50, abs=3)
    assert any("median beats at 50 mm/s" in text for text in texts)


def test_a_recording_without_beats_is_drawn_beside_another_and_its_change_is_unknown(
    tmp_path: Path, made_ecg: Callable[..., Ecg], texts: list[str]
) -> None:
    record = write_record(tmp_path, "r", made_ecg())
    flat = write_record(tmp_path, "flat", Ecg(np.zeros((12, 5000)), 500.0, LEADS))
    draw_files(record, tmp_path / "x.png", compare=flat)
    assert any("QTcF unknown" in text for text in texts)
    assert not any("median beats" in text for text in texts)


def test_marks_count_from_the_start_of_the_recording(
    tmp_path: Path, made_ecg: Callable[..., Ecg], monkeypatch: pytest.MonkeyPatch
) -> None:
    header = write_record(tmp_path, "r", Ecg(np.hstack([made_ecg().samples_mv] * 2), 500.0, LEADS))
    shown: list[Any] = []
    draw = tools.plot.draw_strips

    def measured(ecg: Ecg) -> Measurement:
        marks = np.full((1, 12, len(FIDUCIALS)), np.nan)
        marks[0, 1, FIDUCIALS.index("t_end")] = 1.5
        return replace(measure(ecg), beat_marks_s=marks)

    def keep(recordings: Any, **words: Any) -> Any:
        shown.extend(recordings)
        return draw(recordings, **words)

    monkeypatch.setattr("worldmodel.delineation.measure.measure", measured)
    monkeypatch.setattr("tools.plot.draw_strips", keep)
    draw_files(header, tmp_path / "x.svg", window=Window(6.0, 16.0), marks=True)
    assert np.nanmax(shown[0].marks_s) == 7.5


def test_marks_that_cannot_be_drawn_are_a_warning(tmp_path: Path) -> None:
    flat = write_record(tmp_path, "flat", Ecg(np.zeros((12, 5000)), 500.0, LEADS))
    assert "No waves were found to mark." in draw_files(flat, tmp_path / "x.svg", marks=True).warnings


@pytest.mark.parametrize("name", ["x.gif", "x"])
def test_a_format_that_cannot_be_written_is_told_before_anything_is_read(tmp_path: Path, name: str) -> None:
    with pytest.raises(PlotError):
        draw_files(tmp_path / "nowhere.hea", tmp_path / name)


def test_a_drawing_needs_both_recordings(tmp_path: Path, made_ecg: Callable[..., Ecg]) -> None:
    record = write_record(tmp_path, "r", made_ecg())
    with pytest.raises(EcgFileError):
        draw_files(record, tmp_path / "y.png", compare=tmp_path / "nowhere")
    assert not (tmp_path / "y.png").exists()
