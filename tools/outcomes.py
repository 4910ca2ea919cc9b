"""Simulated post-dose ECGs as numbers: each sample measured and judged, and what they say together."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from knowledge.doses import GivenAction
from knowledge.drugs import Catalogue
from tools.case import Case
from tools.circumstances import torsade_of
from tools.exposure import action_of
from tools.judging import BY_INTERVALS, EcgRisk, RiskChoice, judge_ecg
from tools.results import Result, SupportGiven, interval_values, rounded
from worldmodel.delineation.measure import measure_batch
from worldmodel.ecg import LEADS, Ecg
from worldmodel.leads import estimated_leads
from worldmodel.measurement import Intervals, Measurement
from worldmodel.model import Simulation, WorldModel
from worldmodel.seeing import ObservedEcg
from worldmodel.support import Support
from worldmodel.torsade import TorsadeRisk

Progress = Callable[[float], None]
# Told beside the intervals: the risk that was chosen, and each.
RISKS = ("risk", "interval_risk", "label_risk", "combined_risk")


class SampleGiven(Result):
    """One ECG in numbers. risk is null where it cannot be judged, a lower bound where something is unknown.

    risk: the one to go by, interval_risk unless another was chosen. risk_components: the risk that each hazard of the
    intervals would be alone; risk_unknown: why others could not be judged. label_risk: of the 17 labels, pooled;
    labels: their probabilities; labels_unknown: why others were not judged. combined_risk: of intervals, labels that
    these do not judge already, and the patient's circumstances; combined_unknown: which of the three are unknown.
    """

    intervals: dict[str, float | None]
    not_measurable: dict[str, str]
    risk: float | None
    risk_components: dict[str, float]
    risk_unknown: dict[str, str]
    interval_risk: float | None
    label_risk: float | None
    labels: dict[str, float | None]
    labels_unknown: dict[str, str]
    combined_risk: float | None
    combined_unknown: tuple[str, ...]


class Summary(Result):
    """Over the samples in which it could be measured, `n` of them; sd null where one sample cannot tell."""

    mean: float
    sd: float | None
    q05: float
    q50: float
    q95: float
    n: int


class Delta(Result):
    """Change from the pre-dose ECG, over the `n` samples in which both could be measured.

    doubt: how much of the spread, as an SD, is not knowing what the drugs do on average; the rest is people and their
    day. Null where it is not told apart: of what is no interval, or where ECGs of this person on drugs were observed.
    """

    mean: float
    sd: float | None
    doubt: float | None
    q05: float
    q95: float
    n: int


@dataclass(frozen=True)
class Outcome:
    """What the world model says of one action: K measured samples and the risks of each.

    torsade: how prone the patient is to a long QT with what is given. doubt: see Delta, by interval.
    """

    action: GivenAction
    hours: float
    measurements: tuple[Measurement, ...]
    risks: tuple[EcgRisk, ...]
    support: Support
    torsade: TorsadeRisk
    doubt: Mapping[str, float] = field(default_factory=dict)


def simulate_outcomes(
    case: Case,
    actions: Sequence[GivenAction],
    catalogue: Catalogue,
    *,
    hours: float | None,
    k: int,
    seed: int,
    model: WorldModel,
    progress: Progress | None = None,
    observed: Sequence[ObservedEcg] = (),
    choice: RiskChoice = BY_INTERVALS,
) -> tuple[list[Outcome], Simulation]:
    """Simulate all actions x K samples in one batch, measure all in another, judge each by its change.

    observed: ECGs of this person on drugs. choice: the risk to go by. The caller has asked the mask. Raises
    MissingInputError, NotSimulatableError, WeightsError.
    """
    pre, measured = case.pre_dose()
    given = [action_of(action, catalogue, hours) for action in actions]
    simulation = model.simulate(pre, measured, given, case.context, k, seed, progress, observed=observed)
    looked_at = [action.hours for action in given]
    return judge_outcomes(case, actions, looked_at, simulation, k, choice), simulation


def judge_outcomes(
    case: Case,
    actions: Sequence[GivenAction],
    hours: Sequence[float],
    simulation: Simulation,
    k: int,
    choice: RiskChoice = BY_INTERVALS,
) -> list[Outcome]:
    """Measure all simulated ECGs in one batch and judge each by its change."""
    _, measured = case.pre_dose()
    samples_mv = simulation.samples_mv
    # The simulation fills leads that were not recorded. Before and after are read from the same leads, or the
    # other leads would move the landmarks of the global beat and look like an effect.
    as_recorded = samples_mv.reshape(-1, *samples_mv.shape[2:]).copy()
    as_recorded[:, [LEADS.index(lead) for lead in estimated_leads(measured)]] = np.nan
    after = measure_batch(as_recorded, simulation.fs_hz)
    outcomes = []
    for index, action in enumerate(actions):
        torsade = torsade_of(case, action)
        own = slice(index * k, (index + 1) * k)
        risks = tuple(
            judge_ecg(case, Ecg(samples, simulation.fs_hz, LEADS), sample, torsade, choice, changed=True)
            for samples, sample in zip(as_recorded[own], after[own], strict=True)
        )
        outcomes.append(
            Outcome(
                action,
                hours[index],
                tuple(after[own]),
                risks,
                simulation.support[index],
                torsade,
                simulation.doubts[index] if simulation.doubts else {},
            )
        )
    return outcomes


def pre_dose_risk(case: Case, choice: RiskChoice = BY_INTERVALS) -> EcgRisk:
    """Risk of the ECG as it is, without a new drug; nothing is said about change. Raises WeightsError."""
    ecg, measured = case.pre_dose()
    return judge_ecg(case, ecg, measured, torsade_of(case, GivenAction()), choice, changed=False)


def sample_given(measured: Measurement, risk: EcgRisk) -> SampleGiven:
    """The printable form of one ECG."""
    intervals, combined = risk.intervals, risk.combined
    return SampleGiven(
        intervals=interval_values(measured.intervals),
        not_measurable=dict(measured.not_measurable),
        risk=rounded(risk.value, 4),
        risk_components={component.name: round(component.risk, 4) for component in intervals.components},
        risk_unknown=dict(intervals.unknown),
        interval_risk=rounded(intervals.value, 4),
        label_risk=rounded(risk.label_risk, 4),
        labels={name: rounded(p, 4) for name, p in risk.labels.probabilities.items()},
        labels_unknown=dict(risk.labels.why),
        combined_risk=rounded(combined.value, 4),
        combined_unknown=combined.unknown,
    )


def values_of(outcome: Outcome) -> dict[str, list[float]]:
    """Each interval over the samples in which it could be measured, and RISKS."""
    pairs = zip(outcome.measurements, outcome.risks, strict=True)
    rows = [measured.intervals.as_dict() | _risks(risk) for measured, risk in pairs]
    values = {name: [row[name] for row in rows] for name in (*Intervals().as_dict(), *RISKS)}
    return {name: [value for value in column if value is not None] for name, column in values.items()}


def summarise(outcome: Outcome) -> dict[str, Summary | None]:
    """Mean, spread and quantiles of each interval and of the risks; None where no sample could be measured."""
    return {name: _summary(values, _digits(name)) for name, values in values_of(outcome).items()}


def changes(outcome: Outcome, before: dict[str, float | None]) -> dict[str, Delta | None]:
    """Change of each interval and of the risks from `before`; None where either side is not measurable."""
    result: dict[str, Delta | None] = {}
    for name, values in values_of(outcome).items():
        start = before.get(name)
        summary = None if start is None else _summary([value - start for value in values], _digits(name))
        doubt = rounded(outcome.doubt.get(name))
        result[name] = None if summary is None else Delta(doubt=doubt, **summary.model_dump(exclude={"q50"}))
    return result


def before_dose(case: Case, risk: EcgRisk) -> dict[str, float | None]:
    """Intervals and risks of the pre-dose ECG, unrounded: what changes are counted from."""
    _, measured = case.pre_dose()
    return measured.intervals.as_dict() | _risks(risk)


def why_not_measurable(outcome: Outcome) -> dict[str, str]:
    """For each interval and the risk: in how many samples it is missing, and the first reason."""
    k = len(outcome.measurements)
    reasons: dict[str, str] = {}
    for name in Intervals().as_dict():
        missing = [m for m in outcome.measurements if getattr(m.intervals, name) is None]
        if missing:
            reason = missing[0].not_measurable.get(name, "not measured")
            reasons[name] = f"in {len(missing)} of {k} samples: {reason}"
    risks = [_risks(risk) for risk in outcome.risks]
    for name in RISKS:
        blind = sum(risk[name] is None for risk in risks)
        if blind:
            reasons[name] = f"in {blind} of {k} samples: {_why_unknown(name, outcome)}"
    return reasons


def _risks(risk: EcgRisk) -> dict[str, float | None]:
    """By the names of RISKS."""
    return dict(
        zip(RISKS, (risk.value, risk.intervals.value, risk.label_risk, risk.combined.value), strict=True)
    )


def _why_unknown(name: str, outcome: Outcome) -> str:
    by_labels = name == "label_risk" or (name == "risk" and outcome.risks[0].chosen == "labels")
    unlabelled = next((risk.labels.why for risk in outcome.risks if risk.label_risk is None), {})
    return next(iter(unlabelled.values())) if by_labels else "neither QT nor rate could be measured"


def support_given(support: Support) -> SupportGiven:
    """The printable form of what the model says of its own ground."""
    return SupportGiven(
        in_distribution=support.in_distribution, score=round(support.score, 3), reasons=support.reasons
    )


def _summary(values: list[float], digits: int) -> Summary | None:
    if not values:
        return None
    q05, q50, q95 = (round(float(q), digits) for q in np.quantile(values, (0.05, 0.5, 0.95)))
    sd = round(float(np.std(values, ddof=1)), digits) if len(values) > 1 else None
    return Summary(
        mean=round(float(np.mean(values)), digits), sd=sd, q05=q05, q50=q50, q95=q95, n=len(values)
    )


def _digits(name: str) -> int:
    return 4 if name in RISKS else 1
