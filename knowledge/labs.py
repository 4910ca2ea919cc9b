"""Laboratory values: names, units of both conventions, and the range a value can have in the living.

Conversions are exact ratios of molar masses (K 39.098, Mg 24.305, Ca 40.078, Na 22.990, creatinine
113.12, glucose 180.16, digoxin 780.94 g/mol). A unit is never guessed: a value without one is an error.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime

from knowledge.errors import PatientFileError


@dataclass(frozen=True)
class Lab:
    """One laboratory value: the fact it becomes, factors into the fact's unit, and possible values."""

    fact: str
    units: dict[str, float]
    possible: tuple[float, float]
    aliases: tuple[str, ...] = field(default=())


_ELECTROLYTE = {"mmol/l": 1.0, "meq/l": 1.0}
LABS: dict[str, Lab] = {
    "potassium": Lab(
        "potassium_mmol_l", _ELECTROLYTE | {"mg/dl": 1 / 3.9098}, (1.0, 12.0), ("k", "k+", "serum potassium")
    ),
    "magnesium": Lab(
        "magnesium_mmol_l", {"mmol/l": 1, "meq/l": 0.5, "mg/dl": 1 / 2.4305}, (0.1, 10.0), ("mg", "mg++")
    ),
    "calcium": Lab(
        "calcium_mmol_l",
        {"mmol/l": 1, "meq/l": 0.5, "mg/dl": 1 / 4.0078},
        (0.5, 6.0),
        ("ca", "total calcium"),
    ),
    "ionized_calcium": Lab(
        "ionized_calcium_mmol_l",
        {"mmol/l": 1, "meq/l": 0.5, "mg/dl": 1 / 4.0078},
        (0.2, 4.0),
        ("ica", "ionised calcium"),
    ),
    "sodium": Lab("sodium_mmol_l", _ELECTROLYTE | {"mg/dl": 1 / 2.299}, (80, 220), ("na", "na+")),
    "creatinine": Lab(
        "creatinine_umol_l",
        {"umol/l": 1, "mmol/l": 1000, "mg/dl": 1000 / 11.312},
        (5, 3000),
        ("serum creatinine", "crea"),
    ),
    "glucose": Lab(
        "glucose_mmol_l", {"mmol/l": 1, "mg/dl": 1 / 18.016}, (0.2, 120), ("blood glucose", "bedside glucose")
    ),
    "digoxin": Lab(
        "digoxin_ng_ml", {"ng/ml": 1, "ug/l": 1, "mcg/l": 1, "nmol/l": 0.78094}, (0, 60), ("digoxin level",)
    ),
    "inr": Lab("inr", {"": 1, "1": 1, "ratio": 1, "inr": 1}, (0.3, 30), ("pt - inr", "pt-inr")),
    "alt": Lab(
        "alt_u_l", {"u/l": 1, "iu/l": 1, "units/l": 1, "ukat/l": 60}, (0, 50_000), ("alt (sgpt)", "sgpt")
    ),
    "platelets": Lab(
        "platelets_10e9_l",
        {"10^9/l": 1, "10e9/l": 1, "x10^9/l": 1, "g/l": 1, "k/ul": 1, "10^3/ul": 1, "k/mcl": 1, "/ul": 1e-3}
        | {"/mm3": 1e-3, "10*9/l": 1, "10*3/ul": 1, "x10e9/l": 1},
        (0, 5000),
        ("platelets x 1000", "plt", "platelet count"),
    ),
}


def lab_name(text: str) -> str | None:
    """The lab of that name or alias; None when it is none that a rule reads."""
    name = re.sub(r"[\s_]+", " ", text.strip().lower())
    for lab, entry in LABS.items():
        if name in (lab, lab.replace("_", " "), *entry.aliases):
            return lab
    return None


def convert(lab: str, value: float, unit: str | None) -> float:
    """The value in the unit of the lab's fact. Raises PatientFileError on foreign units and impossible values."""
    entry = LABS[lab]
    spelled = re.sub(r"\s+", "", unit or "").lower().replace("µ", "u").replace("μ", "u").replace("×", "x")
    if spelled not in entry.units:
        known = ", ".join(name for name in entry.units if name)
        said = f"in {unit!r}" if unit else "without a unit"
        raise PatientFileError(
            f"{lab} is given {said}", f"Give it in one of: {known}." if known else "It has no unit."
        )
    converted = value * entry.units[spelled]
    low, high = entry.possible
    if not low <= converted <= high:
        raise PatientFileError(
            f"{lab} {value:g} {unit or ''} is not a value the living have".replace("  ", " "),
            f"Check the value and its unit; {low:g} to {high:g} {entry.fact.removeprefix(lab).strip('_')} can be.",
        )
    return converted


def plain_utc(moment: datetime) -> datetime:
    """A time in UTC where it has a zone, and without it: times with and without zones can be compared."""
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
