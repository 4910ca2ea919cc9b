"""What would have to change so that a refused action is allowed: single changes tried on a copy of the patient.

The mask itself judges each copy; nothing is taken from the rules' text. What no change here lifts is said, too.
"""

from collections.abc import Callable, Iterator, Sequence

from agent.assumptions import Assumptions, Lab, suppose
from agent.state import Json
from knowledge.errors import PatientFileError
from knowledge.patient import Patient
from tools.mask import VerdictGiven

# Values that no rule on that lab objects to, to be tried; they are no targets for treatment.
TRIED_LABS = {"potassium": (4.5, "mmol/L"), "magnesium": (0.9, "mmol/L"), "calcium": (2.4, "mmol/L")}
Judge = Callable[[Patient], Sequence[VerdictGiven]]


def what_would_allow(patient: Patient | None, verdicts: Sequence[VerdictGiven], judge: Judge) -> Json:
    """For the refused among the verdicts: which change lifts which rule, and what all of them together leave.

    {} where nothing is refused, or no record is there to change.
    """
    if patient is None or not (before := _refusing(verdicts)):
        return {}
    changes: list[Json] = []
    useful: list[Assumptions] = []
    for assumed in _changes(patient):
        try:
            changed, told = suppose(patient, assumed)
        except PatientFileError:  # a copy that cannot be is no change
            continue
        if lifted := before - _refusing(judge(changed)):
            changes.append({"change": told, "lifts": sorted(lifted)})
            useful.append(assumed)
    if not changes:
        return {"changes": [], "left": sorted(before)}
    together, _ = suppose(patient, _together(useful))
    return {"changes": changes, "left": sorted(_refusing(judge(together)))}


def _changes(patient: Patient) -> Iterator[Assumptions]:
    for name, (value, unit) in TRIED_LABS.items():
        yield Assumptions(labs=[Lab(name=name, value=value, unit=unit)])
    for taken in patient.medications or ():
        yield Assumptions(stops=[taken.name])


def _together(changes: Sequence[Assumptions]) -> Assumptions:
    return Assumptions(
        labs=[lab for change in changes for lab in change.labs],
        stops=[name for change in changes for name in change.stops],
    )


def _refusing(verdicts: Sequence[VerdictGiven]) -> set[str]:
    """The rules that block, or cannot be decided and might, in any of the verdicts."""
    refused = (v for v in verdicts if v.verdict in ("blocked", "cannot_evaluate"))
    return {rule.id for verdict in refused for rule in verdict.rules if rule.severity == "block"}
