"""Findings of the intervals and the median beat that the mask and the risk ask for."""

from worldmodel.measurement import Finding, Intervals


def _grade(value: float, limit: float, full: float) -> float:
    """0.5 at the limit, 0.95 at `full` and beyond."""
    return round(min(0.95, 0.5 + 0.45 * (value - limit) / (full - limit)), 2)


def interval_findings(intervals: Intervals) -> list[Finding]:
    """Limits as in AHA/ACC/HRS 2009 (QRS, QTc) and common use (rate, PR)."""
    found = []
    hr, pr, qrs, qtc = intervals.hr_bpm, intervals.pr_ms, intervals.qrs_ms, intervals.qtcf_ms
    if hr is not None and hr < 60:
        found.append(Finding("bradycardia", _grade(60 - hr, 0, 10), f"Heart rate {hr:.0f}/min."))
    if hr is not None and hr > 100:
        found.append(Finding("tachycardia", _grade(hr - 100, 0, 10), f"Heart rate {hr:.0f}/min."))
    if pr is not None and pr > 200:
        found.append(Finding("av_block_1", _grade(pr, 200, 220), f"PR {pr:.0f} ms."))
    if qrs is not None and qrs >= 120:
        found.append(Finding("wide_qrs", _grade(qrs, 120, 140), f"QRS {qrs:.0f} ms."))
    if qtc is not None and qtc > 470:
        found.append(Finding("long_qt", _grade(qtc, 470, 500), f"QTcF {qtc:.0f} ms."))
    return found
