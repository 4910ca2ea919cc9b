"""The chart of one made patient: what was ordered, given, measured and coded around one dose, with the real traps."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from worldmodel.datasets.made_headers import HEADERS, row_of
from worldmodel.datasets.made_people import Person
from worldmodel.datasets.made_policy import CANDIDATES, Candidate

FUTURE_CODE = "I4901"  # ventricular fibrillation, coded at the end of the admission of the dose
# Item: mean, SD and unit; some are none that anybody reads here.
_OTHER_LABS = {
    "50983": (139.0, 3.0, "mEq/L"),
    "50902": (103.0, 4.0, "mEq/L"),
    "50882": (25.0, 3.0, "mEq/L"),
    "51006": (22.0, 7.0, "mg/dL"),
    "50931": (130.0, 30.0, "mg/dL"),
    "50912": (1.1, 0.2, "mg/dL"),
    "50960": (2.0, 0.2, "mg/dL"),
    "50893": (9.0, 0.5, "mg/dL"),
    "51221": (33.0, 4.0, "%"),
    "51265": (210.0, 50.0, "K/uL"),
}
_IN_AGO_H, _OUT_H = 30.0, 90.0  # the admission around the dose
Rows = dict[str, list[list[Any]]]


@dataclass(frozen=True)
class Visit:
    """One patient and the dose. chances: of each of CANDIDATES. Every trap falls on patients by their number."""

    number: int
    subject: int
    study: int
    person: Person
    person_number: int
    chosen: int
    chances: tuple[float, ...]
    random: np.random.Generator

    @property
    def drug(self) -> Candidate:
        return CANDIDATES[self.chosen]

    @property
    def source(self) -> str:
        """Where the dose stands: a fifth of patients came before the eMAR, a fifth lie in the ICU."""
        if self.number % 5 == 0:
            return "prescriptions"
        return "inputevents" if self.number % 5 == 1 and self.drug.itemid else "emar"

    @property
    def traps(self) -> tuple[str, ...]:
        """Names of the planted traps that make reading this patient different."""
        planted = {
            "unknown_patient": self.number % 41 == 40,
            "cut_recording": self.number % 23 == 22,
            "gap": self.number % 11 == 3,
            "flat_lead": self.number % 17 == 6,
            "age_above_89": self.number % 19 == 9,
            "dose_range": self.number % 7 == 2 and self.source == "emar",
            "ecg_at_the_dose": self.number % 13 == 8,
        }
        return tuple(name for name, there in planted.items() if there)

    @property
    def study_before(self) -> int:
        return self.study

    @property
    def study_after(self) -> int:
        return self.study + 1

    @property
    def admission(self) -> int:
        return 20_000_000 + 2 * self.number

    def at(self, hours: float) -> str:
        """The time so many hours after the dose, as MIMIC writes it."""
        start = datetime(2150, 3, 1, 9) + timedelta(days=61 * (self.number % 300))
        return (start + timedelta(minutes=round(60 * hours))).isoformat(" ", "seconds")

    def recordings(self) -> Iterator[tuple[int, str, NDArray[np.int16], str]]:
        """Study, time, samples and defect; a third one lies weeks back, and some a few minutes from the dose."""
        early, late = -self._steady(0.5, 6.0, 1), self._steady(1.0, 5.0, 2)
        defect = "gap" if "gap" in self.traps else "flat" if "flat_lead" in self.traps else ""
        yield self.study_before, self.at(early), self.person.before, defect
        yield (
            self.study_after,
            self.at(late),
            self.person.after[self.chosen],
            ("cut" if "cut_recording" in self.traps else ""),
        )
        if "ecg_at_the_dose" in self.traps:
            yield self.study + 2, self.at(-0.05), self.person.before, ""
        if self.number % 3 == 0:
            yield self.study + 3, self.at(-24.0 * 20), self.person.before, ""

    def _steady(self, low: float, high: float, salt: int) -> float:
        """A number of this patient that does not depend on what else was drawn."""
        return low + (high - low) * float(np.random.default_rng((self.subject, salt)).random())


def chart_rows(visit: Visit, labs: int) -> Rows:
    """Rows of every clinical table, by name; a patient whom the clinical module does not know has none."""
    rows: Rows = {
        name: [] for name in HEADERS if name not in ("record_list", "machine_measurements", "episodes")
    }
    if "unknown_patient" in visit.traps:
        return rows
    _add_patient(visit, rows)
    _add_labs(visit, labs, rows)
    _add_order(visit, rows)
    if visit.source == "inputevents":
        _add_infusion(visit, rows)
    if visit.source != "prescriptions":
        _add_emar(visit, rows)
    return rows


def _add_patient(visit: Visit, rows: Rows) -> None:
    who = {"subject_id": visit.subject}
    age = 91 if "age_above_89" in visit.traps else round(visit.person.age_years)
    year = int(visit.at(0.0)[:4])
    sex = "F" if visit.person.female else "M"
    patient = {"gender": sex, "anchor_age": age, "anchor_year": year, "anchor_year_group": "2014 - 2016"}
    rows["patients"].append(row_of("patients", **who, **patient))
    stays = ((visit.admission, -_IN_AGO_H, _OUT_H), (visit.admission + 1, -24.0 * 60, -24.0 * 55))
    for admission, start, end in stays:
        times = {"admittime": visit.at(start), "dischtime": visit.at(end)}
        rows["admissions"].append(
            row_of(
                "admissions",
                **who,
                hadm_id=admission,
                **times,
                admission_type="URGENT",
                hospital_expire_flag=0,
            )
        )
    for admission, code, version in ((visit.admission, FUTURE_CODE, 10), (visit.admission + 1, "4280   ", 9)):
        rows["diagnoses_icd"].append([visit.subject, admission, 1, code, version])
    rows["omr"].append(
        [visit.subject, visit.at(-24.0 * 9)[:10], 1, "Weight (Lbs)", f"{150 + visit.number % 90}"]
    )
    rows["omr"].append([visit.subject, visit.at(-24.0 * 9)[:10], 1, "Blood Pressure", "120/80"])
    rows["omr"].append([visit.subject, visit.at(0.0)[:10], 2, "Weight (Lbs)", "999"])


def _add_labs(visit: Visit, labs: int, rows: Rows) -> None:
    """Potassium before, and around it values that must not be used; then as many others as are asked for."""
    first = 1000 * visit.number

    def lab(item: str, taken_h: float, stored_h: float, value: str, number: str, unit: str) -> None:
        times = {"charttime": visit.at(taken_h), "storetime": visit.at(stored_h)}
        cells = {"itemid": item, **times, "value": value, "valuenum": number, "valueuom": unit}
        keys = {
            "labevent_id": first + len(rows["labevents"]),
            "subject_id": visit.subject,
            "specimen_id": first,
        }
        rows["labevents"].append(row_of("labevents", **keys, hadm_id=visit.admission, **cells))

    potassium = f"{visit.person.potassium:.1f}"
    lab("50971", -3.0, -2.0, potassium, potassium, "mEq/L")
    lab("50971", 2.0, 3.0, "9.9", "9.9", "mEq/L")  # after the dose
    lab("50971", -0.5, 1.0, "9.8", "9.8", "mEq/L")  # taken before it, known after it
    lab("50971", -1.0, -0.9, "HEMOLYZED", "", "mEq/L")
    lab("50822", -1.5, -1.4, "-1", "-1", "mEq/L")
    lab("50971", -1.2, -1.1, "999", "999", "mEq/L")
    count = max(0, labs - len(rows["labevents"]))
    items = visit.random.choice(list(_OTHER_LABS), count)
    taken = visit.random.uniform(-_IN_AGO_H, _OUT_H, count)
    apart = visit.random.standard_normal(count)
    for item, hours, z in zip(items.tolist(), taken.tolist(), apart.tolist(), strict=True):
        mean, sd, unit = _OTHER_LABS[item]
        value = f"{mean + sd * z:.1f}"
        lab(item, hours, hours + 1.0, value, value, unit)


def _add_order(visit: Visit, rows: Rows) -> None:
    """The order of the drug that was given, its solvent, and an order that nobody carried out."""
    never = CANDIDATES[(visit.chosen + 1) % len(CANDIDATES)]
    hour = 0.0 if visit.source == "prescriptions" else -0.3
    orders = [(hour, "MAIN", visit.drug, _dose_text(visit)), (hour, "BASE", visit.drug, "50")]
    if visit.source != "prescriptions":
        orders.append((-0.2, "MAIN", never, f"{never.dose:g}"))
    for order, (hours, kind, drug, dose) in enumerate(orders):
        cells = {
            "pharmacy_id": 10 * visit.number + order,
            "starttime": visit.at(hours),
            "stoptime": visit.at(hours + 24.0),
            "drug_type": kind,
            "drug": drug.drug.capitalize() if kind == "MAIN" else "0.9% Sodium Chloride",
            "dose_val_rx": dose,
            "dose_unit_rx": drug.unit if kind == "MAIN" else "mL",
            "route": "IV",
        }
        rows["prescriptions"].append(
            row_of("prescriptions", subject_id=visit.subject, hadm_id=visit.admission, **cells)
        )


def _add_emar(visit: Visit, rows: Rows) -> None:
    """What the nurse wrote: given, not given, delayed, and a flush of the line."""
    here = visit.source == "emar"
    name = visit.drug.drug.capitalize()
    never = CANDIDATES[(visit.chosen + 1) % len(CANDIDATES)].drug.capitalize()
    events = [
        (-2.0, name, "Not Given"),
        (-0.2, never, "Not Given"),
        (-0.1, name, "Delayed"),
        (-0.1, "Sodium Chloride 0.9%  Flush", "Flushed"),
        *([(0.0, name, "Administered")] if here else []),
        (12.0, "Docusate Sodium", "Delayed Administered"),
    ]
    for number, (hours, medication, event) in enumerate(events, start=1):
        identity = {"subject_id": visit.subject, "emar_id": f"{visit.subject}-{number}", "emar_seq": number}
        times = {"charttime": visit.at(hours), "storetime": visit.at(hours + 0.1)}
        cells = {"hadm_id": visit.admission, "medication": medication, "event_txt": event, **times}
        rows["emar"].append(row_of("emar", **identity, **cells))
        if event != "Administered":
            continue
        due, unit = _dose_text(visit), visit.drug.unit
        rows["emar_detail"].append(
            row_of("emar_detail", **identity, dose_due=due, dose_due_unit=unit, route="IV")
        )
        if "dose_range" not in visit.traps:  # given as two products
            for product in (1, 2):
                half = {"dose_given": f"{visit.drug.dose / 2:g}", "dose_given_unit": unit, "route": "IV"}
                rows["emar_detail"].append(
                    row_of("emar_detail", **identity, parent_field_ordinal=f"1.{product}", **half)
                )


def _add_infusion(visit: Visit, rows: Rows) -> None:
    """The dose as a push of the ICU, its change of rate, a rewritten row, and heparin that is counted in doses."""
    stay = {"subject_id": visit.subject, "hadm_id": visit.admission, "stay_id": 30_000_000 + visit.number}
    rows["icustays"].append(row_of("icustays", **stay, first_careunit="CCU", intime=visit.at(-20.0)))
    order = 10 * visit.number
    drug = {"itemid": visit.drug.itemid, "amount": f"{visit.drug.dose:g}", "amountuom": visit.drug.unit}
    events = [
        (0.0, {**drug, "linkorderid": order, "statusdescription": "FinishedRunning"}),
        (0.4, {**drug, "linkorderid": order, "statusdescription": "Stopped"}),
        (-0.4, {**drug, "linkorderid": order + 1, "statusdescription": "Rewritten"}),
    ]
    if visit.number % 2:
        heparin = {"itemid": "225975", "amount": "1", "amountuom": "dose", "linkorderid": order + 2}
        events.append((8.0, {**heparin, "statusdescription": "FinishedRunning"}))
    for hours, cells in events:
        times = {
            "starttime": visit.at(hours),
            "endtime": visit.at(hours + 0.02),
            "storetime": visit.at(hours),
        }
        common = {"patientweight": "80", "ordercategorydescription": "Drug Push"}
        rows["inputevents"].append(row_of("inputevents", **stay, **times, **common, **cells))
    for hours, value in ((-1.0, 118), (1.0, 61)):
        cells = {"charttime": visit.at(hours), "storetime": visit.at(hours), "itemid": "220179"}
        numbers = {"value": value, "valuenum": value, "valueuom": "mmHg", "warning": 0}
        rows["chartevents"].append(row_of("chartevents", **stay, **cells, **numbers))


def _dose_text(visit: Visit) -> str:
    dose = visit.drug.dose
    return f"{dose:g}-{2 * dose:g}" if "dose_range" in visit.traps else f"{dose:g}"
