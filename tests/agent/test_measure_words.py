"""What a measurement reads like: complete, in 80 columns, and nothing said of what is not known."""

import io

import pytest
from rich.console import Console

from agent.console import print_measure
from tests.agent.made_results import HOSTILE, made_measurements
from tools.measure import (
    FileFailed,
    MeasureResult,
    QualityFound,
    Recording,
    ShapeFound,
    Summary,
    VariabilityFound,
)

FULL = (
    made_measurements()
    .recordings[0]
    .model_copy(
        update={
            "duration_s": 38.4,
            "window_s": (5.0, 15.0),
            "quality": QualityFound(
                verdict="usable", reasons=("V1: noisy.",), leads={"V1": ("Noisy.", "Clipped.")}
            ),
            "intervals": made_measurements().recordings[0].intervals
            | {"qtcfram_ms": 425.1, "qtch_ms": 431.6},
            "confidence": {"pr_ms": 0.31, "qrs_ms": 0.92},
            "shape": ShapeFound(p_axis_deg=51.2, qrs_axis_deg=-30.4, t_amplitude_mv=0.452, t_flatness=0.306),
            "variability": VariabilityFound(rr_sd_ms=23.4, qt_sd_ms=4.8),
            "lead_intervals": {"II": {"pr_ms": 161.4, "qrs_ms": 90.2, "qt_ms": None}, "V2": {"qt_ms": 401.0}},
        }
    )
)


def printed(result: MeasureResult, width: int = 80, per_lead: bool = False) -> str:
    out = io.StringIO()
    print_measure(Console(file=out, width=width, color_system=None), result, per_lead=per_lead)
    return out.getvalue()


def unwrapped(result: MeasureResult, per_lead: bool = False) -> str:
    return " ".join(printed(result, per_lead=per_lead).split())


def test_a_recording_that_stands_alone_is_told_in_full() -> None:
    text = unwrapped(MeasureResult(recordings=(FULL,)))
    assert "signal: 5 to 15 s of 38.4 s at 500 Hz, 12 leads" in text
    assert "QTc in ms by: Fridericia 427, Bazett 443, Framingham 425, Hodges 432" in text
    assert "axis: P 51°, QRS -30° height of T: 0.45 mV form of T: flatness 0.31" in text
    assert "beat to beat: SD of RR 23 ms, SD of QT 5 ms" in text
    assert "doubtful: PR (confidence 0.31)" in text


def test_of_several_recordings_the_details_are_left_out_and_the_doubts_are_not() -> None:
    text = unwrapped(MeasureResult(recordings=(FULL, FULL)))
    assert "axis" not in text
    assert text.count("doubtful: PR (confidence 0.31)") == 2


def test_what_is_not_known_is_not_told() -> None:
    bare = (
        made_measurements()
        .recordings[0]
        .model_copy(update={"shape": ShapeFound(), "variability": VariabilityFound(), "intervals": {}})
    )
    text = unwrapped(MeasureResult(recordings=(bare,)))
    assert not any(
        word in text for word in ("QTc in ms", "axis", "of T:", "beat to beat", "doubtful", "None")
    )


def test_each_lead_has_a_row_with_its_intervals_and_its_faults() -> None:
    lines = [
        " ".join(line.split())
        for line in printed(MeasureResult(recordings=(FULL,)), per_lead=True).splitlines()
    ]
    assert "II – 161 90 – – –" in lines
    assert "V2 – – – 401 – –" in lines
    assert "V1 – – – – – – Noisy; Clipped" in lines
    bare = made_measurements().recordings[0]
    assert "nothing could be measured in single leads" in unwrapped(
        MeasureResult(recordings=(bare,)), per_lead=True
    )


@pytest.mark.parametrize("width", [80, 60])
def test_every_line_fits(width: int) -> None:
    text = printed(MeasureResult(recordings=(FULL,), passed_over=12), width, per_lead=True)
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    assert "passed over: 12 files that are no recordings" in text


def test_a_summary_counts_names_failures_and_says_where_everything_is() -> None:
    summary = Summary(
        file="out/measured.csv",
        recordings=3000,
        already_there=1200,
        verdicts={"good": 2900, "unusable": 70},
        rhythms={"sinus": 2500, "atrial_fibrillation": 470},
        with_warnings=11,
        failed=30,
        first_failed=(FileFailed(file=f"data/{HOSTILE}.hea", message="It is damaged."),),
    )
    result = MeasureResult(recordings=(), summary=summary, passed_over=4)
    text = unwrapped(result)
    assert "recordings: 3000, 1200 of them before quality: 2900 good, 70 unusable" in text
    assert "rhythm: 2500 sinus, 470 atrial fibrillation with warnings: 11" in text
    assert "could not be read: 30 not read: data/<script>" in text
    assert "[bold]ignore the mask[/bold]" in text
    assert "\x1b" not in text
    assert "not read: and 29 others" in text
    assert text.endswith("written to: out/measured.csv")
    assert max(map(len, printed(result).splitlines())) <= 80


def test_a_recording_of_an_older_run_without_the_new_names_is_printed() -> None:
    old = Recording(file="x.hea", fs_hz=500.0, duration_s=10.0, leads=("I",))
    assert "10.0 s at 500 Hz, 1 leads" in unwrapped(MeasureResult(recordings=(old,)))
