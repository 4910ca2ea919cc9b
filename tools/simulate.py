"""Tool: post-dose ECGs for one or more actions. The mask is asked again here, in code."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import PrivateAttr

from knowledge.doses import parse_action
from knowledge.drugs import Catalogue, load_catalogue
from knowledge.mask import Verdict
from tools.case import Case
from tools.errors import SafetyRefusal
from tools.mask import VerdictGiven, judge_given, verdict_given
from tools.model import model_used, shared_model
from tools.outcomes import (
    Delta,
    Outcome,
    Progress,
    SampleGiven,
    Summary,
    before_dose,
    changes,
    pre_dose_risk,
    sample_given,
    simulate_outcomes,
    summarise,
    support_given,
    why_not_measurable,
)
from tools.results import REFUSED, ActionGiven, Answer, ModelUsed, Result, SupportGiven
from worldmodel.model import Simulation, WorldModel

REFUSALS_TOLD = 3


class ActionSimulated(Result):
    """One action: K samples at `hours` after the dose, and what they say together."""

    action: ActionGiven
    verdict: VerdictGiven
    hours: float
    seed: int
    samples: tuple[SampleGiven, ...]
    summary: dict[str, Summary | None]
    delta: dict[str, Delta | None]
    not_measurable: dict[str, str]
    support: SupportGiven
    files: tuple[str, ...] = ()


class SimulateResult(Answer):
    """One entry for each action, in order; `pre` is the ECG that changes are counted from."""

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
) -> SimulateResult:
    """K post-dose ECGs for each action ("verapamil 120 mg oral", "no drug"), `hours` after it was given.

    hours None: when the slowest drug of the action peaks. out: a folder for WFDB records and plots.
    Raises SafetyRefusal where the mask blocks an action or cannot evaluate it, UnknownDrugError,
    DoseError, MissingInputError, NotSimulatableError, WeightsError, OutputError.
    """
    case.pre_dose()
    catalogue = load_catalogue()
    given = [parse_action(text, catalogue) for text in actions]
    verdicts = judge_given(case, given, catalogue)
    refuse_forbidden(verdicts, catalogue)
    model = model or shared_model()
    outcomes, simulation = simulate_outcomes(
        case, given, catalogue, hours=hours, k=k, seed=seed, model=model, progress=progress
    )
    files = [()] * len(given) if out is None else _write(out, case, outcomes, simulation, seed)
    result = SimulateResult(
        pre=sample_given(case.pre_dose()[1], pre_dose_risk(case)),
        actions=tuple(
            _action_simulated(case, outcome, verdict_given(verdict, catalogue), written, seed)
            for outcome, verdict, written in zip(outcomes, verdicts, files, strict=True)
        ),
        model=model_used(model.info),
        warnings=case.warnings,
    )
    result._waveforms = simulation
    return result


def refuse_forbidden(verdicts: Sequence[Verdict], catalogue: Catalogue) -> None:
    """Raises SafetyRefusal for the first action that is blocked or cannot be evaluated."""
    for verdict in verdicts:
        if verdict.verdict in REFUSED:
            given = verdict_given(verdict, catalogue)
            what = "is blocked" if given.verdict == "blocked" else "cannot be evaluated"
            why = _decisive(given)
            hint = (
                f"Add to the patient file: {', '.join(given.missing)}."
                if given.missing
                else "It is not simulated. See `ecgwm-agent mask` for the rules and what is allowed."
            )
            raise SafetyRefusal(f"{given.action.text} {what}: {why}", hint)


def _decisive(verdict: VerdictGiven) -> str:
    """The first of the rules that refuse it, with how many more there are; the mask's own sentence where none does."""
    undecided = verdict.verdict == "cannot_evaluate"
    rules = [rule for rule in verdict.rules if rule.severity == "block" and bool(rule.missing) == undecided]
    told = [f"{rule.text} [{rule.id}]" for rule in rules[:REFUSALS_TOLD]]
    more = [f"{len(rules) - len(told)} more rules"] if len(rules) > len(told) else []
    return "; ".join([*told, *more]) or verdict.reason


def _action_simulated(
    case: Case, outcome: Outcome, verdict: VerdictGiven, files: tuple[str, ...], seed: int
) -> ActionSimulated:
    return ActionSimulated(
        action=verdict.action,
        verdict=verdict,
        hours=outcome.hours,
        seed=seed,
        samples=tuple(map(sample_given, outcome.measurements, outcome.risks)),
        summary=summarise(outcome),
        delta=changes(outcome, before_dose(case)),
        not_measurable=why_not_measurable(outcome),
        support=support_given(outcome.support),
        files=files,
    )


def _write(
    out: Path, case: Case, outcomes: Sequence[Outcome], simulation: Simulation, seed: int
) -> list[tuple[str, ...]]:
    from tools.files import write_simulated

    pre, _ = case.pre_dose()
    return [
        write_simulated(
            out, pre, str(outcome.action), outcome.hours, seed, simulation.samples_mv[index], simulation.fs_hz
        )
        for index, outcome in enumerate(outcomes)
    ]
