"""Which tables of MIMIC-IV are read, which of their columns and items, and what their names and units mean here.

MIMIC-IV 2.2 and 3.1 (doi:10.13026/kpb9-mt58) and MIMIC-IV-ECG 1.0 (doi:10.13026/4nqg-sb35), and their demos. Item
numbers and limits of plausibility: MIT-LCP/mimic-code. Columns are found by name, as version 3 has some more.
"""

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from worldmodel.datasets.tables import Tables
from worldmodel.errors import DataSetError


@dataclass(frozen=True)
class Item:
    """What an itemid measures. units: as written, of which any is the same; low, high: beyond them it is an error."""

    name: str
    unit: str
    units: tuple[str, ...]
    low: float
    high: float


_MEQ = ("mEq/L", "mmol/L")
LABS = {
    "50971": Item("potassium", "mmol/L", _MEQ, 0.0, 30.0),
    "50822": Item("potassium", "mmol/L", _MEQ, 0.0, 30.0),
    "50893": Item("calcium", "mg/dL", ("mg/dL",), 0.0, 30.0),
    "50808": Item("ionized_calcium", "mmol/L", ("mmol/L",), 0.0, 10.0),
    "50960": Item("magnesium", "mg/dL", ("mg/dL",), 0.0, 20.0),
    "50912": Item("creatinine", "mg/dL", ("mg/dL",), 0.0, 150.0),
    "50983": Item("sodium", "mmol/L", _MEQ, 0.0, 200.0),
    "50824": Item("sodium", "mmol/L", _MEQ, 0.0, 200.0),
    "50931": Item("glucose", "mg/dL", ("mg/dL",), 0.0, 10_000.0),
    "50809": Item("glucose", "mg/dL", ("mg/dL",), 0.0, 10_000.0),
    "50813": Item("lactate", "mmol/L", ("mmol/L",), 0.0, 50.0),
    "51003": Item("troponin_t", "ng/mL", ("ng/mL",), 0.0, 100.0),
    "50963": Item("nt_probnp", "pg/mL", ("pg/mL",), 0.0, 500_000.0),
}
VITALS = {
    "220045": Item("heart_rate", "bpm", ("bpm",), 0.0, 300.0),
    "220179": Item("systolic_bp", "mmHg", ("mmHg",), 0.0, 400.0),
    "220050": Item("systolic_bp", "mmHg", ("mmHg",), 0.0, 400.0),
    "225309": Item("systolic_bp", "mmHg", ("mmHg",), 0.0, 400.0),
    "220180": Item("diastolic_bp", "mmHg", ("mmHg",), 0.0, 300.0),
    "220051": Item("diastolic_bp", "mmHg", ("mmHg",), 0.0, 300.0),
    "225310": Item("diastolic_bp", "mmHg", ("mmHg",), 0.0, 300.0),
    "220277": Item("spo2", "%", ("%",), 0.0, 100.0),
    "220210": Item("respiratory_rate", "1/min", ("insp/min",), 0.0, 70.0),
    "224690": Item("respiratory_rate", "1/min", ("insp/min",), 0.0, 70.0),
}
RHYTHM = "220048"  # text of the monitor's chart
# Drugs of icu/inputevents by item; what is a flush, a fluid or nutrition is no drug here.
INFUSED = {
    "222168": "propofol",
    "223258": "insulin regular",
    "225975": "heparin",
    "225152": "heparin",
    "221794": "furosemide",
    "228340": "furosemide",
    "221906": "norepinephrine",
    "221749": "phenylephrine",
    "229630": "phenylephrine",
    "229632": "phenylephrine",
    "221289": "epinephrine",
    "221653": "dobutamine",
    "221662": "dopamine",
    "221986": "milrinone",
    "222315": "vasopressin",
    "221347": "amiodarone",
    "228339": "amiodarone",
    "229654": "amiodarone",
    "221468": "diltiazem",
    "221429": "esmolol",
    "225974": "metoprolol",
    "225153": "labetalol",
    "225945": "lidocaine",
    "225166": "potassium chloride",
    "227522": "potassium chloride",
    "227536": "potassium chloride",
    "222011": "magnesium sulfate",
    "227523": "magnesium sulfate",
    "221456": "calcium gluconate",
    "227525": "calcium gluconate",
    "229640": "calcium gluconate",
    "221824": "haloperidol",
    "229616": "ondansetron",
    "225845": "azithromycin",
    "225879": "levofloxacin",
    "225859": "ciprofloxacin",
    "227520": "methadone",
    "225150": "dexmedetomidine",
    "229420": "dexmedetomidine",
    "225899": "trimethoprim sulfamethoxazole",
    "225869": "fluconazole",
    "225907": "famotidine",
}
# Sentinels of machine_measurements, which has no blanks: 29999, 65535 and the like lie beyond.
MOST_MS = 3000.0
MACHINE = ("rr_interval", "p_onset", "p_end", "qrs_onset", "qrs_end", "t_end")
REPORTS = tuple(f"report_{line}" for line in range(18))

_SUBJECT = "subject_id"
_EMAR_DETAIL = (
    "emar_id",  # names the subject, too
    "emar_id",
    "parent_field_ordinal",
    "dose_due",
    "dose_due_unit",
    "dose_given",
    "dose_given_unit",
    "infusion_rate",
    "infusion_rate_unit",
    "route",
)
_INPUTEVENTS = (
    _SUBJECT,
    "hadm_id",
    "starttime",
    "itemid",
    "amount",
    "amountuom",
    "rate",
    "rateuom",
    "linkorderid",
    "patientweight",
    "statusdescription",
)
_CLINICAL: tuple[tuple[str, str, tuple[str, ...], dict[str, Collection[str]]], ...] = (
    ("patients", "hosp", (_SUBJECT, "gender", "anchor_age", "anchor_year"), {}),
    ("admissions", "hosp", (_SUBJECT, "hadm_id", "admittime", "dischtime"), {}),
    ("diagnoses_icd", "hosp", (_SUBJECT, "hadm_id", "icd_code", "icd_version"), {}),
    ("emar", "hosp", (_SUBJECT, "hadm_id", "emar_id", "charttime", "medication", "event_txt"), {}),
    (
        "emar_detail",
        "hosp",
        _EMAR_DETAIL,
        {},
    ),
    (
        "prescriptions",
        "hosp",
        (_SUBJECT, "hadm_id", "starttime", "drug_type", "drug", "dose_val_rx", "dose_unit_rx", "route"),
        {"drug_type": ("MAIN",)},
    ),
    (
        "labevents",
        "hosp",
        (_SUBJECT, "itemid", "charttime", "storetime", "valuenum", "valueuom"),
        {"itemid": LABS.keys()},
    ),
    ("omr", "hosp", (_SUBJECT, "chartdate", "result_name", "result_value"), {}),
    (
        "inputevents",
        "icu",
        _INPUTEVENTS,
        {"itemid": INFUSED.keys()},
    ),
    (
        "chartevents",
        "icu",
        (_SUBJECT, "itemid", "charttime", "storetime", "value", "valuenum", "valueuom"),
        {"itemid": (*VITALS, RHYTHM)},
    ),
)
NEEDED = ("patients", "admissions")
Progress = Callable[[float], None]


def find_folder(folder: Path, file: str) -> Path | None:
    """The folder that holds `file`, at most three levels down; nobody walks through 800,000 recordings for it.

    Raises DataSetError where two are on the same level, such as two releases.
    """
    for level in ("", "*/", "*/*/", "*/*/*/"):
        found = [path.parent for path in sorted(folder.glob(f"{level}{file}"))]
        if len(found) > 1:
            raise DataSetError(
                f"{folder} holds {file} more than once: {', '.join(map(str, found))}.",
                "Name a folder that holds one release of MIMIC-IV and one of MIMIC-IV-ECG.",
            )
        if found:
            return found[0]
    return None


def take_ecgs(tables: Tables, ecg_folder: Path) -> None:
    """The list of recordings and, where the release has them, the machine's measurements."""
    tables.take("record_list", ecg_folder / "record_list.csv", (_SUBJECT, "study_id", "ecg_time", "path"))
    machine = ecg_folder / "machine_measurements.csv"
    if machine.is_file():
        tables.take("machine_measurements", machine, (_SUBJECT, "study_id", *REPORTS, *MACHINE))


def take_clinical(
    tables: Tables, root: Path, subjects: Iterable[int], progress: Progress | None = None
) -> dict[str, int]:
    """The clinical rows of these subjects; rows read of each table. A table that is not there is left out.

    Raises DataSetError where one of NEEDED is not there.
    """
    wanted = frozenset(str(subject) for subject in subjects)
    read: dict[str, int] = {}
    for number, (name, module, columns, keep) in enumerate(_CLINICAL):
        source = _table(root / module, name)
        if source is None:
            if name in NEEDED:
                raise DataSetError(
                    f"There is no table {name} in {root / module}.",
                    "Give the folder of MIMIC-IV that holds hosp and icu.",
                )
            continue

        def told(fraction: float, number: int = number) -> None:
            if progress:
                progress((number + fraction) / len(_CLINICAL))

        read[name] = tables.take(name, source, columns, wanted, keep, told)
    return read


def _table(folder: Path, name: str) -> Path | None:
    candidates = (folder / f"{name}.csv.gz", folder / f"{name}.csv")
    return next((path for path in candidates if path.is_file()), None)


def hours_between(start: str, end: str) -> float:
    """Hours from one time to another, both as MIMIC writes them."""
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds() / 3600.0


def hours_before(moment: str, hours: float) -> str:
    """The time so many hours before, as MIMIC writes it, for comparing as text."""
    return (datetime.fromisoformat(moment) - timedelta(hours=hours)).isoformat(" ", "seconds")


def amount_of(text: str) -> float | None:
    """A dose as a number; None where it is a range such as 5-10, a placeholder, or nothing."""
    plain = text.strip().replace(",", "")
    return float(plain) if re.fullmatch(r"(\d+(\.\d*)?|\.\d+)(e-?\d+)?", plain) else None


def plain_unit(unit: str) -> str:
    """Lower case, and ug for micrograms, as in the rest of the program."""
    low = unit.strip().lower()
    return re.sub(r"^mcg\b", "ug", {"grams": "g", "gm": "g", "units": "unit"}.get(low, low))


def plain_route(route: str) -> str:
    """oral or iv where it is one of these, else as written, in lower case."""
    low = route.strip().lower()
    if low.startswith(("po", "ng", "oral", "sl")):
        return "sublingual" if low.startswith("sl") else "oral"
    return "iv" if low.startswith("iv") else low
