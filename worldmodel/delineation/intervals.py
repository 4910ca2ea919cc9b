"""From fiducials and RR to intervals, with the reason for each that cannot be given."""

from worldmodel.measurement import Intervals, MedianBeat


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
    """Every interval that the fiducials and RR allow."""

    def between(start: str, end: str) -> float | None:
        a, b = (getattr(beat, name, None) for name in (start, end))
        return None if a is None or b is None else round(float(b - a), 2)

    qt, jtpeak = between("qrs_on_ms", "t_end_ms"), between("qrs_off_ms", "t_peak_ms")
    return Intervals(
        hr_bpm=None if rr_ms is None else round(60_000 / rr_ms, 2),
        rr_ms=None if rr_ms is None else round(rr_ms, 2),
        pr_ms=between("p_on_ms", "qrs_on_ms"),
        qrs_ms=between("qrs_on_ms", "qrs_off_ms"),
        qt_ms=qt,
        qtcf_ms=None if qt is None or rr_ms is None else round(fridericia(qt, rr_ms), 2),
        qtcb_ms=None if qt is None or rr_ms is None else round(bazett(qt, rr_ms), 2),
        qtcfram_ms=None if qt is None or rr_ms is None else round(framingham(qt, rr_ms), 2),
        qtch_ms=None if qt is None or rr_ms is None else round(hodges(qt, rr_ms), 2),
        jtpeak_ms=jtpeak,
        jtpeakc_ms=None if jtpeak is None or rr_ms is None else round(jtpeak_corrected(jtpeak, rr_ms), 2),
        tpeak_tend_ms=between("t_peak_ms", "t_end_ms"),
        p_ms=between("p_on_ms", "p_off_ms"),
    )


# What each interval needs, in the order in which a lack is told.
_NEEDS = {
    "hr_bpm": ("rr",),
    "rr_ms": ("rr",),
    "pr_ms": ("qrs", "p"),
    "qrs_ms": ("qrs",),
    "qt_ms": ("qrs", "t"),
    "qtcf_ms": ("qrs", "t", "rr"),
    "qtcb_ms": ("qrs", "t", "rr"),
    "qtcfram_ms": ("qrs", "t", "rr"),
    "qtch_ms": ("qrs", "t", "rr"),
    "jtpeak_ms": ("qrs", "t"),
    "jtpeakc_ms": ("qrs", "t", "rr"),
    "tpeak_tend_ms": ("qrs", "t"),
    "p_ms": ("qrs", "p"),
}


def reasons(intervals: Intervals, why: dict[str, str]) -> dict[str, str]:
    """For each interval that is None, the reason; `why` gives it per wave (rr, qrs, p, t) or for all (beat)."""
    values = intervals.as_dict()
    result = {}
    for name, needs in _NEEDS.items():
        if values[name] is None:
            known = [why[need] for need in needs if need in why]
            result[name] = known[0] if known else why.get("beat", "A boundary of the wave was not found.")
    return result
