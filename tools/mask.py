"""Tool: the Clinical Action Space Mask, for actions, for all usual doses of drugs, or for a goal."""

from collections.abc import Sequence

from knowledge.candidates import candidates, judged_together
from knowledge.doses import GivenAction, parse_action
from knowledge.drugs import Catalogue, load_catalogue
from knowledge.errors import DoseError, UnknownDrugError
from knowledge.imported import load_imported
from knowledge.mask import FiredRule, Verdict, judge
from knowledge.rules import load_rules
from tools.case import Case
from tools.results import ActionGiven, Answer, DrugGiven, Result, RuleFired, VerdictName

SEVERITIES = {"B": "block", "W": "warning", "C": "caution", "I": "info"}


class VerdictGiven(Result):
    """The verdict on one action; missing: inputs that would have been needed. reason: in one sentence."""

    action: ActionGiven
    verdict: VerdictName
    rules: tuple[RuleFired, ...] = ()
    missing: tuple[str, ...] = ()
    reason: str = ""


class MaskResult(Answer):
    """One verdict for each action, in the order given; then those for `drugs` or `goal`."""

    verdicts: tuple[VerdictGiven, ...]


def mask_actions(
    case: Case, drugs: Sequence[str] = (), actions: Sequence[str] = (), goal: str | None = None
) -> MaskResult:
    """Judge `actions` ("verapamil 120 mg oral") and the usual doses of `drugs`, or of the drugs for `goal`.

    With none of the three: the drugs for the patient's own goal, or else every drug. An action that
    cannot be resolved is "cannot_evaluate" with the reason. Raises UnknownDrugError for `drugs` and `goal`.
    """
    catalogue = load_catalogue()
    given = [_resolve(text, catalogue) for text in actions]
    if drugs or goal or not actions:
        own = case.patient.goal if case.patient else None
        given += candidates(None if drugs else goal or own, drugs or None, catalogue)
    judged = iter(
        judge_given(case, [action for action in given if isinstance(action, GivenAction)], catalogue)
    )
    verdicts = tuple(
        verdict_given(next(judged), catalogue) if isinstance(action, GivenAction) else action
        for action in given
    )
    return MaskResult(verdicts=verdicts, warnings=case.warnings)


def mask_together(
    case: Case, drugs: Sequence[str] = (), goal: str | None = None, together: int = 2
) -> MaskResult:
    """Judge "no drug", the usual doses of `drugs` or of the drugs for `goal`, and combinations of up to `together`.

    Of each size the safest come first, and of combinations those that are refused are left out, and
    the longest lists cut (`knowledge.candidates.MOST`). Raises UnknownDrugError.
    """
    catalogue = load_catalogue()
    own = case.patient.goal if case.patient else None
    singles = candidates(None if drugs else goal or own, drugs or None, catalogue)
    judged = judged_together(singles, lambda actions: judge_given(case, actions, catalogue), together)
    verdicts = tuple(verdict_given(verdict, catalogue) for verdict in judged)
    return MaskResult(verdicts=verdicts, warnings=case.warnings)


def judge_given(case: Case, actions: Sequence[GivenAction], catalogue: Catalogue) -> list[Verdict]:
    """The mask's verdicts on actions that are already understood, in order."""
    return judge(actions, case.patient, case.findings, catalogue, load_rules(), load_imported(catalogue))


def verdict_given(verdict: Verdict, catalogue: Catalogue) -> VerdictGiven:
    """The printable form of a verdict."""
    return VerdictGiven(
        action=action_given(verdict.action, catalogue),
        verdict=verdict.verdict,
        rules=tuple(rule_fired(rule) for rule in verdict.rules),
        missing=tuple(verdict.missing),
        reason=verdict.reason,
    )


def rule_fired(rule: FiredRule) -> RuleFired:
    """The printable form of a rule that spoke."""
    return RuleFired(
        id=rule.id,
        severity=SEVERITIES[rule.severity],
        text=rule.text,
        source=rule.source,
        evidence=dict(rule.evidence),
        missing=rule.missing,
    )


def action_given(action: GivenAction, catalogue: Catalogue) -> ActionGiven:
    """The printable form of an action."""
    return ActionGiven.of(action, {drug.id: drug.name for drug in catalogue})


def _resolve(text: str, catalogue: Catalogue) -> GivenAction | VerdictGiven:
    try:
        return parse_action(text, catalogue)
    except (UnknownDrugError, DoseError) as error:
        unresolved = ActionGiven(drugs=(DrugGiven(name=text, dose=None, route=None),), text=text)
        end = "" if error.message.endswith("?") else "."
        reason = f"{error.message}{end} {error.hint}".strip()
        return VerdictGiven(action=unresolved, verdict="cannot_evaluate", reason=reason)
