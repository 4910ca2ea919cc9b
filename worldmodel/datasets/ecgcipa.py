"""ECGCIPA: the FDA's trial of ranolazine, verapamil, lopinavir with ritonavir, chloroquine, dofetilide with and without
diltiazem, and placebo.

Vicente 2019 (doi:10.1002/cpt.1303), PhysioNet ecgcipa 1.0.0 (doi:10.13026/C2967M). Four analysis tables: adeg has one
row for each parameter of an ECG, and rows of averages that belong to no ECG; adpc concentrations by subject, period and
time; adsl and addm the subjects. A concentration of 0 is below what can be measured (LLOQFL). ATPT counts hours from
the first dose of the period, NRRLT from the dose of the day: the first is used, as doses of days before go on acting.
Recordings are in microvolts. Doses are not in the tables, and none is made up.
"""

import re
from collections import defaultdict
from pathlib import Path

import numpy as np

from worldmodel.datasets.fda_trial import TrialEcg, TrialRoom
from worldmodel.datasets.rows import PER_NG_ML, number, optional, read_rows
from worldmodel.datasets.transition import Context, Dose, Fact, Recording
from worldmodel.errors import DataSetError
from worldmodel.pharmacology import PatientContext

LIKE = "PhysioNet's ecgcipa 1.0.0"
PARAMETERS = {
    "HR": "hr_bpm",
    "RR": "rr_ms",
    "PR": "pr_ms",
    "QRS": "qrs_ms",
    "QT": "qt_ms",
    "QTCF": "qtcf_ms",
    "JTP": "jtpeak_ms",
    "JTPC": "jtpeakc_ms",
    "TPTE": "tpeak_tend_ms",
}
ANALYTES = {
    "RAN": "ranolazine",
    "VER": "verapamil",
    "LOP": "lopinavir",
    "RIT": "ritonavir",
    "CHL": "chloroquine",
    "DIL": "diltiazem",
    "DOF": "dofetilide",
}
_VITALS = {
    "HEIGHT": ("height_cm", "cm"),
    "WEIGHT": ("weight_kg", "kg"),
    "SYSBP": ("systolic_bp", "mmHg"),
    "DIABP": ("diastolic_bp", "mmHg"),
}
Key = tuple[str, str, str]


def open_room(folder: Path) -> TrialRoom:
    """The trial's recordings with what was on board. Raises DataSetError."""
    plasma = _concentrations(folder / "adpc.csv")
    contexts = _contexts(folder)
    rows: dict[str, dict[str, str]] = {}
    measured: dict[str, dict[str, float]] = defaultdict(dict)
    table = folder / "adeg.csv"
    needed = ("EGREFID", "USUBJID", "TRTA", "APERIOD", "ATPT", "ATPTN", "PARAMCD", "AVAL")
    for line, row in read_rows(table, needed, LIKE):
        if not row["EGREFID"].strip() or row.get("DTYPE") == "AVERAGE":
            continue
        rows.setdefault(row["EGREFID"], row)
        value = number(row, "AVAL", table, line)
        if row["PARAMCD"] in PARAMETERS and np.isfinite(value):
            measured[row["EGREFID"]][PARAMETERS[row["PARAMCD"]]] = value
    ecgs: dict[str, list[TrialEcg]] = defaultdict(list)
    for identity, row in rows.items():
        subject, hours = row["USUBJID"], _hours(row["ATPT"])
        patient = contexts[subject].patient if subject in contexts else PatientContext()
        recording = Recording(
            identity, f"raw/{subject}/{identity}", row.get("ADTM", ""), measured[identity], patient=patient
        )
        on_board = plasma.get((subject, row["APERIOD"], row["ATPTN"]), {})
        drugs = [name for name in re.split(r"\s*\+\s*", row["TRTA"].strip().lower()) if name != "placebo"]
        doses = tuple(on_board.get(drug, Dose(drug, source="arm")) for drug in drugs) if hours > 0 else ()
        ecgs[subject].append(TrialEcg(recording, row["APERIOD"], hours, row["TRTA"], doses))
    return TrialRoom("ecgcipa", folder, ecgs, contexts)


def _hours(text: str) -> float:
    """Hours of ATPT, such as "54 hrs". Raises DataSetError."""
    found = re.fullmatch(r"\s*(-?\d+(?:\.\d+)?)\s*hrs?\.?\s*", text)
    if found is None:
        raise DataSetError(f"adeg.csv: ATPT is {text!r}.", "It should say hours, as in '54 hrs'.")
    return float(found[1])


def _concentrations(table: Path) -> dict[Key, dict[str, Dose]]:
    """Doses with their concentration, by subject, period and number of the time, then by drug."""
    found: dict[Key, dict[str, Dose]] = defaultdict(dict)
    needed = ("USUBJID", "APERIOD", "ATPTN", "PARAMCD", "AVAL", "LLOQFL")
    for line, row in read_rows(table, needed, LIKE):
        drug = ANALYTES.get(row["PARAMCD"])
        if drug is None:
            continue
        unit = row.get("PCSTRESU") or ("pg/mL" if drug == "dofetilide" else "ng/mL")
        if unit not in PER_NG_ML:
            raise DataSetError(f"adpc.csv, line {line}: concentration in {unit!r}.", "Use pg/mL or ng/mL.")
        below = row["LLOQFL"] == "Y"
        level = np.nan if below else number(row, "AVAL", table, line) * PER_NG_ML[unit]
        dose = Dose(drug, plasma_ng_ml=optional(level), below_lloq=below, source="arm")
        found[row["USUBJID"], row["APERIOD"], row["ATPTN"]][drug] = dose
    return found


def _contexts(folder: Path) -> dict[str, Context]:
    facts: dict[str, list[Fact]] = defaultdict(list)
    table = folder / "addm.csv"
    for line, row in read_rows(table, ("USUBJID", "PARAMCD", "AVAL"), LIKE):
        value = number(row, "AVAL", table, line)
        if row["PARAMCD"] in _VITALS and np.isfinite(value):
            name, unit = _VITALS[row["PARAMCD"]]
            facts[row["USUBJID"]].append(Fact(name, value, unit))
    contexts = {}
    table = folder / "adsl.csv"
    for line, row in read_rows(table, ("USUBJID", "AGE", "SEX"), LIKE):
        female = {"F": True, "M": False}.get(row["SEX"].strip())
        patient = PatientContext(optional(number(row, "AGE", table, line)), female)
        contexts[row["USUBJID"]] = Context(patient, tuple(facts[row["USUBJID"]]))
    return contexts
