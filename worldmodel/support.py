"""Whether the model has any business simulating this ECG and this action."""

from dataclasses import dataclass

from worldmodel.measurement import Measurement
from worldmodel.pharmacology import Action

# The ranges of the virtual trial; see virtual/patients.py.
HR_RANGE_BPM = (42.0, 165.0)
QRS_MAX_MS = 185.0
KNOWN_RHYTHMS = ("sinus", "atrial_fibrillation")
RECONSTRUCTION_LIMIT = 0.15  # of the ECG's own RMS; virtual and real recordings of good quality stay under it
RELATIVE_DOSE_MAX = 3.0


@dataclass(frozen=True)
class Support:
    """Whether the model has seen anything like this. score: 0 (as in training) .. 1 (nothing like it)."""

    in_distribution: bool
    score: float
    reasons: tuple[str, ...] = ()


def judge_support(
    measured: Measurement, amplitudes_trusted: bool, reconstruction_error: float, action: Action
) -> Support:
    """Reasons to distrust a simulation, each with a weight; their sum, at most 1, is the score.

    amplitudes_trusted: of the pre-dose ECG; reconstruction_error: RMS of encode-decode over its RMS.
    """
    reasons: list[tuple[float, str]] = []
    if not amplitudes_trusted:
        reasons.append((0.6, "the file's scale is in doubt, and the encoder reads millivolts"))
    if measured.rhythm.label not in KNOWN_RHYTHMS:
        reasons.append(
            (0.6, f"rhythm is {measured.rhythm.label.replace('_', ' ')}; trained on sinus rhythm and AF")
        )
    hr = measured.intervals.hr_bpm
    if hr is not None and not HR_RANGE_BPM[0] <= hr <= HR_RANGE_BPM[1]:
        reasons.append((0.5, f"rate of {hr:.0f} bpm is outside {HR_RANGE_BPM[0]:.0f}-{HR_RANGE_BPM[1]:.0f}"))
    qrs = measured.intervals.qrs_ms
    if qrs is not None and qrs > QRS_MAX_MS:
        reasons.append((0.5, f"QRS of {qrs:.0f} ms is wider than any in training"))
    if measured.quality.verdict == "unusable":
        reasons.append((0.6, "the recording is unusable: " + "; ".join(measured.quality.reasons)))
    if len(measured.missing_leads) > 2:
        reasons.append((0.5, f"{len(measured.missing_leads)} leads are estimated from the others"))
    elif measured.missing_leads:
        reasons.append((0.2, f"{', '.join(measured.missing_leads)} estimated from the other leads"))
    if reconstruction_error > RECONSTRUCTION_LIMIT:
        reasons.append((0.6, f"the encoder loses {100 * reconstruction_error:.0f} % of this ECG's amplitude"))
    reasons += [
        (0.5, f"{drug.name}: {drug.relative_dose:.1f} times the dose its effect was measured at")
        for drug in action.drugs
        if drug.relative_dose > RELATIVE_DOSE_MAX
    ]
    if len(action.drugs) > 1:
        reasons.append((0.2, "effects of several drugs are added; their interaction is not modelled"))
    score = min(1.0, sum(weight for weight, _ in reasons))
    return Support(score < 0.5, round(score, 3), tuple(text for _, text in reasons))
