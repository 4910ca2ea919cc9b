"""Tool: post-dose ECGs for one or more actions. The mask is asked again here, in code."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import PrivateAttr

from knowledge.doses import GivenAction, parse_action
from knowledge.drugs import Catalogue, load_catalogue
from knowledge.mask import Verdict
from knowledge.policy import NOT_SIMULATED
from tools.case import Case
from tools.circumstances import TisdaleGiven, tisdale_given
from tools.errors import SafetyRefusal
from tools.exposure import action_of
from tools.judging import BY_INTERVALS, EcgRisk, RiskChoice
from tools.mask import VerdictGiven, judge_given, verdict_given
from tools.model import model_used, shared_model
from tools.observed import Observed, observed_ecgs, on_common_leads
from tools.outcomes import (
    Delta,
    Outcome,
    Progress,
    SampleGiven,
    Summary,
    before_dose,
    changes,
    judge_outcomes,
    pre_dose_risk,
    sample_given,
    simulate_outcomes,
    summarise,
    support_given,
    why_not_measurable,
)
from tools.results import ActionGiven, Answer, ModelUsed, Result, RiskUsed, SupportGiven
from worldmodel.model import Simulation, WorldModel
from worldmodel.pharmacology import Action

REFUSALS_TOLD = 3


class ActionSimulated(Result):
    """One action: K samples at `hours` after the dose, and what they say together.

    Of doses given one after the other `hours` count from the first, hours_after_last_dose from the last.
    """

    action: ActionGiven
    verdict: VerdictGiven
    hours: float
    hours_after_last_dose: float
    seed: int
    samples: tuple[SampleGiven, ...]
    summary: dict[str, Summary | None]
    delta: dict[str, Delta | None]
    not_measurable: dict[str, str]
    support: SupportGiven
    tisdale: TisdaleGiven
    files: tuple[str, ...] = ()

    @property
    def when(self) -> str:
        """In words."""
        return when_told(self.hours, self.hours_after_last_dose)


class SimulateResult(Answer):
    """One entry for each action, in order; `pre` is the ECG that changes are counted from, `judged_by` whose risk."""

    judged_by: RiskUsed
    pre: SampleGiven
    actions: tuple[ActionSimulated, ...]
    model: ModelUsed
    _waveforms: Simulation = PrivateAttr()

    @property
    def waveforms(self) -> Simulation:
        """The simulated ECGs themselves, (action, sample, lead, time)."""
        return self._waveforms


def simulate_actions(
    case: Case,
    actions: Sequence[str],
    hours: float | None = None,
    k: int = 3,
    seed: int = 0,
    model: WorldModel | None = None,
    out: Path | None = None,
    progress: Progress | None = None,
    observed: Sequence[Observed] = (),
    choice: RiskChoice = BY_INTERVALS,
    approved: Collection[str] = (),
) -> SimulateResult:
    """K post-dose ECGs for each action ("verapamil 120 mg oral", "no drug"), `hours` after it was given.

    hours None: when the slowest drug of the action peaks. out: a folder for WFDB records and plots. observed: ECGs of
    this person on a drug, which the simulated people then fit to. choice: the risk to go by. approved: blocked actions,
    as a verdict spells them, that a person has approved for research; each is simulated with a warning beside it.
    An action that the mask cannot evaluate is simulated as a what-if, with its verdict and a warning beside it.
    Raises SafetyRefusal where the mask blocks an action, UnknownDrugError, DoseError, MissingInputError,
    NotSimulatableError, WeightsError, OutputError.
    """
    catalogue = load_catalogue()
    given = [parse_action(text, catalogue) for text in actions]
    asked = _ask_mask(case, given, catalogue, observed, choice, approved)
    model = model or shared_model()
    outcomes, simulation = simulate_outcomes(
        case,
        given,
        catalogue,
        hours=hours,
        k=k,
        seed=seed,
        model=model,
        progress=progress,
        observed=observed_ecgs(asked.observed, actions, catalogue),
        choice=choice,
    )
    return _result(asked, outcomes, [outcome.hours for outcome in outcomes], simulation, seed, model, out)


def roll_out(
    case: Case,
    steps: Sequence[str],
    hours: float | None = None,
    k: int = 3,
    seed: int = 0,
    model: WorldModel | None = None,
    out: Path | None = None,
    progress: Progress | None = None,
    observed: Sequence[Observed] = (),
    choice: RiskChoice = BY_INTERVALS,
) -> SimulateResult:
    """K courses through actions given one after the other; one entry for each step, with all that was given so far.

    hours: from each dose to the next (to the ECG, after the last); None: until the slowest drug of the step peaks.
    The mask judges each step with all that was given before. Raises as simulate_actions does.
    """
    catalogue = load_catalogue()
    given = [parse_action(text, catalogue) for text in steps]
    so_far = [
        GivenAction(doses=tuple(dose for step in given[: i + 1] for dose in step.doses))
        for i in range(len(given))
    ]
    asked = _ask_mask(case, so_far, catalogue, observed, choice)
    model = model or shared_model()
    actions = [action_of(step, catalogue, hours) for step in given]
    simulation = model.roll_out(
        *case.pre_dose(),
        actions,
        case.context,
        k,
        seed,
        progress,
        observed=observed_ecgs(asked.observed, steps, catalogue),
    )
    clock, since_last = _clocks(actions)
    outcomes = judge_outcomes(case, so_far, clock, simulation, k, choice)
    return _result(asked, outcomes, since_last, simulation, seed, model, out)


@dataclass(frozen=True)
class _Asked:
    """Actions that the mask lets be simulated, and the ECGs they are counted from. warnings: of what was observed."""

    case: Case
    catalogue: Catalogue
    verdicts: Sequence[Verdict]
    observed: Sequence[Observed]
    before: EcgRisk
    choice: RiskChoice
    warnings: Sequence[str]


def _ask_mask(
    case: Case,
    given: Sequence[GivenAction],
    catalogue: Catalogue,
    observed: Sequence[Observed],
    choice: RiskChoice,
    approved: Collection[str] = (),
) -> _Asked:
    """Raises SafetyRefusal for what is blocked and not approved, MissingInputError, WeightsError."""
    case.pre_dose()
    verdicts = judge_given(case, given, catalogue)
    refuse_blocked(verdicts, catalogue, approved)
    observed, warnings = on_common_leads(observed, case)
    return _Asked(case, catalogue, verdicts, observed, pre_dose_risk(case, choice), choice, warnings)


def _clocks(steps: Sequence[Action]) -> tuple[list[float], list[float]]:
    """Hours at the end of each step, since the first step began and since the last dose; "no drug" is no dose."""
    now = dosed = 0.0
    since_first, since_last = [], []
    for step in steps:
        dosed = now if step.drugs else dosed
        now += step.hours
        since_first.append(round(now, 6))
        since_last.append(round(now - dosed, 6))
    return since_first, since_last


def when_told(hours: float, hours_after_last_dose: float) -> str:
    """When an ECG is simulated, in words; of a chain from its first action and from its last dose."""
    if hours == hours_after_last_dose:
        return f"{hours:g} h after the dose"
    return f"{hours:g} h after the first action, {hours_after_last_dose:g} h after the last dose"


def _result(
    asked: _Asked,
    outcomes: Sequence[Outcome],
    since_last: Sequence[float],
    simulation: Simulation,
    seed: int,
    model: WorldModel,
    out: Path | None,
) -> SimulateResult:
    case, catalogue = asked.case, asked.catalogue
    files = [()] * len(outcomes) if out is None else _write(out, case, outcomes, since_last, simulation, seed)
    parts = zip(outcomes, since_last, asked.verdicts, files, strict=True)
    result = SimulateResult(
        judged_by=asked.choice.used(),
        pre=sample_given(case.pre_dose()[1], asked.before),
        actions=tuple(
            _action_simulated(asked, outcome, last_h, verdict_given(verdict, catalogue), written, seed)
            for outcome, last_h, verdict, written in parts
        ),
        model=model_used(model.info),
        warnings=(*case.warnings, *asked.warnings, *_what_ifs(asked.verdicts, catalogue)),
    )
    result._waveforms = simulation
    return result


def refuse_blocked(verdicts: Sequence[Verdict], catalogue: Catalogue, approved: Collection[str] = ()) -> None:
    """Raises SafetyRefusal for the first action that is blocked and that no person has approved for research."""
    for verdict in verdicts:
        given = verdict_given(verdict, catalogue)
        if verdict.verdict in NOT_SIMULATED and given.action.text not in approved:
            raise SafetyRefusal(
                f"{given.action.text} is blocked: {_decisive(given)}",
                "It is not simulated. See `ecgwm-agent mask` for the rules and what is allowed.",
            )


def _decisive(verdict: VerdictGiven) -> str:
    """The first of the rules that block it, with how many more there are; the mask's own sentence where none does."""
    rules = [rule for rule in verdict.rules if rule.severity == "block" and not rule.missing]
    told = [f"{rule.text} [{rule.id}]" for rule in rules[:REFUSALS_TOLD]]
    more = [f"{len(rules) - len(told)} more rules"] if len(rules) > len(told) else []
    return "; ".join([*told, *more]) or verdict.reason


def _what_ifs(verdicts: Sequence[Verdict], catalogue: Catalogue) -> list[str]:
    """A warning for each action that the mask could not judge, or that it blocks and a person has approved."""
    told = {
        "cannot_evaluate": "a what-if only, the mask cannot evaluate it without {}.",
        "blocked": "BLOCKED by the mask; simulated for research only, after a person's approval.",
    }
    given = (verdict_given(v, catalogue) for v in verdicts if v.verdict in told)
    return [f"{v.action.text}: {told[v.verdict].format(', '.join(v.missing))}" for v in given]


def _action_simulated(
    asked: _Asked,
    outcome: Outcome,
    last_h: float,
    verdict: VerdictGiven,
    files: tuple[str, ...],
    seed: int,
) -> ActionSimulated:
    return ActionSimulated(
        action=verdict.action,
        verdict=verdict,
        hours=outcome.hours,
        hours_after_last_dose=last_h,
        seed=seed,
        samples=tuple(map(sample_given, outcome.measurements, outcome.risks)),
        summary=summarise(outcome),
        delta=changes(outcome, before_dose(asked.case, asked.before)),
        not_measurable=why_not_measurable(outcome),
        support=support_given(outcome.support),
        tisdale=tisdale_given(outcome.torsade),
        files=files,
    )


def _write(
    out: Path,
    case: Case,
    outcomes: Sequence[Outcome],
    since_last: Sequence[float],
    simulation: Simulation,
    seed: int,
) -> list[tuple[str, ...]]:
    from tools.files import write_simulated

    pre, _ = case.pre_dose()
    return [
        write_simulated(
            out,
            pre,
            str(outcome.action),
            outcome.hours,
            seed,
            samples_mv,
            simulation.fs_hz,
            when_told(outcome.hours, last_h),
        )
        for outcome, last_h, samples_mv in zip(outcomes, since_last, simulation.samples_mv, strict=True)
    ]
