"""Facts of heart and ECG: rhythm, conduction, repolarisation."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from knowledge.known import Known, any_of, seen_or_charted

if TYPE_CHECKING:
    from knowledge.chart import Chart


def _in_rhythm(chart: "Chart", label: str, diagnosis: str, *, now: bool) -> Known:
    """A rhythm: `now` trusts an ECG that shows another one; otherwise the chart's history counts, too."""
    rhythm = chart.findings.rhythm
    if rhythm == label:
        return True, ()
    charted = chart.known(diagnosis)
    if rhythm in ("unknown", "paced"):
        return charted
    return (False, ()) if now or charted[0] is None else charted


def _af(chart: "Chart") -> Known:
    return _in_rhythm(chart, "atrial_fibrillation", "atrial_fibrillation_charted", now=False)


def _flutter(chart: "Chart") -> Known:
    return _in_rhythm(chart, "atrial_flutter", "atrial_flutter_charted", now=False)


def _af_now(chart: "Chart") -> Known:
    return any_of(
        _in_rhythm(chart, "atrial_fibrillation", "atrial_fibrillation_charted", now=True),
        _in_rhythm(chart, "atrial_flutter", "atrial_flutter_charted", now=True),
    )


def _wide_qrs(chart: "Chart") -> Known:
    """QRS of 120 ms and more, or a conduction abnormality on ECG or chart (dofetilide label)."""
    qrs = chart.findings.qrs_ms
    seen = chart.findings
    if (qrs is not None and qrs >= 120) or seen.lbbb or seen.rbbb or seen.paced:
        return True, ()
    if qrs is not None:
        return False, ()
    charted, missing = any_of(
        chart.known("bundle_branch_block_charted"), chart.known("intraventricular_block_charted")
    )
    # A block on record without a QRS now would only relax the limits of QTc: leave it open.
    return (None, ("qrs_ms",)) if charted else (charted, missing)


def _wide_complex_tachycardia(chart: "Chart") -> Known:
    """As seen; else a rate over 100 with a QRS of 120 ms and more."""
    seen = chart.findings
    if seen.wide_complex_tachycardia is not None:
        return seen.wide_complex_tachycardia, ()
    slow = None if seen.hr_bpm is None else seen.hr_bpm <= 100
    narrow = None if seen.qrs_ms is None else seen.qrs_ms < 120
    if slow or narrow:
        return False, ()
    missing = tuple(name for name, value in (("hr_bpm", slow), ("qrs_ms", narrow)) if value is None)
    return (None, missing) if missing else (True, ())


def _qtc(chart: "Chart") -> Known:
    """QTc by Fridericia; Bazett's only where it is all there is."""
    seen = chart.findings
    value = seen.qtcf_ms if seen.qtcf_ms is not None else seen.qtcb_ms
    return (value, ()) if value is not None else (None, ("qtcf_ms",))


def _qtc_or_qt(chart: "Chart") -> Known:
    """QTc, but QT when the heart rate is below 60 (dofetilide label)."""
    seen = chart.findings
    if seen.hr_bpm is not None and seen.hr_bpm < 60 and seen.qt_ms is not None:
        return seen.qt_ms, ()
    return _qtc(chart)


def _baseline_qtc(chart: "Chart") -> float | None:
    history = chart.patient.qt_history if chart.patient else ()
    before = [entry.qtc_ms for entry in history if entry.drug is None]
    return before[0] if before else None


def _qtc_rise_ms(chart: "Chart") -> Known:
    """QTc now minus the baseline of qt_history; no history means no known rise, and fires nothing."""
    now, missing = _qtc(chart)
    baseline = _baseline_qtc(chart)
    if baseline is None:
        return 0.0, ()
    return (None, missing) if now is None else (now - baseline, ())


def _qtc_rise_percent(chart: "Chart") -> Known:
    rise, missing = _qtc_rise_ms(chart)
    baseline = _baseline_qtc(chart)
    if rise is None or baseline is None:
        return (None, missing) if rise is None else (0.0, ())
    return 100 * rise / baseline, ()


def _qrs_rise_percent(chart: "Chart") -> Known:
    """QRS now against the baseline of qt_history; no history means no known rise."""
    history = chart.patient.qt_history if chart.patient else ()
    before = next((entry.qrs_ms for entry in history if entry.drug is None and entry.qrs_ms), None)
    now = chart.findings.qrs_ms
    if before is None:
        return 0.0, ()
    return (None, ("qrs_ms",)) if now is None else (100 * (now - before) / before, ())


def _av_block_1(chart: "Chart") -> Known:
    """A PR over 200 ms, or first degree AV block on record; in fibrillation there is no PR."""
    pr, in_af = chart.findings.pr_ms, _af_now(chart)[0]
    charted = chart.known("av_block_1_charted")
    return (True, ()) if pr is not None and pr > 200 and in_af is not True else charted


def _pacemaker(chart: "Chart") -> Known:
    said = chart.patient.pacemaker if chart.patient else None
    if said is not None:
        return said, ()
    if chart.findings.paced:
        return True, ()
    return chart.known("pacemaker_charted")


def _joined(flag: str, charted: str) -> Callable[["Chart"], Known]:
    return lambda chart: seen_or_charted(getattr(chart.findings, flag), chart.known(charted))


def _ecg_seen(chart: "Chart") -> Known:
    return chart.findings.hr_bpm is not None, ()


def _cardioversion_cleared(chart: "Chart") -> Known:
    """Three weeks of anticoagulation, a clear echocardiogram, or an onset within 48 h, and said so.

    On an anticoagulant, and nobody says since when: unknown.
    """
    patient = chart.patient
    if patient is None:
        return None, ("anticoagulated_3_weeks",)
    recent = patient.af_duration_hours is not None and patient.af_duration_hours < 48
    if patient.anticoagulated_3_weeks or patient.tee_cleared or recent:
        return True, ()
    treated, missing = chart.takes("anticoagulant")
    if treated is None:
        return None, missing
    return (
        (None, ("anticoagulated_3_weeks",))
        if treated and patient.anticoagulated_3_weeks is None
        else (False, ())
    )


HEART: dict[str, Callable[["Chart"], Known]] = {
    "atrial_fibrillation": _af,
    "atrial_flutter": _flutter,
    "af_or_flutter": lambda chart: any_of(_af(chart), _flutter(chart)),
    "af_or_flutter_now": _af_now,
    "av_block_2_or_3": _joined("av_block_2_or_3", "av_block_2_or_3_charted"),
    "bifascicular": _joined("bifascicular", "bifascicular_charted"),
    "preexcitation": _joined("preexcitation", "preexcitation_charted"),
    "brugada_pattern": _joined("brugada", "brugada"),
    "ventricular_fibrillation": lambda chart: seen_or_charted(
        chart.findings.ventricular_fibrillation, (False, ())
    ),
    "ventricular_conduction_abnormality": _wide_qrs,
    "wide_complex_tachycardia": _wide_complex_tachycardia,
    "pacemaker": _pacemaker,
    "av_block_1": _av_block_1,
    "st_elevation_seen": lambda chart: (chart.findings.st_elevation is True, ()),
    "qrs_rise_percent": _qrs_rise_percent,
    "ecg_seen": _ecg_seen,
    "qtc_ms": _qtc,
    "qtc_or_qt_ms": _qtc_or_qt,
    "qtc_rise_ms": _qtc_rise_ms,
    "qtc_rise_percent": _qtc_rise_percent,
    "cardioversion_cleared": _cardioversion_cleared,
}
