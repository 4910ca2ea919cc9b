"""The largest doses of the catalogue: of one dose, and of a day with what is taken already."""

from collections.abc import Iterable, Iterator

from knowledge.doses import DrugDose, convert_dose
from knowledge.drugs import Catalogue, DrugRoute
from knowledge.errors import DoseError
from knowledge.medications import Taken
from knowledge.verdicts import FiredRule


def over_maximum(dose: DrugDose, medications: Iterable[Taken], catalogue: Catalogue) -> Iterator[FiredRule]:
    """What is over a maximum. By mouth the sum with a medication only warns: the dose may replace it."""
    drug = catalogue.get(dose.drug_id)
    route = drug.route(dose.route)
    limit = route.max_single if route.max_single is not None else route.max_daily
    value = convert_dose(dose.dose, dose.unit, route.unit)
    if limit is not None and value > limit:
        text = (
            f"{drug.name} {route.route}: {value:g} {route.unit} is over the maximum of {limit:g} {route.unit}"
        )
        yield FiredRule("R105", "B", text, route.source, {"given": str(dose), "maximum": limit})
    taken = [entry for entry in medications if _adds_up(entry, dose)]
    total = value + sum(_in_unit(entry, route) for entry in taken)
    if taken and route.max_daily is not None and total > route.max_daily:
        text = (
            f"{drug.name} {route.route}: with what is taken already it comes to {total:g} {route.unit}, "
            f"and the maximum of a day is {route.max_daily:g}"
        )
        evidence = {"given": str(dose), "takes": ", ".join(entry.text for entry in taken)}
        yield FiredRule("R105d", "W" if route.route == "oral" else "B", text, route.source, evidence)


def _adds_up(taken: Taken, dose: DrugDose) -> bool:
    """Whether a medication counts toward today's dose: the same drug by the same route in the last day."""
    recent = taken.hours_ago is None or taken.hours_ago < 24
    return taken.drug_id == dose.drug_id and taken.route == dose.route and taken.sure and recent


def _in_unit(taken: Taken, route: DrugRoute) -> float:
    """The dose taken, as far as it is known, in the unit of the route."""
    if taken.dose is None or taken.unit is None:
        return 0.0
    try:
        return convert_dose(taken.dose, taken.unit, route.unit)
    except DoseError:
        return 0.0
