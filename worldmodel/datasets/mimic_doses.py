"""What a patient of MIMIC-IV was given, and when: eMAR first, then infusions of the ICU, then prescriptions.

An order is no administration. Prescriptions count only in an admission without any eMAR (its roll-out took years),
and only for drugs that no infusion shows; their `source` says so. Of an infusion only the start is an administration.
"""

from collections import defaultdict
from dataclasses import dataclass, replace

from worldmodel.datasets.mimic_tables import INFUSED, amount_of, hours_between, plain_route, plain_unit
from worldmodel.datasets.tables import Tables
from worldmodel.datasets.transition import Dose

SAME_H = 1.0  # the same drug in two tables within this time was given once
_NO_DRUGS = (
    *("flush", "sodium chloride 0.9%", "0.9% sodium chloride", "lactated ringers", "sterile water"),
    *("dextrose 5%", "5% dextrose", "d5w"),
)


@dataclass(frozen=True)
class Administration:
    """time: as MIMIC writes it. The dose's own hour is not set yet."""

    time: str
    admission: str
    dose: Dose

    def at(self, hour_zero: str) -> Dose:
        """The dose on the clock of a transition."""
        return replace(self.dose, given_h=round(hours_between(hour_zero, self.time), 4))


def read_administrations(tables: Tables, subject: int) -> list[Administration]:
    """All of a patient, in order of time."""
    from_emar, with_emar = _emar(tables, subject)
    infused = [
        one for one in _infusions(tables, subject) if not any(_same(one, other) for other in from_emar)
    ]
    shown = {(one.admission, _first_word(one)) for one in infused}
    ordered = [
        one
        for one in _prescriptions(tables, subject)
        if one.admission not in with_emar and (one.admission, _first_word(one)) not in shown
    ]
    return sorted([*from_emar, *infused, *ordered], key=lambda one: (one.time, one.dose.drug))


def was_given(event: str) -> bool:
    """Whether an event of the eMAR put the drug into the patient. "Delayed Administered" did, "Not Given" did not."""
    low = event.strip().lower()
    given = "administered" in low or low.startswith(("started", "restarted", "applied"))
    return given and not low.startswith("not ")


def _emar(tables: Tables, subject: int) -> tuple[list[Administration], set[str]]:
    """What was given, and the admissions that have an eMAR."""
    details: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in tables.of("emar_detail", subject):
        details[row["emar_id"]].append(row)
    given, admissions = [], set()
    for row in tables.of("emar", subject):
        admissions.add(row["hadm_id"])
        drug = _drug(row["medication"])
        if drug and row["charttime"] and was_given(row["event_txt"]):
            dose = _emar_dose(drug, details[row["emar_id"]])
            given.append(Administration(row["charttime"], row["hadm_id"], dose))
    return given, admissions


def _emar_dose(drug: str, rows: list[dict[str, str]]) -> Dose:
    """The dose of an event: the products' sum where all are numbers of one unit, else what was due.

    The row without parent_field_ordinal is the summary, those with one the products.
    """
    products = [row for row in rows if row["parent_field_ordinal"] and row["dose_given"]]
    summary = next((row for row in rows if not row["parent_field_ordinal"]), {})
    amounts = [amount_of(row["dose_given"]) for row in products]
    units = {row["dose_given_unit"] for row in products}
    route = plain_route(next((row["route"] for row in rows if row["route"]), ""))
    rates = [row for row in rows if amount_of(row["infusion_rate"]) is not None]
    rate = amount_of(rates[0]["infusion_rate"]) if rates else None
    rate_unit = plain_unit(rates[0]["infusion_rate_unit"]) if rates else ""
    numbers = [amount for amount in amounts if amount is not None]
    if numbers and len(numbers) == len(amounts) and len(units) == 1:
        unit = plain_unit(units.pop())
        return Dose(drug, sum(numbers), unit, route, rate=rate, rate_unit=rate_unit, source="emar")
    due, unit = summary.get("dose_due", ""), summary.get("dose_due_unit", "")
    text = "" if amount_of(due) is not None else f"{due} {unit}".strip()
    return Dose(
        drug,
        amount_of(due),
        plain_unit(unit),
        route,
        rate=rate,
        rate_unit=rate_unit,
        source="emar",
        text=text,
    )


def _infusions(tables: Tables, subject: int) -> list[Administration]:
    """Starts of infusions and pushes; rows of the same linkorderid go on with one that has started."""
    found, started = [], set()
    for row in sorted(tables.of("inputevents", subject), key=lambda row: row["starttime"]):
        order = (row["linkorderid"], row["itemid"])
        if row["statusdescription"] == "Rewritten" or order in started:
            continue
        if row["linkorderid"]:
            started.add(order)
        found.append(Administration(row["starttime"], row["hadm_id"], _infused_dose(row)))
    return found


def _infused_dose(row: dict[str, str]) -> Dose:
    unit, rate_unit = plain_unit(row["amountuom"]), plain_unit(row["rateuom"])
    amount, rate, text = amount_of(row["amount"]), amount_of(row["rate"]), ""
    if unit == "dose":  # prophylactic heparin is counted in doses
        amount, unit, text = None, "", f"{row['amount']} dose"
    drug = INFUSED[row["itemid"]]
    if drug == "norepinephrine" and rate_unit == "mg/kg/min" and rate is not None:
        # mimic-code (from memory): the unit is wrong where the weight is a placeholder of 1, right elsewhere.
        rate = rate if amount_of(row["patientweight"]) == 1.0 else 1000.0 * rate
        rate_unit = "ug/kg/min"
    if drug == "dexmedetomidine" and unit == "mg" and amount is not None:  # charted in both units
        amount, unit = 1000.0 * amount, "ug"
    return Dose(
        drug,
        amount,
        unit,
        "iv",
        rate=rate,
        rate_unit=rate_unit if rate is not None else "",
        source="inputevents",
        text=text,
    )


def _prescriptions(tables: Tables, subject: int) -> list[Administration]:
    found = []
    for row in tables.of("prescriptions", subject):
        drug = _drug(row["drug"])
        if not drug or not row["starttime"]:
            continue
        amount, unit = amount_of(row["dose_val_rx"]), plain_unit(row["dose_unit_rx"])
        text = "" if amount is not None else f"{row['dose_val_rx']} {row['dose_unit_rx']}".strip()
        dose = Dose(drug, amount, unit, plain_route(row["route"]), source="prescriptions", text=text)
        found.append(Administration(row["starttime"], row["hadm_id"], dose))
    return found


def _drug(text: str) -> str:
    """The name in lower case; "" for flushes and fluids."""
    low = " ".join(text.lower().split())
    return "" if any(word in low for word in _NO_DRUGS) else low


def _first_word(one: Administration) -> str:
    return one.dose.drug.split()[0]


def _same(one: Administration, other: Administration) -> bool:
    # names first: reading times is what costs, and a stay in intensive care has millions of such pairs
    return _first_word(one) == _first_word(other) and abs(hours_between(one.time, other.time)) <= SAME_H
