"""What the patient takes, resolved to drugs of the catalogue: surely, or possibly."""

from collections.abc import Iterable
from dataclasses import dataclass

from knowledge.doses import read_doses, read_route
from knowledge.drugs import Catalogue
from knowledge.errors import DoseError
from knowledge.names import find_drugs_in, resolve_drug
from knowledge.patient import MedicationEntry


@dataclass(frozen=True)
class Taken:
    """A drug of the medication list. sure: False when the entry may name it, but may name another.

    route, dose and unit None: not said, or not understood. hours_ago None: still taken.
    """

    drug_id: str
    text: str
    sure: bool = True
    route: str | None = None
    dose: float | None = None
    unit: str | None = None
    hours_ago: float | None = None


def resolve_medications(
    entries: Iterable[MedicationEntry], catalogue: Catalogue
) -> tuple[tuple[Taken, ...], tuple[str, ...]]:
    """The drugs of a medication list, and the entries that name no drug of the catalogue."""
    taken: list[Taken] = []
    unknown: list[str] = []
    for entry in entries:
        found = resolve_drug(entry.name, catalogue)
        sure = found.drug is not None or found.how == "combination"
        drugs = (
            (found.drug,)
            if found.drug
            else found.suggestions
            if found.how != "unknown" or found.named
            else ()
        )
        if not drugs:
            unknown.append(entry.name)
        dose, unit, written_route = _written(f"{entry.name} {entry.dose or ''}")
        for drug in drugs:
            routes = {route.route for route in drug.routes}
            route = _route(entry.route) or written_route or (next(iter(routes)) if len(routes) == 1 else None)
            taken.append(Taken(drug.id, entry.name, sure, route, dose, unit, entry.last_taken_hours_ago))
    return tuple(taken), tuple(unknown)


def substances(text: str, catalogue: Catalogue) -> frozenset[str]:
    """The drugs that an allergy on record may be to: drugs it names, and the members of classes it names."""
    drugs = {mention.drug.id for mention in find_drugs_in(text, catalogue)}
    found = resolve_drug(text, catalogue)
    drugs |= {drug.id for drug in found.suggestions if found.ambiguous}
    words = text.lower()
    for name, entry in catalogue.classes.items():
        if any(alias in words for alias in entry.allergy_names):
            drugs |= catalogue.members(name)
    return frozenset(drugs)


def _route(text: str | None) -> str | None:
    try:
        return read_route(text or "")
    except DoseError:
        return None


def _written(text: str) -> tuple[float | None, str | None, str | None]:
    """Dose, unit and route as written; of several doses or of a range the highest."""
    try:
        doses = read_doses(text)
    except DoseError:
        return None, None, None
    if len(doses) != 1:
        return None, None, None
    return doses[0].high, doses[0].unit, doses[0].route
