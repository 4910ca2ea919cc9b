"""What could be given: the drugs for a goal, each over its usual doses and routes."""

from collections.abc import Sequence

from knowledge.doses import DrugDose, GivenAction
from knowledge.drugs import Catalogue, Drug
from knowledge.errors import UnknownDrugError
from knowledge.names import resolve_drug

ALL = "all"


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
