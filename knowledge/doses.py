"""Doses of drugs: one drug given once or at a rate, and what is given together."""

import re

from pydantic import BaseModel, ConfigDict, Field

from knowledge.dose_text import (
    ReadDose,
    drug_words,
    has_negative_number,
    read_doses,
    read_route,
    without_doses,
)
from knowledge.dose_units import convert_dose
from knowledge.drugs import EVERY, Catalogue, Drug, DrugRoute
from knowledge.errors import DoseError, UnknownDrugError
from knowledge.names import Resolution, resolve_drug

__all__ = [
    "DrugDose",
    "GivenAction",
    "ReadDose",
    "convert_dose",
    "has_negative_number",
    "parse_action",
    "place",
    "read_doses",
    "read_route",
    "usual",
]


class DrugDose(BaseModel):
    """One drug, given once, or at a rate. `dose` is in `unit`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    drug_id: str
    dose: float = Field(gt=0, allow_inf_nan=False)
    unit: str
    route: str

    def __str__(self) -> str:
        return f"{self.drug_id.replace('_', ' ')} {self.dose:g} {self.unit} {self.route}"


class GivenAction(BaseModel):
    """What is given together; () is "no drug"."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    doses: tuple[DrugDose, ...] = ()

    def __str__(self) -> str:
        return " + ".join(map(str, self.doses)) or "no drug"


def parse_action(text: str, catalogue: Catalogue) -> GivenAction:
    """Read 'verapamil 120 mg oral + metoprolol 5 mg iv', or 'no drug'.

    Raises UnknownDrugError for a name that is none or several, DoseError for a dose that is missing,
    a range, in a foreign unit, or whose route cannot be told.
    """
    if text.strip().lower() in ("", "no drug", "none", "nothing", "placebo"):
        return GivenAction()
    doses: list[DrugDose] = []
    for part in re.split(r"\s\+\s|;|\s+and\s+(?=[a-zA-Z])|\s+with\s+(?=[a-zA-Z])", text.strip()):
        said = read_doses(part)
        drug = _drug_named(part, catalogue)
        route = read_route(without_doses(part.split(" then ")[0]))
        if not said:
            raise DoseError(f"{part.strip()!r} has no dose", f"Usual: {usual(drug)}.")
        doses += [
            place(drug, dose, dose.route or (route if at == 0 else None)) for at, dose in enumerate(said)
        ]
    return GivenAction(doses=tuple(doses))


def _drug_named(text: str, catalogue: Catalogue) -> Drug:
    name = re.sub(r"\bthen\b", " ", drug_words(text))
    found = resolve_drug(name, catalogue)
    drug = found.drug or _only_given(found, catalogue)
    if drug is None:
        options = ", ".join(drug.name for drug in found.suggestions)
        if found.ambiguous:
            raise UnknownDrugError(f"{name!r} can be several drugs: {options}", "Name one of them.")
        raise UnknownDrugError(
            f"no drug is called {name!r}", f"Did you mean {options}?" if options else "See `kb search`."
        )
    if not drug.routes:
        raise UnknownDrugError(
            f"{drug.name} is known only as a partner of interactions", "It cannot be given here."
        )
    return drug


def _only_given(found: Resolution, catalogue: Catalogue) -> Drug | None:
    """Of a class, such as insulin, the one drug that can be given here; None when the name asks."""
    given = [drug for drug in found.suggestions if drug.routes]
    if found.how != "several" or len(given) != 1:
        return None
    shared = set.intersection(*(set(catalogue.classes_of(drug.id)) for drug in found.suggestions)) - {EVERY}
    return given[0] if shared else None


def place(drug: Drug, dose: ReadDose, route: str | None) -> DrugDose:
    """The dose on one of the drug's routes, in that route's unit. Raises DoseError."""
    if dose.low != dose.high:
        raise DoseError(f"{dose.low:g}-{dose.high:g} {dose.unit} is a range", "Choose one dose.")
    if dose.high == 0:
        raise DoseError(f"{drug.name} 0 {dose.unit} is no dose", "Give a dose above 0, or 'no drug'.")
    fitting: list[DrugDose] = []
    for option in drug.routes:
        if (
            route is not None
            and option.route != route
            and not (route == "iv" and option.route == "iv infusion")
        ):
            continue
        try:
            value = convert_dose(dose.high, dose.unit, option.unit)
        except DoseError:
            continue
        fitting.append(DrugDose(drug_id=drug.id, dose=value, unit=option.unit, route=option.route))
    if not fitting:
        _ask_for_weight(drug, dose)
        where = f" {route}" if route else ""
        raise DoseError(
            f"{drug.name} is not given as {dose.high:g} {dose.unit}{where}", f"Usual: {usual(drug)}."
        )
    if len(fitting) > 1:
        return _only_plausible(drug, dose, fitting)
    (only,) = fitting
    # 20 mEq of potassium without a route may be meant as an infusion, whose rate was left out.
    if route is None and not only.route.startswith("iv") and any(option.infusion for option in drug.routes):
        raise DoseError(f"{drug.name} {dose.high:g} {dose.unit}: by which route?", f"Usual: {usual(drug)}.")
    return only


def _ask_for_weight(drug: Drug, dose: ReadDose) -> None:
    """Raise DoseError when only a body weight stands between the dose and a unit of the drug."""
    for option in drug.routes:
        amount, *per = option.unit.split("/")
        of_one_kg = [part for part in per if part != "kg"] if "kg" in per else ["kg", *per]
        try:
            convert_dose(dose.high, dose.unit, "/".join((amount, *of_one_kg)))
        except DoseError:
            continue
        raise DoseError(
            f"{drug.name} {dose.high:g} {dose.unit}: for which body weight?",
            f"Write the dose for the patient's weight, in {option.unit}. Usual: {usual(drug)}.",
        )


def _only_plausible(drug: Drug, dose: ReadDose, fitting: list[DrugDose]) -> DrugDose:
    """Of several routes the one whose usual range holds the dose. Raises DoseError when that is not one."""
    within = [
        option
        for option in fitting
        if min(drug.route(option.route).usual_doses) <= option.dose <= _limit(drug.route(option.route))
    ]
    if len(within) != 1:
        routes = " or ".join(option.route for option in fitting)
        raise DoseError(f"{drug.name} {dose.high:g} {dose.unit}: by which route?", f"Add {routes}.")
    return within[0]


def _limit(route: DrugRoute) -> float:
    return route.max_single or max(route.usual_doses)


def usual(drug: Drug) -> str:
    """Usual doses in words: 'oral 125, 250 or 500 ug; iv 5 mg'."""
    parts = []
    for route in drug.routes:
        *most, last = (f"{dose:g}" for dose in route.usual_doses)
        parts.append(f"{route.route} {', '.join(most)}{' or ' if most else ''}{last} {route.unit}")
    return f"{drug.name} {'; '.join(parts)}"
