"""What could be given: the drugs for a goal, each over its usual doses and routes, and several of them together."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from operator import itemgetter

from knowledge.doses import DrugDose, GivenAction
from knowledge.drugs import Catalogue, Drug
from knowledge.errors import UnknownDrugError
from knowledge.names import resolve_drug
from knowledge.policy import GRAVITY, REFUSED
from knowledge.verdicts import Verdict

ALL = "all"
MOST = 200  # combinations of each size that are kept
TRIED = 40_000  # combinations of each size that are judged, those of the safest parts first


def goals(catalogue: Catalogue) -> tuple[str, ...]:
    """Every goal that a drug of the catalogue serves, sorted."""
    return tuple(sorted({goal for drug in catalogue for goal in drug.goals}))


def candidates(goal: str | None, drugs: Sequence[str] | None, catalogue: Catalogue) -> list[GivenAction]:
    """Single agents over their usual doses and routes.

    drugs: names; when given, only these. goal: one of `goals`; None or "all" takes every drug. Raises
    UnknownDrugError for a name that is no drug, and for a goal that no drug serves.
    """
    chosen = [_named(name, catalogue) for name in drugs] if drugs else list(_serving(goal, catalogue))
    return [
        GivenAction(doses=(DrugDose(drug_id=drug.id, dose=dose, unit=route.unit, route=route.route),))
        for drug in dict.fromkeys(chosen)
        for route in drug.routes
        for dose in route.usual_doses
    ]


def judged_together(
    singles: Sequence[GivenAction],
    judge: Callable[[Sequence[GivenAction]], list[Verdict]],
    together: int,
    most: int = MOST,
) -> list[Verdict]:
    """Verdicts on "no drug", on every single agent, and on combinations of up to `together` different drugs.

    Combinations are made of parts that are not refused themselves, and refused combinations are left
    out. No drug comes first, then one, two and three drugs, each size from the safest to the gravest;
    of the combinations of each size the first `most`, other drugs before other doses of the same.
    """
    alone = sorted(judge(list(dict.fromkeys(singles))), key=_safest_first)
    found = [*judge([GivenAction()]), *alone]
    smaller = parts = [verdict for verdict in alone if verdict.verdict not in REFUSED]
    for _ in range(1, together):
        judged = judge(list(islice(_joined(smaller, parts), TRIED)))
        smaller = _spread(verdict for verdict in judged if verdict.verdict not in REFUSED)[:most]
        found += smaller
    return found


def _joined(smaller: Sequence[Verdict], parts: Sequence[Verdict]) -> Iterator[GivenAction]:
    """Each of the smaller with one more drug that comes after its own: so every combination occurs once."""
    place = {part.action.doses[0]: at for at, part in enumerate(parts)}
    for verdict in smaller:
        doses = verdict.action.doses
        for part in parts[place[doses[-1]] + 1 :]:
            (more,) = part.action.doses
            if all(more.drug_id != dose.drug_id for dose in doses):
                yield GivenAction.model_construct(doses=(*doses, more))


def _spread(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """From the safest to the gravest; among equals the first doses of all drugs before their further doses."""
    seen: Counter[frozenset[str]] = Counter()
    placed = []
    for verdict in sorted(verdicts, key=_safest_first):
        drugs = frozenset(dose.drug_id for dose in verdict.action.doses)
        placed.append((*_safest_first(verdict)[:2], seen[drugs], verdict))
        seen[drugs] += 1
    return [verdict for *_, verdict in sorted(placed, key=itemgetter(0, 1, 2))]


def _safest_first(verdict: Verdict) -> tuple[int, int, str]:
    return GRAVITY[verdict.verdict], len(verdict.rules), str(verdict.action)


def _serving(goal: str | None, catalogue: Catalogue) -> Sequence[Drug]:
    givable = [drug for drug in catalogue if drug.routes]
    wanted = (goal or ALL).strip().lower().replace(" ", "-").replace("_", "-")
    if wanted == ALL:
        return givable
    serving = [drug for drug in givable if wanted in drug.goals]
    if not serving:
        raise UnknownDrugError(
            f"no drug serves the goal {goal!r}", f"Goals: {', '.join(goals(catalogue))}, {ALL}."
        )
    return serving


def _named(name: str, catalogue: Catalogue) -> Drug:
    found = resolve_drug(name, catalogue)
    if found.drug is None:
        options = ", ".join(drug.name for drug in found.suggestions)
        raise UnknownDrugError(
            f"no one drug is called {name!r}", f"Did you mean {options}?" if options else ""
        )
    if not found.drug.routes:
        raise UnknownDrugError(
            f"{found.drug.name} is known only as a partner of interactions", "Name another drug."
        )
    return found.drug
