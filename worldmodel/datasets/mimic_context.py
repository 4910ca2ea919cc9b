"""What was known of a patient of MIMIC-IV at a moment: nothing that was taken, resulted or coded after it.

Diagnoses are coded at discharge and tell of the whole admission, so only those of admissions that had ended count.
"""

from dataclasses import dataclass

from worldmodel.datasets.mimic_tables import (
    LABS,
    RHYTHM,
    VITALS,
    Item,
    amount_of,
    hours_before,
    hours_between,
)
from worldmodel.datasets.tables import Tables
from worldmodel.datasets.transition import Context, Fact
from worldmodel.pharmacology import PatientContext

ABOVE_89 = 91.0  # how an age above 89 is written; it stays a floor
_KG_PER_LB, _CM_PER_INCH = 0.45359237, 2.54


@dataclass(frozen=True)
class Chart:
    """All rows of one patient that a context can be read from."""

    patient: dict[str, str]
    admissions: list[dict[str, str]]
    diagnoses: list[dict[str, str]]
    labs: list[dict[str, str]]
    vitals: list[dict[str, str]]
    office: list[dict[str, str]]


def read_chart(tables: Tables, subject: int) -> Chart | None:
    """None where the clinical tables do not know the patient, as some of the ECG module are not in them."""
    patients = tables.of("patients", subject)
    if not patients:
        return None
    names = ("admissions", "diagnoses_icd", "labevents", "chartevents", "omr")
    return Chart(patients[0], *(tables.of(name, subject) for name in names))


def context_at(chart: Chart, moment: str, facts_h: float) -> Context:
    """The context at a time; laboratory values and vital signs of the last `facts_h` hours, the latest of each."""
    latest: dict[str, Fact] = {}
    since = hours_before(moment, facts_h)
    for rows, items in ((chart.labs, LABS), (chart.vitals, VITALS)):
        for row in rows:
            fact = _fact(row, items, moment, since)
            if fact is not None and (fact.name not in latest or _hours(fact) > _hours(latest[fact.name])):
                latest[fact.name] = fact
    potassium = latest.get("potassium")
    patient = PatientContext(
        age_at(chart.patient, moment),
        {"F": True, "M": False}.get(chart.patient["gender"]),
        potassium.value if potassium else None,
    )
    facts = (*latest.values(), *_office(chart, moment))
    return Context(patient, facts, _diagnoses(chart, moment), rhythm=_rhythm(chart, moment, since))


def age_at(patient: dict[str, str], moment: str) -> float | None:
    """Age in years; ABOVE_89 for everyone whose age is hidden."""
    anchor, year = amount_of(patient["anchor_age"]), amount_of(patient["anchor_year"])
    if anchor is None or year is None:
        return None
    return ABOVE_89 if anchor >= ABOVE_89 else anchor + float(moment[:4]) - year


def known_at(row: dict[str, str], moment: str) -> bool:
    """Whether a value was taken and its result stored by then; where no time of storing is given, taken."""
    return bool(row["charttime"]) and max(row["charttime"], row["storetime"]) <= moment


def _fact(row: dict[str, str], items: dict[str, Item], moment: str, since: str) -> Fact | None:
    item = items.get(row["itemid"])
    if item is None or row["charttime"] < since or not known_at(row, moment):
        return None
    value = amount_of(row["valuenum"])
    if value is None or not item.low < value <= item.high or row["valueuom"] not in item.units:
        return None
    return Fact(item.name, value, item.unit, round(hours_between(moment, row["charttime"]), 4))


def _hours(fact: Fact) -> float:
    return float("-inf") if fact.hours is None else fact.hours


def _office(chart: Chart, moment: str) -> list[Fact]:
    """Weight and height of the latest earlier day; of the same day nobody knows the hour."""
    named = {
        "Weight (Lbs)": ("weight_kg", "kg", _KG_PER_LB),
        "Height (Inches)": ("height_cm", "cm", _CM_PER_INCH),
    }
    latest: dict[str, Fact] = {}
    for row in sorted(chart.office, key=lambda row: row["chartdate"]):
        name, unit, factor = named.get(row["result_name"], ("", "", 0.0))
        value = amount_of(row["result_value"])
        if name and value and row["chartdate"] < moment[:10]:
            hours = hours_between(moment, row["chartdate"])
            latest[name] = Fact(name, round(value * factor, 2), unit, round(hours, 4))
    return list(latest.values())


def _diagnoses(chart: Chart, moment: str) -> tuple[str, ...]:
    ended = {row["hadm_id"] for row in chart.admissions if row["dischtime"] and row["dischtime"] < moment}
    codes = (
        f"icd{row['icd_version'].strip()}:{row['icd_code'].strip()}"
        for row in chart.diagnoses
        if row["hadm_id"] in ended
    )
    return tuple(dict.fromkeys(codes))


def _rhythm(chart: Chart, moment: str, since: str) -> str:
    rows = [
        row
        for row in chart.vitals
        if row["itemid"] == RHYTHM and row["charttime"] >= since and known_at(row, moment)
    ]
    return max(rows, key=lambda row: row["charttime"])["value"] if rows else ""
