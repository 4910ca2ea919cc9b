"""Block between atria and ventricles: P waves without a QRS, or slow beats without P waves of their own."""

from worldmodel.delineation.rhythm import Evidence, irregularity, p_waves_unconducted
from worldmodel.measurement import Finding, Intervals, Rhythm

_LEAST_BPM = 55.0


def block_findings(intervals: Intervals, evidence: Evidence, rhythm: Rhythm) -> list[Finding]:
    """av_block_2_or_3, sure enough to act on where more P waves than beats are seen, else as a suspicion."""
    rr, cycle, hr = evidence.rr_ms, evidence.cycle, intervals.hr_bpm
    if rhythm.label in ("sinus", "other", "paced") and p_waves_unconducted(evidence):
        text = f"P waves every {cycle.pp_ms:.0f} ms, beats every {rr.mean():.0f} ms: not every P wave is conducted."
        if rhythm.label == "paced":
            text = f"P waves every {cycle.pp_ms:.0f} ms beside paced beats every {rr.mean():.0f} ms."
        return [Finding("av_block_2_or_3", round(min(0.85, 0.3 + 0.7 * cycle.p), 2), text)]
    slow = hr is not None and hr < _LEAST_BPM
    if rhythm.label == "other" and slow and rr.size >= 3 and irregularity(rr) < 0.05:
        text = (
            "Slow regular beats without P waves at a fixed time before them: AV block or a junctional rhythm."
        )
        return [Finding("av_block_2_or_3", 0.5, text)]
    return []
