"""ECGRDVQ: the FDA's crossover trial of dofetilide, quinidine, ranolazine, verapamil and placebo.

Johannesen 2014 (doi:10.1038/clpt.2014.155), PhysioNet ecgrdvq 1.0.0 (doi:10.13026/C2HP45), the table
SCR-002.Clinical.Data.csv: one row per ECG, three ECGs per time point, intervals as measured by the core laboratory.
`read_trial` gives the table's means, `open_room` the recordings and transitions. The recordings of 1 kHz were taken at
500 Hz and interpolated by the depositors.
"""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from worldmodel.beat import JT_RR_EXPONENT
from worldmodel.datasets.fda_trial import TrialEcg, TrialRoom
from worldmodel.datasets.rows import PER_NG_ML, hours_after, known, number, optional, read_rows, unwrapped
from worldmodel.datasets.transition import Context, Dose, Fact, Recording
from worldmodel.errors import DataSetError
from worldmodel.pharmacology import EFFECTS, PatientContext

TABLE = "SCR-002.Clinical.Data.csv"
PLACEBO = "placebo"
NEEDED = ("RANDID", "EXTRT", "TPT", "RR", "PR", "QT", "QRS", "JTPEAK", "TPEAKTEND")


@dataclass(frozen=True)
class Trial:
    """Means of the ECGs taken at one time.

    values: (subject, arm, time, 6) in the order of EFFECTS, T amplitude as the logarithm of microvolts;
    qtcf_ms: (subject, arm, time); plasma_ng_ml: (subject, arm, time). NaN where nothing was measured.
    arms: names of drugs in lower case, "placebo" among them. hours: after the dose, baseline first.
    """

    subjects: tuple[str, ...]
    arms: tuple[str, ...]
    hours: NDArray[np.float64]
    values: NDArray[np.float64]
    qtcf_ms: NDArray[np.float64]
    plasma_ng_ml: NDArray[np.float64]
    labels: dict[str, str]  # arm -> the table's own EXTRT
    taken: NDArray[np.bool_]  # (subject, arm, time): whether the table has a row

    def without(self, subject: int) -> "Trial":
        """The trial with one subject (by index) left out."""
        return self._of([i for i in range(len(self.subjects)) if i != subject])

    def only(self, subject: int) -> "Trial":
        """The trial of one subject (by index)."""
        return self._of([subject])

    def _of(self, rows: list[int]) -> "Trial":
        return Trial(
            tuple(self.subjects[i] for i in rows),
            self.arms,
            self.hours,
            self.values[rows],
            self.qtcf_ms[rows],
            self.plasma_ng_ml[rows],
            self.labels,
            self.taken[rows],
        )


def find_table(path: Path) -> Path:
    """The trial's table: `path` itself, or TABLE in the folder `path`. Raises DataSetError."""
    table = path / TABLE if path.is_dir() else path
    if not table.is_file():
        raise DataSetError(
            f"There is no table of the trial at {table}.",
            f"Give the file, or the folder that holds {TABLE} (PhysioNet ecgrdvq 1.0.0).",
        )
    return table


def read_trial(path: Path) -> Trial:
    """Read a table of this layout; triplicates are averaged. Raises DataSetError."""
    table = find_table(path)
    groups: dict[tuple[str, str, float], list[list[float]]] = defaultdict(list)
    plasma: dict[tuple[str, str, float], float] = {}
    labels: dict[str, str] = {}
    for line, row in read_rows(table, NEEDED, f"ecgrdvq's {TABLE}"):
        arm = _arm(row, table, line)
        labels.setdefault(arm, row["EXTRT"])
        key = (row["RANDID"], arm, hours_after(row, "TPT", table, line))
        groups[key].append(_measured(row, table, line))
        level = _plasma_ng_ml(row, table, line)
        if np.isfinite(level):
            plasma[key] = level
    if not groups:
        raise DataSetError(f"{table.name} holds no rows.", "Give a table with measurements.")
    subjects = sorted({key[0] for key in groups})
    arms = sorted({key[1] for key in groups}, key=lambda arm: (arm != PLACEBO, arm))
    hours_all = np.array(sorted({key[2] for key in groups}))
    shape = (len(subjects), len(arms), len(hours_all))
    values, qtcf = np.full((*shape, len(EFFECTS)), np.nan), np.full(shape, np.nan)
    level_at, taken = np.full(shape, np.nan), np.zeros(shape, dtype=bool)
    for (subject, arm, at), rows in groups.items():
        place = (subjects.index(subject), arms.index(arm), int(np.searchsorted(hours_all, at)))
        table_of = np.array(rows)
        known = np.isfinite(table_of)
        mean = np.where(known, table_of, 0.0).sum(0) / np.maximum(known.sum(0), 1)
        mean[~known.any(0)] = np.nan
        taken[place] = True
        values[place], qtcf[place] = mean[:-1], mean[-1]
        level_at[place] = plasma.get((subject, arm, at), np.nan)
    return Trial(tuple(subjects), tuple(arms), hours_all, values, qtcf, level_at, labels, taken)


def _arm(row: dict[str, str], table: Path, line: int) -> str:
    words = row["EXTRT"].split()
    if not words:
        raise DataSetError(f"{table.name}, line {line}: EXTRT is empty.", "Name the drug, or Placebo.")
    return words[0].lower()


def _plasma_ng_ml(row: dict[str, str], table: Path, line: int) -> float:
    level, unit = number(row, "PCSTRESN", table, line), row.get("PCSTRESU", "")
    if np.isfinite(level) and unit not in PER_NG_ML:
        raise DataSetError(
            f"{table.name}, line {line}: concentration in {unit!r}.", "Use pg/mL, ng/mL or ug/mL."
        )
    return level * PER_NG_ML.get(unit, np.nan)


def _measured(row: dict[str, str], table: Path, line: int) -> list[float]:
    """Values of one ECG in the order of EFFECTS, and QTcF by Fridericia."""
    rr_ms = number(row, "RR", table, line)
    rr_s = rr_ms / 1000.0 if rr_ms > 0 else np.nan
    amplitude_uv = number(row, "Twave_amplitude", table, line)
    return [
        60.0 / rr_s,
        unwrapped(number(row, "PR", table, line)),
        number(row, "QRS", table, line),
        number(row, "JTPEAK", table, line) / rr_s**JT_RR_EXPONENT,
        number(row, "TPEAKTEND", table, line),
        float(np.log(amplitude_uv)) if amplitude_uv > 0 else np.nan,
        number(row, "QT", table, line) / rr_s ** (1.0 / 3.0),
    ]


# Recordings and transitions -----------------------------------------------------------------------------------


def open_room(folder: Path) -> TrialRoom:
    """The trial's recordings with what was given. Raises DataSetError."""
    table = find_table(folder)
    ecgs: dict[str, list[TrialEcg]] = defaultdict(list)
    contexts: dict[str, Context] = {}
    for line, row in read_rows(table, (*NEEDED, "EGREFID", "VISIT"), f"ecgrdvq's {TABLE}"):
        subject, hours = row["RANDID"], hours_after(row, "TPT", table, line)
        contexts.setdefault(subject, context_of(row, table, line))
        recording = recording_of(row, table, line, contexts[subject].patient)
        # Before the dose the rows carry the drug's name, too, with nothing on board yet.
        doses = _doses(row, table, line) if hours > 0 else ()
        ecgs[subject].append(TrialEcg(recording, row["VISIT"], hours, row["EXTRT"], doses))
    return TrialRoom("ecgrdvq", table.parent, ecgs, contexts)


def recording_of(row: dict[str, str], table: Path, line: int, patient: PatientContext) -> Recording:
    """The ECG of a row, which the tables of ecgrdvq and ecgdmmld write alike."""

    def cell(name: str) -> float:
        return number(row, name, table, line)

    measured = {
        "rr_ms": cell("RR"),
        "pr_ms": unwrapped(cell("PR")),
        "qrs_ms": cell("QRS"),
        "qt_ms": cell("QT"),
        "jtpeak_ms": cell("JTPEAK"),
        "tpeak_tend_ms": cell("TPEAKTEND"),
        "t_amplitude_uv": cell("Twave_amplitude"),
    }
    identity = row["EGREFID"]
    return Recording(identity, f"raw/{row['RANDID']}/{identity}", measured=known(measured), patient=patient)


def context_of(row: dict[str, str], table: Path, line: int) -> Context:
    """Who the volunteer is; weight, height and pressure were taken at screening."""
    columns = {
        "height_cm": ("HGHT", "cm"),
        "weight_kg": ("WGHT", "kg"),
        "systolic_bp": ("SYSBP", "mmHg"),
        "diastolic_bp": ("DIABP", "mmHg"),
    }
    values = known({name: number(row, column, table, line) for name, (column, _) in columns.items()})
    facts = tuple(Fact(name, value, columns[name][1]) for name, value in values.items())
    sex = row.get("SEX", "")
    age = optional(number(row, "AGE", table, line))
    return Context(PatientContext(age, {"F": True, "M": False}.get(sex)), facts)


def _doses(row: dict[str, str], table: Path, line: int) -> tuple[Dose, ...]:
    drug = _arm(row, table, line)
    if drug == PLACEBO:
        return ()
    plasma = optional(_plasma_ng_ml(row, table, line))
    amount = optional(number(row, "EXDOSE", table, line))
    return (Dose(drug, amount, row.get("EXDOSU", ""), "oral", 0.0, plasma, source="protocol"),)
