"""What a measurement reads like beyond its table of intervals: labelled lines for the terminal."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from agent.wording import interval_name, number, words

if TYPE_CHECKING:
    from tools.measure import MeasureResult, Recording, Summary

DOUBTFUL = 0.5  # a confidence below is told
CORRECTIONS = {
    "qtcf_ms": "Fridericia",
    "qtcb_ms": "Bazett",
    "qtcfram_ms": "Framingham",
    "qtch_ms": "Hodges",
}
LEAD_COLUMNS = ("p_ms", "pr_ms", "qrs_ms", "qt_ms", "jtpeak_ms", "tpeak_tend_ms")

Line = tuple[str, str]


def signal_text(recording: "Recording") -> str:
    """Length, rate, leads, rhythm and quality in one line."""
    rhythm, quality = recording.rhythm, recording.quality
    seconds = f"{number(recording.duration_s, 1)} s"
    if recording.window_s and recording.duration_s and recording.window_s != (0.0, recording.duration_s):
        seconds = f"{recording.window_s[0]:.4g} to {recording.window_s[1]:.4g} s of {seconds}"
    parts = [
        f"{seconds} at {number(recording.fs_hz)} Hz, {len(recording.leads)} leads",
        f"not recorded: {', '.join(recording.missing_leads)}" if recording.missing_leads else "",
        f"rhythm {words(rhythm.label)} (confidence {rhythm.confidence:.2f})" if rhythm else "",
        f"quality {quality.verdict}" if quality else "",
    ]
    return "; ".join(filter(None, parts))


def doubts(recording: "Recording") -> str:
    """The intervals that are measured but hardly to be relied on; "" where there is none."""
    return ", ".join(
        f"{interval_name(name)} (confidence {sure:.2f})"
        for name, sure in recording.confidence.items()
        if sure < DOUBTFUL
    )


def detail_lines(recording: "Recording") -> Iterator[Line]:
    """What is told of a recording that stands alone: every correction of QT, axes, T wave, variability."""
    corrected = [
        f"{name} {number(recording.intervals[key])}"
        for key, name in CORRECTIONS.items()
        if recording.intervals.get(key) is not None
    ]
    if corrected:
        yield "QTc in ms by", ", ".join(corrected)
    yield from _known("QT to the tangent", {"": recording.intervals.get("qt_tangent_ms")}, " ms")
    shape, variability = recording.shape, recording.variability
    if shape:
        yield from _known(
            "axis", {"P": shape.p_axis_deg, "QRS": shape.qrs_axis_deg, "T": shape.t_axis_deg}, "°"
        )
        t_wave = {"flatness": shape.t_flatness, "asymmetry": shape.t_asymmetry}
        yield from _known("height of T", {"": shape.t_amplitude_mv}, " mV", 2)
        yield from _known("form of T", t_wave, "", 2)
    if variability:
        spread = {
            "SD of RR": variability.rr_sd_ms,
            "RMSSD": variability.rmssd_ms,
            "SD of QT": variability.qt_sd_ms,
        }
        yield from _known("beat to beat", spread, " ms")


def lead_rows(recording: "Recording") -> Iterator[list[str]]:
    """Of each lead its name, the intervals of `LEAD_COLUMNS`, and what is wrong with it."""
    wrong = recording.quality.leads if recording.quality else {}
    for lead in dict.fromkeys((*recording.lead_intervals, *wrong)):
        of_lead = recording.lead_intervals.get(lead, {})
        values = [number(of_lead.get(name)) for name in LEAD_COLUMNS]
        yield [lead, *values, "; ".join(reason.rstrip(".") for reason in wrong.get(lead, ()))]


def summary_lines(result: "MeasureResult", summary: "Summary") -> Iterator[Line]:
    """The counts over many recordings."""
    before = f", {summary.already_there} of them before" if summary.already_there else ""
    yield "recordings", f"{summary.recordings}{before}"
    if summary.verdicts:
        yield "quality", _counts(summary.verdicts)
        yield "rhythm", _counts(summary.rhythms)
    if summary.with_warnings:
        yield "with warnings", str(summary.with_warnings)
    if result.passed_over:
        yield "passed over", passed_over_text(result.passed_over)
    if summary.failed:
        yield "could not be read", str(summary.failed)
    for failed in summary.first_failed:
        yield "not read", f"{failed.file}: {failed.message}"
    if summary.failed > len(summary.first_failed):
        yield "not read", f"and {summary.failed - len(summary.first_failed)} others"
    where = summary.file or "nowhere; name a file with --out, such as --out measured.csv"
    yield "written to", where


def passed_over_text(count: int) -> str:
    return "1 file that is no recording" if count == 1 else f"{count} files that are no recordings"


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {words(name)}" for name, count in counts.items())


def _known(label: str, values: Mapping[str, float | None], unit: str, digits: int = 0) -> Iterator[Line]:
    """One line of the values that are known, if any is."""
    known = [
        f"{name} {number(value, digits)}{unit}".strip() for name, value in values.items() if value is not None
    ]
    if known:
        yield label, ", ".join(known)
