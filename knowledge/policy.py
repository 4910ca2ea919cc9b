"""The policy of the mask, all of it: what each severity leads to, and what an unknown does.

Severities: B contraindicated or by policy never suggested; W strong warning, needs a person's
override; C caution, watch; I for information.

1. A rule that holds gives the verdict of its severity; the gravest wins.
2. A rule that cannot be decided counts as if it held, except that B gives `cannot_evaluate`: the drug
   is refused until the missing value is known. So an unknown never makes a verdict safer than the
   values it could have.
3. When all that is missing is a whole list, an undecided B gives a warning (no diagnoses or no medications
   in the patient file) or a caution (no allergies), else no drug could be given to anyone without a
   complete file. Drugs whose use hangs on these lists (antiarrhythmics, intravenous AV-nodal drugs) have
   rules of kind `data` that need them, and are refused.
4. A list that is given is complete: what it does not hold is not the case (`knowledge.chart`).
5. Both `blocked` and `cannot_evaluate` keep an action from being ranked among the choices. A blocked action is not
   simulated either. One that cannot be evaluated may be simulated when somebody asks for it by name: a question
   about an ECG without a patient file has an answer, and the answer says that the mask could not judge.
6. What nobody measured and nothing points to (an ejection fraction, a blood pressure before a tablet) is a caution
   that names it, not a refusal. Beside a medication that is not in the catalogue dofetilide, sotalol, ibutilide and
   dronedarone, barred with whole classes of others, are refused, and other antiarrhythmics are warned of.
7. Where chart and ECG disagree, the finding that forbids more is taken, and a caution says so.
8. Imported rules are judged beside these, under ids of their own: as the gravest wins, they can only tighten.

What this leaves to ten ordinary patients `benchmarks/ordinary_patients.py` prints, and docs/knowledge.md defends.
"""

from collections.abc import Collection
from typing import Literal

from knowledge.chart import LISTS

VerdictName = Literal["allowed", "caution", "warning", "blocked", "cannot_evaluate"]

HOLDS: dict[str, VerdictName] = {"B": "blocked", "W": "warning", "C": "caution", "I": "allowed"}
UNDECIDED: dict[str, VerdictName] = {"B": "cannot_evaluate", "W": "warning", "C": "caution", "I": "allowed"}
WITHOUT_A_LIST: dict[str, VerdictName] = UNDECIDED | {"B": "warning"}
WITHOUT_ALLERGIES: dict[str, VerdictName] = UNDECIDED | {"B": "caution", "W": "caution"}

# From the safest to the gravest. Blocked is graver than cannot_evaluate, and both refuse.
GRAVITY: dict[VerdictName, int] = {
    "allowed": 0,
    "caution": 1,
    "warning": 2,
    "cannot_evaluate": 3,
    "blocked": 4,
}
REFUSED: frozenset[VerdictName] = frozenset(("blocked", "cannot_evaluate"))
NOT_SIMULATED: frozenset[VerdictName] = frozenset(("blocked",))


def verdict_of(severity: str, missing: Collection[str], kind: str = "") -> VerdictName:
    """The verdict one rule asks for: it holds when nothing is missing, else it cannot be decided."""
    if not missing:
        return HOLDS[severity]
    if kind == "data" or not LISTS.issuperset(missing):
        return UNDECIDED[severity]
    return (WITHOUT_ALLERGIES if set(missing) == {"allergies"} else WITHOUT_A_LIST)[severity]
