"""Whether the model has any business simulating this ECG and this action.

Three answers: as in training; simulated but marked as outside of it; not simulated at all (`why_refused`).
"""

from dataclasses import dataclass

import numpy as np

from worldmodel.beat import RESPONSE_LIMITS
from worldmodel.delineation.axes import qrs_of
from worldmodel.ecg import INDEPENDENT_LEADS, LEADS
from worldmodel.leads import estimated_leads, shipped_leads
from worldmodel.measurement import Measurement
from worldmodel.pharmacology import Action
from worldmodel.surprise import USUAL, Surprise
from worldmodel.typicality import judge_typicality

# The ranges of the virtual trial; see virtual/patients.py.
HR_RANGE_BPM = (42.0, 165.0)
QRS_MAX_MS = 185.0
# How little of each rhythm was in training; of the rest only the usual beats were.
RHYTHM_DOUBT = {"sinus": 0.0, "atrial_fibrillation": 0.1}
# Mean over the leads. The beats of the virtual trial span 0.46 to 4.2 mV, those of 128 records of LUDB, PTB and the
# CinC 2021 challenge 0.86 to 3.4 mV; of these none stays inside at ten times its size, and one at a tenth.
QRS_SIZE_MV = (0.3, 5.0)
RECONSTRUCTION_LIMIT = 0.15  # of the ECG's own RMS; virtual and real recordings of good quality stay under it
RELATIVE_DOSE_FAR = (
    1.5  # from here on doubt grows, to a half at twice as much: effects are linear in the dose
)
SURPRISE_FAR = (
    1.25  # of 645 ECGs of the ecgrdvq trial 3 % are farther, the farthest 1.6 times as far as usual
)
MARKED = 0.5


@dataclass(frozen=True)
class Support:
    """Whether the model has seen anything like this. score: 0 (as in training) .. 1 (nothing like it)."""

    in_distribution: bool
    score: float
    reasons: tuple[str, ...] = ()


def why_refused(measured: Measurement) -> str | None:
    """Why nothing can be simulated from this ECG; None where something can.

    Without beats, in ventricular fibrillation and from a recording of no use there is no beat whose change would
    mean anything. All else that is strange is simulated and marked by `judge_support`.
    """
    fibrillation = next((f for f in measured.findings if f.name == "ventricular_fibrillation"), None)
    if fibrillation is not None:
        return fibrillation.text
    if measured.quality.verdict == "unusable":
        return "The recording is unusable: " + " ".join(measured.quality.reasons[-1:])
    return None


def judge_support(
    measured: Measurement,
    amplitudes_trusted: bool,
    reconstruction_error: float,
    action: Action,
    surprise: Surprise | None = None,
    room_ms: float | None = None,
) -> Support:
    """Reasons to distrust a simulation, each with a doubt in 0..1; the score is the doubt of all, as if independent.

    amplitudes_trusted: of the pre-dose ECG; reconstruction_error: RMS of encode-decode over its RMS. surprise: of the
    ECGs that were observed of this person, the one that was expected least. room_ms: see beat.room_ms, after the dose.
    """
    refused = why_refused(measured)
    if refused is not None:
        return Support(False, 1.0, (refused,))
    doubts = [
        *_of_ecg(measured),
        *_of_action(action),
        *(
            [(0.6, "the file's scale is in doubt, and the encoder reads millivolts")]
            * (not amplitudes_trusted)
        ),
    ]
    if surprise is not None and surprise.ratio > SURPRISE_FAR:
        doubts.append(_of_observed(surprise))
    if room_ms is not None and room_ms < 0:
        told = f"T would run {-room_ms:.0f} ms into the next beat at this rate: QT is cut short or read wrong"
        doubts.append((0.5, told))
    if reconstruction_error > RECONSTRUCTION_LIMIT:
        doubts.append((0.6, f"the encoder loses {100 * reconstruction_error:.0f} % of this ECG's amplitude"))
    score = 1.0 - float(np.prod([1.0 - doubt for doubt, _ in doubts]))
    return Support(score < MARKED, round(score, 3), tuple(text for _, text in doubts))


def _of_ecg(measured: Measurement) -> list[tuple[float, str]]:
    doubts = []
    rhythm = measured.rhythm.label
    if RHYTHM_DOUBT.get(rhythm, 1.0) > 0:
        known = (
            "of which little was in training"
            if rhythm in RHYTHM_DOUBT
            else "which is not drawn anew: the observed order of beats goes on"
        )
        doubts.append((RHYTHM_DOUBT.get(rhythm, 0.6), f"rhythm is {rhythm.replace('_', ' ')}, {known}"))
    hr = measured.intervals.hr_bpm
    if hr is not None and not HR_RANGE_BPM[0] <= hr <= HR_RANGE_BPM[1]:
        doubts.append((0.5, f"rate of {hr:.0f} bpm is outside {HR_RANGE_BPM[0]:.0f}-{HR_RANGE_BPM[1]:.0f}"))
    qrs = measured.intervals.qrs_ms
    if qrs is not None and qrs > QRS_MAX_MS:
        doubts.append((0.5, f"QRS of {qrs:.0f} ms is wider than any in training"))
    size = _qrs_size_mv(measured)
    if size is not None and not QRS_SIZE_MV[0] <= size <= QRS_SIZE_MV[1]:
        usual = f"{QRS_SIZE_MV[0]:g}-{QRS_SIZE_MV[1]:g}"
        doubts.append(
            (0.7, f"QRS spans {size:.2g} mV in the mean of the leads, not {usual}: check the units and gain")
        )
    ectopic = [
        f for f in measured.findings if f.name in ("ventricular_ectopic_beats", "atrial_ectopic_beats")
    ]
    doubts += [(0.15, f"what the drug does to {f.name.replace('_', ' ')} is not modelled") for f in ectopic]
    turned = [reason for reason in measured.quality.reasons if "swapped" in reason or "is reversed" in reason]
    doubts += [(0.5, reason.rstrip(".")) for reason in turned]
    typical = judge_typicality(measured)
    if typical is not None and typical.distance > 1:
        told = f"farther from the virtual patients than {100 * typical.share:.0f} % of themselves"
        doubts.append((min(0.9, 0.7 * (typical.distance - 1)), f"{told}, most of all by {typical.farthest}"))
    gone = estimated_leads(measured)
    if gone:
        told_r = shipped_leads().expected_r(gone)
        worst = min(told_r, key=lambda lead: told_r[lead])
        text = ", ".join(gone) if len(gone) < 4 else f"{len(gone)} leads"
        how_well = (
            f"estimated from the other leads, with a correlation to the true ones from {told_r[worst]:.2f} on"
        )
        doubts.append((1.0 - told_r[worst] ** 2, f"{text}: {how_well}"))
    return doubts


def _qrs_size_mv(measured: Measurement) -> float | None:
    """Peak to peak in the mean of the independent leads that are there, as recorded; None without a QRS."""
    qrs = None if measured.median_beat is None else qrs_of(measured.median_beat)
    if qrs is None:
        return None
    sizes = np.ptp(qrs[[LEADS.index(name) for name in INDEPENDENT_LEADS]], axis=1)
    return float(np.nanmean(sizes)) if np.isfinite(sizes).any() else None


def _of_observed(surprise: Surprise) -> tuple[float, str]:
    """Doubt that reaches a half at twice as far as one person in a hundred is."""
    told = (
        f"the ECG observed at {surprise.hours:g} h is {surprise.distance:.1f} SDs from what is expected, and "
        f"{100 * USUAL:g} % of people stay within {surprise.usual:.1f}; most of all by {surprise.farthest}"
    )
    return min(0.9, 0.5 * (surprise.ratio - 1)), told


def _of_action(action: Action) -> list[tuple[float, str]]:
    doubts = []
    for drug in action.drugs:
        if drug.relative_dose > RELATIVE_DOSE_FAR:
            doubt = 0.5 * np.log2(drug.relative_dose / RELATIVE_DOSE_FAR)
            times = f"{drug.relative_dose:.1f} times the dose its effect was measured at"
            doubts.append((float(min(0.9, doubt)), f"{drug.name}: {times}"))
    if len({drug.name for drug in action.drugs}) > 1:
        doubts.append((0.2, "effects of several drugs are added, but for the channels that they share"))
    for name, (low, high) in RESPONSE_LIMITS.items():
        total = sum(drug.relative_dose * drug.effects.mean.get(name, 0.0) for drug in action.drugs)
        if not low <= total <= high:
            doubts.append((0.5, f"a change of {total:+.3g} in {name} is more than can be drawn"))
    return doubts
