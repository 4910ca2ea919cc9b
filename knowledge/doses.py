"""Doses: read from text, converted by pint, never mixed.

Mass, milliequivalents, international units and millimoles are four kinds of quantity, and a body's
kilogram is none of them: mg and mEq, or mg and mg/kg, never convert into each other here.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from knowledge.drugs import Catalogue, Drug, DrugRoute
from knowledge.errors import DoseError, UnknownDrugError
from knowledge.names import resolve_drug

_UNITS = """
pico- = 1e-12 = p-
nano- = 1e-9 = n-
micro- = 1e-6 = u- = mc-
milli- = 1e-3 = m-
g = [mass]
eq = [equivalents]
iu = [activity]
mol = [substance]
kg_body = [body]
min = [time]
h = 60 * min
day = 24 * h
"""
_SPELLED = {
    "µg": "ug",
    "μg": "ug",
    "mcg": "ug",
    "microgram": "ug",
    "micrograms": "ug",
    "mcgs": "ug",
    "ug": "ug",
    "mg": "mg",
    "milligram": "mg",
    "milligrams": "mg",
    "mgs": "mg",
    "ng": "ng",
    "nanogram": "ng",
    "nanograms": "ng",
    "g": "g",
    "gm": "g",
    "gms": "g",
    "gram": "g",
    "grams": "g",
    "meq": "meq",
    "milliequivalent": "meq",
    "milliequivalents": "meq",
    "iu": "iu",
    "unit": "iu",
    "units": "iu",
    "unit(s)": "iu",
    "u": "iu",
    "international units": "iu",
    "mmol": "mmol",
    "mmols": "mmol",
    "millimole": "mmol",
    "millimoles": "mmol",
    "kg": "kg_body",
    "min": "min",
    "minute": "min",
    "minutes": "min",
    "mins": "min",
    "h": "h",
    "hr": "h",
    "hrs": "h",
    "hour": "h",
    "hours": "h",
    "day": "day",
    "d": "day",
    "24h": "day",
}
_AMOUNT = r"(?P<low>\d[\d,]*(?:\.\d+)?|\.\d+)(?:\s*(?:-|–|to)\s*(?P<high>\d[\d,]*(?:\.\d+)?))?"
_UNIT = (
    r"(?P<unit>(?:µg|μg|mcg|ug|micrograms?|milligrams?|mgs?|nanograms?|ng|grams?|gms?|g|meq|milliequivalents?"
    r"|international units|iu|units?(?:\(s\))?|u|mmols?|millimoles?))(?![a-z])"
)
_PER = r"(?P<per>(?:\s*(?:/|\bper\b)\s*(?:kg|min(?:ute)?s?|hours?|hrs?|hr|h|day|d|24h)(?![a-z]))*)"
_VOLUME = r"(?P<volume>\s*/\s*[\d.,]*\s*(?:ml|l|cc)(?![a-z]))?"
_DOSE = re.compile(_AMOUNT + r"\s*-?\s*" + _UNIT + _PER + _VOLUME, re.IGNORECASE)
# A sign of its own before a number: "-500 ug", but not the range "10-20 mEq" nor the list item "- 5 mg".
_NEGATIVE = re.compile(r"(?:^|[\s=(])[-\u2212\u2013](?=\.?\d)")
_OVER = re.compile(r"\b(?:over|in)\s+([\d.]+)\s*(min(?:ute)?s?|h(?:ou)?rs?|h)\b", re.IGNORECASE)
_UNMEASURED = re.compile(
    r"\b(\d+)\s*(amps?|ampoules?|tabs?|tablets?|caps?|capsules?|puffs?|drops?|vials?|ml)\b", re.IGNORECASE
)
_ROUTES = {
    "iv infusion": r"(?:(?:iv|i\.v\.|intravenous(?:ly)?)\s+)?(?:continuous\s+)?(?:infusion|drip|gtt)|continuous",
    "oral": r"p\.?o\.?|oral(?:ly)?|by mouth|per os|tab(?:let)?s?|cap(?:sule)?s?|(?:per )?n?g tube|peg|swallow(?:ed)?",
    "iv": r"i\.?v\.?(?:p|pb)?|iv push|iv bolus|intravenous(?:ly)?|bolus|intraven",
    "im": r"i\.?m\.?|intramuscular(?:ly)?",
    "sc": r"s\.?c\.?|sub-?cut(?:an(?:eous(?:ly)?)?)?|sub-?q|sq",
    "inhaled": r"inh(?:aled|alation|ale)?|neb(?:uli[sz](?:ed|er|ation))?s?",
    "sublingual": r"s\.?l\.?|sublingual(?:ly)?",
    "rectal": r"rectal(?:ly)?|p\.?r\.?|rect|re",
    "topical": r"topical(?:ly)?|top|td|transderm(?:al)?|patch|eye drops|ophthalmic|both eyes|nasal",
}
_ROUTE = {
    name: re.compile(rf"(?<![\w/.])(?:{pattern})(?![\w.])", re.IGNORECASE)
    for name, pattern in _ROUTES.items()
}


class DrugDose(BaseModel):
    """One drug, given once, or at a rate. `dose` is in `unit`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    drug_id: str
    dose: float = Field(gt=0)
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


@dataclass(frozen=True)
class ReadDose:
    """A dose as written: low and high differ for a range. route and over_min are None where not said."""

    low: float
    high: float
    unit: str
    route: str | None = None
    over_min: float | None = None


@lru_cache(maxsize=1)
def _registry() -> Any:
    import pint  # a quarter of a second, and most commands never convert

    registry: Any = pint.UnitRegistry(None)
    registry.load_definitions(_UNITS.strip().splitlines())
    return registry


@lru_cache(maxsize=512)
def _factor(unit: str, target: str) -> float:
    import pint

    units = _registry()

    def parse(text: str) -> Any:
        head, *per = (_SPELLED.get(part.strip().lower(), part.strip()) for part in text.split("/"))
        return units.Quantity(1, " / ".join((head, *per)))

    try:
        return float(parse(unit).to(parse(target).units).magnitude)
    except (pint.DimensionalityError, pint.UndefinedUnitError) as error:
        raise DoseError(f"{unit} cannot be turned into {target}", f"Give the dose in {target}.") from error


def convert_dose(dose: float, unit: str, target: str) -> float:
    """The dose in another unit of the same kind. Raises DoseError when the kinds differ."""
    # Rounded to 12 digits: 0.5 mg are 500 ug, not 500.00000000000006, which a limit of 500 would refuse.
    return float(f"{dose * _factor(unit, target):.12g}")


def has_negative_number(text: str) -> bool:
    """Whether a number in the text has a minus sign of its own."""
    return _NEGATIVE.search(text) is not None


def read_doses(text: str) -> list[ReadDose]:
    """All doses in a text such as '150 mg IV over 10 min, then 1 mg/min', in order.

    Raises DoseError when there is a count of things of unknown content ('1 amp') and no dose, or a sign.
    """
    if has_negative_number(text):
        raise DoseError(f"{text.strip()!r} has a negative dose", "Give the dose as a number above 0.")
    doses: list[ReadDose] = []
    hits = list(_DOSE.finditer(text))
    if not hits and (thing := _UNMEASURED.search(text)):
        raise DoseError(f"{thing.group(0)!r} does not say how much drug it holds", "Give mass, mEq or units.")
    for at, hit in enumerate(hits):
        low, high = (float(n.replace(",", "")) for n in (hit["low"], hit["high"] or hit["low"]))
        per = "".join("/" + part for part in re.findall(r"[a-z0-9]+", hit["per"].lower().replace("per", " ")))
        unit = "/".join(_plain(part) for part in (hit["unit"].lower() + per).split("/"))
        tail = text[hit.end() : hits[at + 1].start() if at + 1 < len(hits) else len(text)]
        over = _OVER.search(tail)
        minutes = float(over[1]) * (60 if over[2].lower().startswith("h") else 1) if over else None
        implied = "iv" if hit["volume"] or over else None
        doses.append(ReadDose(low, high, unit, read_route(tail) or implied, minutes))
    return doses


def _plain(unit: str) -> str:
    spelled = _SPELLED[unit]
    return {"kg_body": "kg", "iu": "IU", "meq": "mEq"}.get(spelled, spelled)


def read_route(text: str) -> str | None:
    """The route a text names; None when it names none. Raises DoseError when it names two."""
    found = {name for name, pattern in _ROUTE.items() if pattern.search(text)}
    if "iv infusion" in found:
        found.discard("iv")
    if len(found) > 1:
        raise DoseError(f"{text.strip()!r} names several routes: {', '.join(sorted(found))}", "Name one.")
    return found.pop() if found else None


def drug_words(text: str) -> str:
    """What is left of a text without doses, durations and routes: the drug's name, and maybe more."""
    for pattern in (_DOSE, _OVER, *_ROUTE.values()):
        text = pattern.sub(" ", text)
    return " ".join(text.split()).strip(" ,;:-")


def parse_action(text: str, catalogue: Catalogue) -> GivenAction:
    """Read 'verapamil 120 mg oral + metoprolol 5 mg iv', or 'no drug'.

    Raises UnknownDrugError for a name that is none or several, DoseError for a dose that is missing,
    a range, in a foreign unit, or whose route cannot be told.
    """
    if text.strip().lower() in ("", "no drug", "none", "nothing", "placebo"):
        return GivenAction()
    doses: list[DrugDose] = []
    for part in re.split(r"\s\+\s|;|\s+and\s+(?=[a-zA-Z])|\s+with\s+(?=[a-zA-Z])", text.strip()):
        drug = _drug_named(part, catalogue)
        said = read_doses(part)
        route = read_route(_OVER.sub(" ", _DOSE.sub(" ", part.split(" then ")[0])))
        if not said:
            raise DoseError(f"{part.strip()!r} has no dose", f"Usual: {usual(drug)}.")
        doses += [
            place(drug, dose, dose.route or (route if at == 0 else None)) for at, dose in enumerate(said)
        ]
    return GivenAction(doses=tuple(doses))


def _drug_named(text: str, catalogue: Catalogue) -> Drug:
    name = re.sub(r"\bthen\b", " ", drug_words(text))
    found = resolve_drug(name, catalogue)
    if found.drug is None:
        options = ", ".join(drug.name for drug in found.suggestions)
        if found.ambiguous:
            raise UnknownDrugError(f"{name!r} can be several drugs: {options}", "Name one of them.")
        raise UnknownDrugError(
            f"no drug is called {name!r}", f"Did you mean {options}?" if options else "See `kb search`."
        )
    if not found.drug.routes:
        raise UnknownDrugError(
            f"{found.drug.name} is known only as a partner of interactions", "It cannot be given here."
        )
    return found.drug


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
        where = f" {route}" if route else ""
        raise DoseError(
            f"{drug.name} is not given as {dose.high:g} {dose.unit}{where}", f"Usual: {usual(drug)}."
        )
    return fitting[0] if len(fitting) == 1 else _only_plausible(drug, dose, fitting)


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
