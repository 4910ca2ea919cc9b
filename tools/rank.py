"""Tool: candidates through mask, simulation, risk and score, best first; "no drug" is always among them."""

from collections.abc import Sequence

from pydantic import Field, PrivateAttr

from knowledge.candidates import ALL
from knowledge.doses import GivenAction
from knowledge.drugs import load_catalogue
from tools.case import Case
from tools.circumstances import TisdaleGiven, tisdale_given
from tools.goals import USUAL_GOALS, GoalJudged, candidates_for, goal_named, judge_goal, shows_in_ecg
from tools.judging import BY_INTERVALS, EcgRisk, RiskChoice
from tools.mask import VerdictGiven, judge_given, verdict_given
from tools.model import model_used, shared_model
from tools.outcomes import (
    RISKS,
    Outcome,
    Progress,
    SampleGiven,
    before_dose,
    changes,
    pre_dose_risk,
    sample_given,
    simulate_outcomes,
    summarise,
    support_given,
    why_not_measurable,
)
from tools.reasons import reasons_for
from tools.results import (
    REFUSED,
    ActionGiven,
    Answer,
    ModelUsed,
    Result,
    RiskUsed,
    RuleFired,
    SupportGiven,
    VerdictName,
    rounded,
)
from worldmodel.model import Simulation, WorldModel
from worldmodel.scoring import LAMBDA, K, RiskName, mean_and_spread, score

ORDER = (
    "where an ECG can show the goal: reached in at least half of the samples before not reached",
    "allowed and caution before warning",
    "risk judged in full before a risk that is only a lower bound",
    "then by score, lower first",
)


class RiskSpread(Result):
    """Mean and SD of a risk over the samples; sd null where one sample cannot tell."""

    mean: float
    sd: float | None


class RankedAction(Result):
    """One row. intervals: mean over the samples; delta: their mean change from the pre-dose ECG.

    risk_mean, risk_sd, score: of the chosen risk; risks: of all three. lower_bound: too few samples show what the
    pre-dose ECG shows, so the risk may be higher. tisdale: of this patient with what is given.
    """

    rank: int
    action: ActionGiven
    hours: float
    score: float | None
    risk_mean: float | None
    risk_sd: float | None
    delta_risk: float | None
    risks: dict[RiskName, RiskSpread | None]
    lower_bound: bool
    lambda_: float = Field(serialization_alias="lambda")
    k: int
    goal: GoalJudged | None
    intervals: dict[str, float | None]
    delta: dict[str, float | None]
    not_measurable: dict[str, str]
    verdict: VerdictName
    rules: tuple[RuleFired, ...]
    reasons: tuple[str, ...]
    support: SupportGiven
    tisdale: TisdaleGiven


class RankResult(Answer):
    """ranking: best first, "no drug" among it and again as `reference`. excluded: what the mask refuses.

    pre: the ECG that changes are counted from. judged_by: the risk that was chosen.
    """

    goal: str | None
    judged_by: RiskUsed
    seed: int
    pre: SampleGiven
    order: tuple[str, ...] = ORDER
    ranking: tuple[RankedAction, ...]
    excluded: tuple[VerdictGiven, ...]
    reference: RankedAction
    model: ModelUsed
    _waveforms: Simulation = PrivateAttr()
    _rows: dict[str, int] = PrivateAttr()

    @property
    def waveforms(self) -> Simulation:
        """The simulated ECGs, (action, sample, lead, time), in the order they were simulated in."""
        return self._waveforms

    def row_in_waveforms(self, row: RankedAction) -> int:
        """Which action of `waveforms` a row of the ranking is."""
        return self._rows[row.action.text]


def rank_candidates(
    case: Case,
    goal: str | None = None,
    drugs: Sequence[str] = (),
    k: int = K,
    lambda_: float = LAMBDA,
    seed: int = 0,
    hours: float | None = None,
    model: WorldModel | None = None,
    progress: Progress | None = None,
    choice: RiskChoice = BY_INTERVALS,
) -> RankResult:
    """Rank the usual doses of `drugs`, or of those for `goal` (None: the patient's own; else USUAL_GOALS).

    hours None: each drug is looked at when its effect peaks. choice: the risk to score by. The order is ORDER: risk
    alone would prefer the drug that does nothing. Raises MissingInputError, UnknownDrugError, NotSimulatableError,
    WeightsError.
    """
    before = pre_dose_risk(case, choice)
    catalogue = load_catalogue()
    goal = goal or (case.patient.goal if case.patient else None)
    goal = goal_named(goal, catalogue) if goal else None
    given = [GivenAction(), *candidates_for(goal, drugs, catalogue)]
    verdicts = judge_given(case, given, catalogue)
    model = model or shared_model()
    # "no drug" is the reference, whatever the mask lacks to judge it by
    safe = [verdict for verdict in verdicts if not verdict.action.doses or verdict.verdict not in REFUSED]
    outcomes, simulation = simulate_outcomes(
        case,
        [v.action for v in safe],
        catalogue,
        hours=hours,
        k=k,
        seed=seed,
        model=model,
        progress=progress,
        choice=choice,
    )
    rows = [
        _row(case, outcome, verdict_given(verdict, catalogue), before, goal, lambda_)
        for outcome, verdict in zip(outcomes, safe, strict=True)
    ]
    ranking = tuple(
        row.model_copy(update={"rank": place}) for place, row in enumerate(sorted(rows, key=_order), start=1)
    )
    result = RankResult(
        goal=goal,
        judged_by=choice.used(),
        seed=seed,
        pre=sample_given(case.pre_dose()[1], before),
        ranking=ranking,
        excluded=tuple(
            verdict_given(v, catalogue) for v in verdicts if v.action.doses and v.verdict in REFUSED
        ),
        reference=next(row for row in ranking if not row.action.drugs),
        model=model_used(model.info),
        warnings=(*case.warnings, *_doubts(goal, drugs), *_ties(case, goal, ranking)),
    )
    result._waveforms = simulation
    result._rows = {row.action.text: index for index, row in enumerate(rows)}
    return result


def _row(
    case: Case, outcome: Outcome, verdict: VerdictGiven, before: EcgRisk, goal: str | None, lambda_: float
) -> RankedAction:
    known = [risk for risk in outcome.risks if risk.value is not None]
    full = [risk for risk in known if before.judged <= risk.judged]  # what was lost is not normal
    enough = len(full) >= min(2, len(outcome.risks))  # a single one of several would hide their spread
    risks = full if enough else known
    values = [risk.value for risk in risks if risk.value is not None]
    spread = mean_and_spread(values) if values else None
    change = None if spread is None or before.value is None else spread.mean - before.value
    return RankedAction(
        rank=0,
        action=verdict.action,
        hours=outcome.hours,
        score=rounded(score(spread, lambda_), 4) if spread else None,
        risk_mean=rounded(spread.mean, 4) if spread else None,
        risk_sd=rounded(spread.sd, 4) if spread else None,
        delta_risk=rounded(change, 4),
        risks={name: _spread([risk.by_name()[name] for risk in risks]) for name in before.by_name()},
        lower_bound=not enough,
        lambda_=lambda_,
        k=len(outcome.risks),
        goal=None if goal in (None, ALL) else judge_goal(goal, outcome.measurements),
        intervals={
            name: s.mean if s else None for name, s in summarise(outcome).items() if name not in RISKS
        },
        delta={
            name: d.mean if d else None
            for name, d in changes(outcome, before_dose(case, before)).items()
            if name not in RISKS
        },
        not_measurable=why_not_measurable(outcome),
        verdict=verdict.verdict,
        rules=verdict.rules,
        reasons=reasons_for(outcome, before, verdict.rules, case.context.female),
        support=support_given(outcome.support),
        tisdale=tisdale_given(outcome.torsade),
    )


def _spread(risks: Sequence[float | None]) -> RiskSpread | None:
    known = [risk for risk in risks if risk is not None]
    if not known:
        return None
    spread = mean_and_spread(known)
    return RiskSpread(mean=round(spread.mean, 4), sd=rounded(spread.sd, 4))


def _order(row: RankedAction) -> tuple[bool, bool, bool, float, bool, str]:
    """ORDER as a sort key; of equals, "no drug" first."""
    misses = (
        row.goal is not None and shows_in_ecg(row.goal.name) and (row.goal.attained_probability or 0.0) < 0.5
    )
    worst = float("inf") if row.score is None else row.score
    return (misses, row.verdict == "warning", row.lower_bound, worst, bool(row.action.drugs), row.action.text)


def _ties(case: Case, goal: str | None, ranking: Sequence[RankedAction]) -> list[str]:
    """Why the first row may be no better than doing nothing."""
    told = []
    _, before = case.pre_dose()
    if goal is not None and shows_in_ecg(goal) and judge_goal(goal, [before]).attained_probability == 1.0:
        told.append(f"The ECG before the dose already meets the goal of {goal}.")
    first, none = ranking[0], next(row for row in ranking if not row.action.drugs)
    if first is none or first.risk_mean is None or none.risk_mean is None:
        return told
    spread = max(first.risk_sd or 0.0, none.risk_sd or 0.0)
    same_goal = first.goal is None or none.goal is None or first.goal == none.goal
    if same_goal and abs(first.risk_mean - none.risk_mean) <= spread:
        told.append(f"{first.action.text} and no drug differ in risk by no more than their spread.")
    return told


def _doubts(goal: str | None, drugs: Sequence[str]) -> tuple[str, ...]:
    """Why the order may not be what the user wants."""
    if goal is not None and shows_in_ecg(goal):
        return ()
    why = "No goal is given" if goal in (None, ALL) else f"No simulated ECG can show {goal}"
    by_risk = f"{why}, so the order is by risk alone, which prefers what does nothing."
    chosen = f"Ranked are the drugs for {' and '.join(USUAL_GOALS)}; choose with --goal or --drug."
    return (by_risk,) if goal or drugs else (by_risk, chosen)
