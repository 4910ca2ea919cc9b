"""What stands above and below an ECG on paper: intervals, axes, rhythm, doubts, and how it was drawn."""

from collections.abc import Iterable, Iterator, Sequence

from tools.traces import LIMIT_MV, MOST_OTHER_LEADS, Cell, Shown, Trace
from worldmodel.ecg import LEADS
from worldmodel.measurement import Intervals, Measurement, Shape

DOT = " · "
_HEAD = (
    ("", "hr_bpm", "bpm"),
    ("PR ", "pr_ms", "ms"),
    ("QRS ", "qrs_ms", "ms"),
    ("QT ", "qt_ms", "ms"),
    ("QTcF ", "qtcf_ms", "ms"),
)
_ABBREVIATED = ("av", "lbbb", "qrs", "qt", "rbbb", "st")


def intervals_line(intervals: Intervals) -> str:
    """Rate and intervals as on the head of a printed ECG, such as "73 bpm · PR 160 ms · QRS 92 ms · ..."."""
    values = intervals.as_dict()
    return DOT.join(
        f"{name}{values[key]:.0f} {unit}" if values[key] is not None else f"{name or 'rate '}not measurable"
        for name, key, unit in _HEAD
    )


def axes_line(shape: Shape) -> str:
    """The axes in the frontal plane, such as "axis P 50°, QRS −30°"; "" where none is known."""
    axes = (("P", shape.p_axis_deg), ("QRS", shape.qrs_axis_deg), ("T", shape.t_axis_deg))
    known = [f"{wave} {signed(deg).lstrip('+')}°" for wave, deg in axes if deg is not None]
    return f"axis {', '.join(known)}" if known else ""


def measured_lines(measured: Measurement, name: str = "") -> list[str]:
    """Two lines for the head: numbers; then rhythm, findings, and what is wrong with the signal."""
    numbers = DOT.join(filter(None, (intervals_line(measured.intervals), axes_line(measured.shape))))
    rhythm, quality = measured.rhythm, measured.quality
    found = (": ".join(filter(None, (_words(f.name), f.text.rstrip(".")))) for f in measured.findings)
    signal = "; ".join((f"signal {quality.verdict}", *(reason.rstrip(".") for reason in quality.reasons)))
    seen = DOT.join((f"{_words(rhythm.label)} (confidence {rhythm.confidence:.2f})", *found, signal))
    return [f"{name}: {numbers}" if name else numbers, seen]


def change_line(before: Intervals, after: Intervals) -> str:
    """What the second recording differs by, such as "change: +12 bpm · PR +3 ms"; unknown where either is."""
    old, new = before.as_dict(), after.as_dict()
    parts = []
    for name, key, unit in _HEAD:
        a, b = old[key], new[key]
        parts.append(f"{name or 'rate '}{'unknown' if a is None or b is None else f'{signed(b - a)} {unit}'}")
    return f"change: {DOT.join(parts)}"


def foot_notes(shown: Sequence[Shown], cells: dict[Cell, Trace], extra: Iterable[str] = ()) -> str:
    """Scale, window, and what a reader must know of the recordings."""
    notes = ["25 mm/s", "10 mm/mV"]
    for index, recording in enumerate(shown):
        whose = f"{recording.name}: " if len(shown) > 1 else ""
        notes += [
            whose + note for note in _notes_of(recording, {c: t for c, t in cells.items() if c.of == index})
        ]
    return DOT.join((*notes, *extra))


def signed(value: float) -> str:
    """A whole number with its sign, a true minus; 0 has none."""
    return f"{round(value):+d}".replace("-", "−") if round(value) else "0"


def _notes_of(shown: Shown, cells: dict[Cell, Trace]) -> Iterator[str]:
    """Of one recording: which seconds, and what is absent, cut, broken, or not to be believed."""
    yield f"{shown.start_s:.4g}–{shown.end_s:.4g} s of {shown.ecg.duration_s:.4g} s"
    if not shown.ecg.amplitudes_trusted:
        yield "the millivolts of the file are in doubt: read no amplitudes"
    of_lead = {cell.lead: trace for cell, trace in cells.items()}
    cut = [f"{lead} ({t.peak_mv:.3g} mV)" for lead, t in of_lead.items() if t.peak_mv > LIMIT_MV]
    gaps = [lead for lead, t in of_lead.items() if t.gap and t.state != "not recorded"]
    absent = [lead for lead in LEADS if of_lead[lead].state == "not recorded"]
    undrawn = [lead for lead in shown.other_leads if lead not in of_lead]
    for what, leads in ((f"cut at {LIMIT_MV:g} mV:", cut), ("not recorded:", absent), ("gaps in", gaps)):
        if leads:
            yield f"{what} {', '.join(leads)}"
    if undrawn:
        yield f"recorded but not drawn: {', '.join(undrawn)} (layout 12x1 has room for {MOST_OTHER_LEADS})"


def _words(label: str) -> str:
    """ "av_block_1" -> "AV block 1"."""
    return " ".join(word.upper() if word in _ABBREVIATED else word for word in label.split("_"))
