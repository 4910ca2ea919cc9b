"""How dangerous an ECG is, in three ways, of which the user chooses the one to go by.

intervals: what its intervals say (worldmodel/risk.py), the default, as no label is about the QT. labels: the 17 labels
pooled to one number, as in the paper. combined: both, and how prone the patient is to a long QT (Tisdale's score),
joined so that nothing is counted twice: labels that look at what the intervals judge are left out there.
"""

from dataclasses import dataclass
from pathlib import Path

from tools.case import Case
from tools.model import label_model
from tools.results import RiskUsed
from worldmodel.ecg import Ecg
from worldmodel.labels.definition import LabelScores
from worldmodel.labels.pooling import label_risk
from worldmodel.measurement import Measurement
from worldmodel.risk import JUDGED_INTERVALS, CombinedRisk, Risk, combined_risk, interval_risk
from worldmodel.scoring import PoolingName, RiskName
from worldmodel.torsade import TorsadeRisk


@dataclass(frozen=True)
class RiskChoice:
    """What to go by. pooling: of the labels. ecg_fm: ECG-FM's checkpoint, to judge them with instead of our model."""

    risk: RiskName = "intervals"
    pooling: PoolingName = "signed"
    ecg_fm: Path | None = None

    def used(self) -> RiskUsed:
        """The printable form. Raises WeightsError."""
        return RiskUsed(risk=self.risk, pooling=self.pooling, label_model=label_model(self.ecg_fm).used)


BY_INTERVALS = RiskChoice()


@dataclass(frozen=True)
class EcgRisk:
    """The risks of one ECG. label_risk: of all labels; judged: the intervals and labels that the chosen risk could
    look at, so that where some were lost it is a lower bound."""

    chosen: RiskName
    intervals: Risk
    labels: LabelScores
    label_risk: float | None
    combined: CombinedRisk
    judged: frozenset[str]

    def by_name(self) -> dict[RiskName, float | None]:
        """All three; None for what could not be judged."""
        return {"intervals": self.intervals.value, "labels": self.label_risk, "combined": self.combined.value}

    @property
    def value(self) -> float | None:
        """The risk to go by."""
        return self.by_name()[self.chosen]


def judge_ecg(
    case: Case, ecg: Ecg, measured: Measurement, torsade: TorsadeRisk, choice: RiskChoice, *, changed: bool
) -> EcgRisk:
    """The risks of an ECG of this case; changed: it is one after a dose, and its change counts. Raises WeightsError."""
    _, before = case.pre_dose()
    intervals = interval_risk(
        measured.intervals,
        before.intervals if changed else None,
        female=case.context.female,
        rhythm=before.rhythm.label,  # which a simulation keeps
        not_measurable=measured.not_measurable,
    )
    labels = label_model(choice.ecg_fm).judge(ecg, measured)
    apart = label_risk(labels, [component.name for component in intervals.components], choice.pooling)
    unseen = intervals.value is None and apart is None  # circumstances alone say nothing of an ECG
    combined = combined_risk(
        {
            "intervals": intervals.value,
            "labels": apart,
            "circumstances": None if unseen else torsade.risk,
        }
    )
    return EcgRisk(
        chosen=choice.risk,
        intervals=intervals,
        labels=labels,
        label_risk=label_risk(labels, pooling=choice.pooling),
        combined=combined,
        judged=_judged(choice.risk, measured, labels),
    )


def _judged(risk: RiskName, measured: Measurement, labels: LabelScores) -> frozenset[str]:
    intervals = {name for name in JUDGED_INTERVALS if getattr(measured.intervals, name) is not None}
    shown = {name for name, p in labels.probabilities.items() if p is not None}
    return frozenset({"intervals": intervals, "labels": shown, "combined": intervals | shown}[risk])
