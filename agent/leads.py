"""Single leads, now or before and after a dose: their intervals, and their median beats drawn in characters."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from agent.state import Json
from tools.case import Case
from tools.errors import ToolError
from worldmodel.ecg import LEADS, Ecg

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tools.simulate import SimulateResult
    from worldmodel.measurement import Measurement, MedianBeat

INTERVALS = ("pr_ms", "qrs_ms", "qt_ms")
# One character holds 2 x 4 dots. Two beats of this width stand beside each other in 80 columns.
COLUMN_MS, ROW_MV = 25.0, 0.2
FROM_MS, COLUMNS, MOST_ROWS = -250.0, 36, 9
_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))  # Braille patterns, Unicode 15, block 2800


def named_leads(leads: Sequence[str]) -> list[str]:
    """The leads in their usual spelling. Raises ToolError for one that is not among the twelve."""
    usual = {lead.lower(): lead for lead in LEADS}
    if unknown := [lead for lead in leads if lead.lower() not in usual]:
        raise ToolError(f"There is no lead {unknown[0]}.", f"Leads: {', '.join(LEADS)}.")
    return list(dict.fromkeys(usual[lead.lower()] for lead in leads)) or list(LEADS)


def leads_now(case: Case, leads: Sequence[str]) -> Json:
    """The leads as they are recorded. Raises MissingInputError."""
    _, measured = case.pre_dose()
    return _shown({"now": measured}, leads)


def leads_before_and_after(case: Case, leads: Sequence[str], result: "SimulateResult") -> Json:
    """The leads as they are recorded, and in the first simulated ECG of the first action."""
    import numpy as np

    from worldmodel.delineation.measure import measure

    samples = result.waveforms.samples_mv[0, 0].astype(np.float64)
    after = measure(Ecg(samples, result.waveforms.fs_hz, LEADS))
    return _shown({"before": case.pre_dose()[1], "after": after}, leads)


def _shown(ecgs: "dict[str, Measurement]", leads: Sequence[str]) -> Json:
    return {
        "leads": {
            lead: {when: _intervals(measured, lead) for when, measured in ecgs.items()} for lead in leads
        },
        "scale": {"column_ms": COLUMN_MS, "row_mv": ROW_MV},
        "drawing": {lead: _beside(ecgs, LEADS.index(lead)) for lead in leads},
    }


def _intervals(measured: "Measurement", lead: str) -> Json:
    from tools.results import interval_values

    found = measured.lead_intervals.get(lead)
    known = interval_values(found) if found else {}
    return {name: known.get(name) for name in INTERVALS}


def _beside(ecgs: "dict[str, Measurement]", row: int) -> list[str]:
    """The median beats of one lead side by side, each under its name; no line where nothing was recorded."""
    curves = [_curve(measured.median_beat, row) for measured in ecgs.values()]
    known = [curve for curve in curves if curve is not None]
    if not known:
        return []
    high = min(max(float(curve.max()) for curve in known), ROW_MV * MOST_ROWS / 2)
    low = max(min(float(curve.min()) for curve in known), high - ROW_MV * MOST_ROWS)
    pictures = [draw_curve(curve, low, high) for curve in curves if curve is not None]
    names = [name for name, curve in zip(ecgs, curves, strict=True) if curve is not None]
    head = "   ".join(name.ljust(COLUMNS) for name in names)
    return [head.rstrip(), *("   ".join(lines).rstrip() for lines in zip(*pictures, strict=True))]


def _curve(beat: "MedianBeat | None", row: int) -> "NDArray[np.float64] | None":
    """The lead in mV at each column of dots, held at its ends; None where nothing was recorded."""
    import numpy as np

    if beat is None or not np.isfinite(beat.samples_mv[row]).any():
        return None
    samples = np.nan_to_num(beat.samples_mv[row])
    at_ms = (np.arange(samples.size) - beat.r_index) * 1000.0 / beat.fs_hz
    wanted_ms = FROM_MS + np.arange(2 * COLUMNS) * COLUMN_MS / 2
    return np.asarray(np.interp(wanted_ms, at_ms, samples))


def draw_curve(curve_mv: "NDArray[np.float64]", low_mv: float, high_mv: float) -> list[str]:
    """A curve, (two values for each column), as lines of Braille; what goes beyond low and high is cut."""
    rows = max(1, round((high_mv - low_mv) / ROW_MV + 0.5))
    dots = [min(max(round((high_mv - value) / ROW_MV * 4), 0), 4 * rows - 1) for value in curve_mv]
    cells = [[0] * COLUMNS for _ in range(rows)]
    for at, dot in enumerate(dots):
        before = dots[max(at - 1, 0)]
        for place in range(min(dot, before + 1), max(dot, before - 1) + 1):  # a steep edge is one line
            cells[place // 4][at // 2] |= _DOTS[at % 2][place % 4]
    return ["".join(chr(0x2800 + cell) for cell in row) for row in cells]
