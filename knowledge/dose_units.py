"""Units of doses, converted by pint, never mixed.

Mass, milliequivalents, international units and millimoles are four kinds of quantity, and neither a body's kilogram nor
its surface is any of them: mg and mEq, or mg and mg/kg, never convert into each other here.
"""

from functools import lru_cache
from typing import Any

from knowledge.errors import DoseError

_DEFINITIONS = """
pico- = 1e-12 = p-
nano- = 1e-9 = n-
micro- = 1e-6 = u- = mc-
milli- = 1e-3 = m-
g = [mass]
eq = [equivalents]
iu = [activity]
mol = [substance]
kg_body = [body]
m2_body = [surface]
min = [time]
h = 60 * min
day = 24 * h
"""
_SPELLINGS = {
    "ug": "ug μg µg mcg mcgs microgram micrograms",
    "mg": "mg mgs milligram milligrams",
    "ng": "ng nanogram nanograms",
    "g": "g gm gms gram grams",
    "meq": "meq milliequivalent milliequivalents",
    "iu": "iu i.u i.u. u unit units unit(s) international_units",
    "mmol": "mmol mmols millimole millimoles",
    "kg_body": "kg",
    "m2_body": "m2",
    "min": "min mins minute minutes",
    "h": "h hr hrs hour hours",
    "day": "day d 24h",
}
_SPELLED = {word: unit for unit, words in _SPELLINGS.items() for word in words.split()}
_WRITTEN = {"kg_body": "kg", "m2_body": "m2", "iu": "IU", "meq": "mEq"}


def plain_unit(unit: str) -> str:
    """One spelling for each unit: 'mcg/kg/min' is 'ug/kg/min', 'units/hr' is 'IU/h'."""
    parts = (_SPELLED[_key(part)] for part in unit.split("/"))
    return "/".join(_WRITTEN.get(part, part) for part in parts)


def _key(part: str) -> str:
    return "_".join(part.lower().split())


def convert_dose(dose: float, unit: str, target: str) -> float:
    """The dose in another unit of the same kind. Raises DoseError when the kinds differ."""
    # Rounded to 12 digits: 0.5 mg are 500 ug, not 500.00000000000006, which a limit of 500 would refuse.
    return float(f"{dose * _factor(unit, target):.12g}")


@lru_cache(maxsize=1)
def _registry() -> Any:
    import pint  # a quarter of a second, and most commands never convert

    registry: Any = pint.UnitRegistry(None)
    registry.load_definitions(_DEFINITIONS.strip().splitlines())
    return registry


@lru_cache(maxsize=512)
def _factor(unit: str, target: str) -> float:
    import pint

    units = _registry()

    def parse(text: str) -> Any:
        head, *per = (_SPELLED.get(_key(part), part.strip()) for part in text.split("/"))
        return units.Quantity(1, " / ".join((head, *per)))

    try:
        return float(parse(unit).to(parse(target).units).magnitude)
    except (pint.DimensionalityError, pint.UndefinedUnitError) as error:
        raise DoseError(f"{unit} cannot be turned into {target}", f"Give the dose in {target}.") from error
