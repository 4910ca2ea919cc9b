"""A measured ECG in the words of the mask's rules. What was not looked at stays unknown, never normal."""

from knowledge.findings import EcgFindings
from worldmodel.measurement import Measurement

SURE = 0.5  # a finding below this confidence is a suspicion: unknown, neither present nor absent
CONDUCTED = ("sinus", "atrial_fibrillation", "atrial_flutter")


def findings_of(measured: Measurement) -> EcgFindings:
    """Facts for the mask: intervals, rhythm, and flags that are True, False or None (cannot say)."""
    intervals = measured.intervals
    narrow = None if intervals.qrs_ms is None else intervals.qrs_ms < 120
    rhythm = measured.rhythm.label if measured.rhythm.confidence >= SURE else "unknown"
    return EcgFindings(
        hr_bpm=intervals.hr_bpm,
        pr_ms=intervals.pr_ms,
        qrs_ms=intervals.qrs_ms,
        qt_ms=intervals.qt_ms,
        qtcf_ms=intervals.qtcf_ms,
        qtcb_ms=intervals.qtcb_ms,
        rhythm=rhythm,
        av_block_2_or_3=_flag(measured, "av_block_2_or_3", absent=_conducts_every_beat(measured, rhythm)),
        lbbb=_flag(measured, "lbbb", absent=narrow is True),
        rbbb=_flag(measured, "rbbb", absent=narrow is True),
        bifascicular=_flag(measured, "bifascicular", absent=narrow is True),
        preexcitation=_flag(measured, "preexcitation", absent=_no_delta_wave(measured, rhythm, narrow)),
        paced=True if rhythm == "paced" else _flag(measured, "paced", absent=rhythm in CONDUCTED),
        brugada=_flag(measured, "brugada", absent=False),
        st_elevation=_flag(measured, "st_elevation", absent=False),
        wide_complex_tachycardia=_wide_complex_tachycardia(intervals.hr_bpm, narrow),
        ventricular_fibrillation=_flag(
            measured, "ventricular_fibrillation", absent=rhythm in (*CONDUCTED, "paced")
        ),
    )


def _flag(measured: Measurement, name: str, absent: bool) -> bool | None:
    """True where it was found, False where the ECG shows its absence, else None."""
    found = [finding.confidence for finding in measured.findings if finding.name == name]
    if found:
        return True if max(found) >= SURE else None
    return False if absent else None


def _conducts_every_beat(measured: Measurement, rhythm: str) -> bool:
    """Sinus rhythm with a PR, or AF, at 50/min or more and without a pause; else a block may hide in it."""
    if any(finding.name == "pause" for finding in measured.findings):
        return False
    hr_bpm, pr_ms = measured.intervals.hr_bpm, measured.intervals.pr_ms
    conducted = (rhythm == "sinus" and pr_ms is not None) or rhythm == "atrial_fibrillation"
    return conducted and hr_bpm is not None and hr_bpm >= 50


def _no_delta_wave(measured: Measurement, rhythm: str, narrow: bool | None) -> bool:
    """A narrow QRS after a PR that is not short; in AF, where PR is absent, a narrow QRS alone."""
    pr_ms = measured.intervals.pr_ms
    return narrow is True and (rhythm == "atrial_fibrillation" or (pr_ms is not None and pr_ms >= 120))


def _wide_complex_tachycardia(hr_bpm: float | None, narrow: bool | None) -> bool | None:
    slow = None if hr_bpm is None else hr_bpm <= 100
    if slow is True or narrow is True:
        return False
    return None if slow is None or narrow is None else True
