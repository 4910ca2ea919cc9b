"""Simulated post-dose ECGs as numbers: each sample measured and judged, and what they say together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from knowledge.doses import GivenAction
from knowledge.drugs import Catalogue
from tools.case import Case
from tools.exposure import action_of
from tools.results import Result, SupportGiven, interval_values, rounded
from worldmodel.delineation.measure import measure_batch
from worldmodel.ecg import LEADS
from worldmodel.labels.model import judge_labels
from worldmodel.labels.pooling import label_risk
from worldmodel.leads import estimated_leads
from worldmodel.measurement import Intervals, Measurement
from worldmodel.model import Simulation, WorldModel
from worldmodel.risk import Risk, combined_risk, interval_risk
from worldmodel.seeing import ObservedEcg
from worldmodel.support import Support

Progress = Callable[[float], None]


class SampleGiven(Result):
    """One ECG in numbers. risk is null where it cannot be judged, a lower bound where something is unknown.

    risk_components: the risk that each hazard would be alone; risk_unknown: why others could not be judged. label_risk:
    of the 17 labels, pooled by sign and severity, without what the intervals judge already; combined_risk: of both.
    """

    intervals: dict[str, float | None]
    not_measurable: dict[str, str]
    risk: float | None
    risk_components: dict[str, float]
    risk_unknown: dict[str, str]
    label_risk: float | None = None
    combined_risk: float | None = None


class Summary(Result):
    """Over the samples in which it could be measured, `n` of them; sd null where one sample cannot tell."""

    mean: float
    sd: float | None
    q05: float
    q50: float
    q95: float
    n: int


class Delta(Result):
    """Change from the pre-dose ECG, over the `n` samples in which both could be measured."""

    mean: float
    sd: float | None
    q05: float
    q95: float
    n: int


@dataclass(frozen=True)
class Outcome:
    """What the world model says of one action: K measured samples and the risk of each."""

    action: GivenAction
    hours: float
    measurements: tuple[Measurement, ...]
    risks: tuple[Risk, ...]
    support: Support


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
) -> tuple[list[Outcome], Simulation]:
    """Simulate all actions x K samples in one batch, measure all in another, judge each by its change.

    observed: ECGs of this person on drugs. The caller has asked the mask. Raises MissingInputError,
    NotSimulatableError, WeightsError.
    """
    pre, measured = case.pre_dose()
    given = [action_of(action, catalogue, hours) for action in actions]
    simulation = model.simulate(pre, measured, given, case.context, k, seed, progress, observed=observed)
    looked_at = [action.hours for action in given]
    return judge_outcomes(case, actions, looked_at, simulation, k), simulation


def judge_outcomes(
    case: Case, actions: Sequence[GivenAction], hours: Sequence[float], simulation: Simulation, k: int
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
        own = tuple(after[index * k : (index + 1) * k])
        risks = tuple(post_dose_risk(case, sample) for sample in own)
        outcomes.append(Outcome(action, hours[index], own, risks, simulation.support[index]))
    return outcomes


def pre_dose_risk(case: Case) -> Risk:
    """Risk of the ECG as it is; nothing is said about change."""
    _, measured = case.pre_dose()
    return _risk(case, measured, None)


def post_dose_risk(case: Case, after: Measurement) -> Risk:
    """Risk of a simulated ECG and of its change from the pre-dose one."""
    _, measured = case.pre_dose()
    return _risk(case, after, measured.intervals)


def _risk(case: Case, measured: Measurement, before: Intervals | None) -> Risk:
    return interval_risk(
        measured.intervals,
        before,
        female=case.context.female,
        rhythm=case.pre_dose()[1].rhythm.label,  # which a simulation keeps
        not_measurable=measured.not_measurable,
    )


def sample_given(measured: Measurement, risk: Risk) -> SampleGiven:
    """The printable form of one simulated ECG."""
    labels = label_risk(judge_labels(measured), [component.name for component in risk.components])
    return SampleGiven(
        intervals=interval_values(measured.intervals),
        not_measurable=dict(measured.not_measurable),
        risk=rounded(risk.value, 4),
        risk_components={component.name: round(component.risk, 4) for component in risk.components},
        risk_unknown=dict(risk.unknown),
        label_risk=rounded(labels, 4),
        combined_risk=rounded(combined_risk({"intervals": risk.value, "labels": labels}).value, 4),
    )


def values_of(outcome: Outcome) -> dict[str, list[float]]:
    """Each interval over the samples in which it could be measured, and the risk."""
    rows = [measured.intervals.as_dict() for measured in outcome.measurements]
    values = {name: [row[name] for row in rows] for name in Intervals().as_dict()}
    values["risk"] = [risk.value for risk in outcome.risks]
    return {name: [value for value in column if value is not None] for name, column in values.items()}


def summarise(outcome: Outcome) -> dict[str, Summary | None]:
    """Mean, spread and quantiles of each interval and of the risk; None where no sample could be measured."""
    return {name: _summary(values, _digits(name)) for name, values in values_of(outcome).items()}


def changes(outcome: Outcome, before: dict[str, float | None]) -> dict[str, Delta | None]:
    """Change of each interval and of the risk from `before`; None where either side is not measurable."""
    result: dict[str, Delta | None] = {}
    for name, values in values_of(outcome).items():
        start = before.get(name)
        summary = None if start is None else _summary([value - start for value in values], _digits(name))
        result[name] = None if summary is None else Delta(**summary.model_dump(exclude={"q50"}))
    return result


def before_dose(case: Case) -> dict[str, float | None]:
    """Intervals and risk of the pre-dose ECG, unrounded: what changes are counted from."""
    _, measured = case.pre_dose()
    return measured.intervals.as_dict() | {"risk": pre_dose_risk(case).value}


def why_not_measurable(outcome: Outcome) -> dict[str, str]:
    """For each interval and the risk: in how many samples it is missing, and the first reason."""
    k = len(outcome.measurements)
    reasons: dict[str, str] = {}
    for name in Intervals().as_dict():
        missing = [m for m in outcome.measurements if getattr(m.intervals, name) is None]
        if missing:
            reason = missing[0].not_measurable.get(name, "not measured")
            reasons[name] = f"in {len(missing)} of {k} samples: {reason}"
    blind = sum(risk.value is None for risk in outcome.risks)
    if blind:
        reasons["risk"] = f"in {blind} of {k} samples: neither QT nor rate could be measured"
    return reasons


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
    return 4 if name == "risk" else 1
