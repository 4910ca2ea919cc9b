"""From fiducials and RR to intervals, with the reason for each that cannot be given."""

import math
from collections.abc import Callable, Mapping

from worldmodel.measurement import FIDUCIALS, Intervals, MedianBeat, Shape


def fridericia(qt_ms: float, rr_ms: float) -> float:
    """QT / RR^(1/3), RR in s (Fridericia 1920)."""
    return float(qt_ms / (rr_ms / 1000) ** (1 / 3))


def bazett(qt_ms: float, rr_ms: float) -> float:
    """QT / RR^(1/2), RR in s (Bazett 1920)."""
    return float(qt_ms / (rr_ms / 1000) ** 0.5)


def framingham(qt_ms: float, rr_ms: float) -> float:
    """QT + 154 (1 - RR), RR in s (Sagie 1992, doi:10.1016/0002-9149(92)90562-D)."""
    return float(qt_ms + 154 * (1 - rr_ms / 1000))


def hodges(qt_ms: float, rr_ms: float) -> float:
    """QT + 1.75 (HR - 60), HR in beats per minute (Hodges 1983)."""
    return float(qt_ms + 1.75 * (60_000 / rr_ms - 60))


def jtpeak_corrected(jtpeak_ms: float, rr_ms: float) -> float:
    """J-Tpeak / RR^0.58, RR in s (Johannesen 2014, doi:10.1038/clpt.2013.238)."""
    return float(jtpeak_ms / (rr_ms / 1000) ** 0.58)


def intervals_of(beat: MedianBeat | None, rr_ms: float | None) -> Intervals:
    """Every interval that the fiducials of all leads together and RR allow."""
    marks = {name: getattr(beat, f"{name}_ms", None) for name in (*FIDUCIALS, "t_end_tangent")}
    return intervals_between({name: at for name, at in marks.items() if at is not None}, rr_ms)


def intervals_between(marks_ms: Mapping[str, float], rr_ms: float | None) -> Intervals:
    """Every interval that these fiducials (of FIDUCIALS; absent or NaN where unknown) and RR allow."""

    def between(start: str, end: str) -> float | None:
        length = marks_ms.get(end, math.nan) - marks_ms.get(start, math.nan)
        return round(float(length), 2) if length > 0 else None

    qt, jtpeak = between("qrs_on", "t_end"), between("qrs_off", "t_peak")
    return Intervals(
        hr_bpm=None if rr_ms is None else round(60_000 / rr_ms, 2),
        rr_ms=None if rr_ms is None else round(rr_ms, 2),
        pr_ms=between("p_on", "qrs_on"),
        qrs_ms=between("qrs_on", "qrs_off"),
        qt_ms=qt,
        qt_tangent_ms=between("qrs_on", "t_end_tangent"),
        qtcf_ms=_corrected(fridericia, qt, rr_ms),
        qtcb_ms=_corrected(bazett, qt, rr_ms),
        qtcfram_ms=_corrected(framingham, qt, rr_ms),
        qtch_ms=_corrected(hodges, qt, rr_ms),
        jtpeak_ms=jtpeak,
        jtpeakc_ms=_corrected(jtpeak_corrected, jtpeak, rr_ms),
        tpeak_tend_ms=between("t_peak", "t_end"),
        p_ms=between("p_on", "p_off"),
    )


def _corrected(
    formula: Callable[[float, float], float], interval_ms: float | None, rr_ms: float | None
) -> float | None:
    return None if interval_ms is None or rr_ms is None else round(formula(interval_ms, rr_ms), 2)


# What each interval needs, in the order in which a lack is told.
_NEEDS = {
    "hr_bpm": ("rr",),
    "rr_ms": ("rr",),
    "pr_ms": ("qrs", "p"),
    "qrs_ms": ("qrs",),
    "qt_ms": ("qrs", "t"),
    "qt_tangent_ms": ("qrs", "t"),
    "qtcf_ms": ("qrs", "t", "rr"),
    "qtcb_ms": ("qrs", "t", "rr"),
    "qtcfram_ms": ("qrs", "t", "rr"),
    "qtch_ms": ("qrs", "t", "rr"),
    "jtpeak_ms": ("qrs", "t"),
    "jtpeakc_ms": ("qrs", "t", "rr"),
    "tpeak_tend_ms": ("qrs", "t"),
    "p_ms": ("qrs", "p"),
    "t_amplitude_mv": ("qrs", "t"),
}


def reasons(intervals: Intervals, shape: Shape, why: dict[str, str]) -> dict[str, str]:
    """For each interval that is None, and the height of T, the reason; `why` gives it per wave (rr, qrs, p, t) or
    for all (beat)."""
    values = intervals.as_dict() | {"t_amplitude_mv": shape.t_amplitude_mv}
    result = {}
    for name, needs in _NEEDS.items():
        if values[name] is None:
            known = [why[need] for need in needs if need in why]
            result[name] = known[0] if known else why.get("beat", "A boundary of the wave was not found.")
    return result


# What a reading may differ from another and still agree, ms: the tolerances for biological ECGs of IEC 60601-2-25
# (from memory), and for what ends at the T peak those of the QRS.
TOLERANCE_MS = {
    "pr_ms": ("p_on", "qrs_on", 10.0),
    "qrs_ms": ("qrs_on", "qrs_off", 10.0),
    "qt_ms": ("qrs_on", "t_end", 25.0),
    "jtpeak_ms": ("qrs_off", "t_peak", 10.0),
    "tpeak_tend_ms": ("t_peak", "t_end", 25.0),
    "p_ms": ("p_on", "p_off", 10.0),
}
# SD of our error against human marks over the scatter of the marks behind it, on recordings left out of training;
# `evaluate delineation` tells whether the confidence that follows is kept.
_ERROR_PER_SPREAD = 0.45


def confidence_of(
    intervals: Intervals, spread_ms: Mapping[str, float], certain: Mapping[str, float]
) -> dict[str, float]:
    """How likely a human reading lies within the tolerance of each measured interval, 0..1.

    spread_ms, certain: of the boundaries, as in Waves. The error is taken as normal, its SD in proportion to the
    spread of both; where a boundary may be elsewhere altogether, no closeness helps.
    """
    values = intervals.as_dict()
    confidence = {}
    for name, (a, b, most) in TOLERANCE_MS.items():
        if values[name] is not None:
            sd = _ERROR_PER_SPREAD * math.hypot(spread_ms[a], spread_ms[b])
            confidence[name] = round(certain[a] * certain[b] * math.erf(most / (math.sqrt(2) * sd)), 3)
    return confidence
