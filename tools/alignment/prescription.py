"""What was prescribed: judged by the mask as it was given, and placed among the candidates. Never dropped."""

from collections.abc import Sequence

from knowledge.doses import GivenAction, parse_action
from knowledge.drugs import Catalogue
from knowledge.errors import DoseError, UnknownDrugError
from knowledge.mask import Verdict
from tools.alignment.choices import nearest
from tools.alignment.episode import EpisodesError
from tools.alignment.record import PrescribedKept, Standing
from tools.case import Case
from tools.mask import judge_given, rule_fired
from tools.results import REFUSED


def judge_prescription(
    text: str, case: Case, verdicts: Sequence[Verdict], catalogue: Catalogue
) -> PrescribedKept:
    """Where a prescription stands, and why; verdicts: of the candidates. Raises EpisodesError where there is none."""
    if not text.strip():
        raise EpisodesError("The episode has no prescription.", 'Write "no drug" where nothing was given.')
    try:
        action = parse_action(text, catalogue)
    except (UnknownDrugError, DoseError) as error:
        why = f"{error.message}. {error.hint}".strip()
        return PrescribedKept(text=text, standing="not_among", why=why)
    (own,) = judge_given(case, [action], catalogue)
    choice = nearest(action, [verdict.action for verdict in verdicts])
    counts_as = next((verdict for verdict in verdicts if verdict.action == choice), None)
    refusing = next((v for v in (own, counts_as) if v is not None and v.verdict in REFUSED), None)
    standing: Standing = "ranked"
    why = ""
    if refusing is not None:
        standing = "blocked" if refusing.verdict == "blocked" else "cannot_evaluate"
        why = refusing.reason
    elif choice is None:
        standing, why = "not_among", f"{action} is none of the {len(verdicts)} candidates"
    return PrescribedKept(
        text=text,
        standing=standing,
        action=str(action),
        drugs=drugs_of(action),
        candidate=None if choice is None else str(choice),
        rules=tuple(rule_fired(rule) for rule in refusing.rules if rule.verdict in REFUSED)
        if refusing
        else (),
        why=why,
    )


def drugs_of(action: GivenAction) -> tuple[str, ...]:
    """The ids of its drugs, each once, sorted."""
    return tuple(sorted({dose.drug_id for dose in action.doses}))
