"""ECGRDVQ: the FDA's crossover trial of dofetilide, quinidine, ranolazine, verapamil and placebo.

Johannesen 2014 (doi:10.1038/clpt.2014.155), PhysioNet ecgrdvq 1.0.0 (doi:10.13026/C2HP45), the table
SCR-002.Clinical.Data.csv: one row per ECG, three ECGs per time point, intervals as measured by the core laboratory.
"""

import csv
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from worldmodel.beat import JT_RR_EXPONENT
from worldmodel.errors import DataSetError
from worldmodel.pharmacology import EFFECTS

TABLE = "SCR-002.Clinical.Data.csv"
PLACEBO = "placebo"
NEEDED = ("RANDID", "EXTRT", "TPT", "RR", "PR", "QT", "QRS", "JTPEAK", "TPEAKTEND")
_PER_NG_ML = {"ng/mL": 1.0, "pg/mL": 1e-3, "ug/mL": 1e3}
_WRAP = 2.0**32  # two PR values were stored as negative 32-bit numbers and read as unsigned


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
    for line, row in _rows(table):
        arm = row["EXTRT"].split()[0].lower() if row["EXTRT"].strip() else ""
        if not arm:
            raise DataSetError(f"{table.name}, line {line}: EXTRT is empty.", "Name the drug, or Placebo.")
        labels.setdefault(arm, row["EXTRT"])
        hours = _number(row, "TPT", table, line)
        if np.isnan(hours):
            raise DataSetError(f"{table.name}, line {line}: TPT is missing.", "Give hours after the dose.")
        key = (row["RANDID"], arm, hours)
        groups[key].append(_measured(row, table, line))
        level = _number(row, "PCSTRESN", table, line)
        if np.isfinite(level):
            unit = row.get("PCSTRESU", "")
            if unit not in _PER_NG_ML:
                raise DataSetError(
                    f"{table.name}, line {line}: concentration in {unit!r}.", "Use pg/mL, ng/mL or ug/mL."
                )
            plasma[key] = level * _PER_NG_ML[unit]
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


def _rows(table: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Line numbers and rows. Raises DataSetError where the layout is another."""
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            lacking = [name for name in NEEDED if name not in (reader.fieldnames or ())]
            if lacking:
                raise DataSetError(
                    f"{table.name} has no column {', '.join(lacking)}.",
                    "Give a table of the layout of ecgrdvq's " + TABLE + ".",
                )
            for line, row in enumerate(reader, start=2):
                yield line, {name: value or "" for name, value in row.items() if name is not None}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataSetError(f"{table} cannot be read: {error}.", "Give a CSV table in UTF-8.") from error


def _number(row: dict[str, str], name: str, table: Path, line: int) -> float:
    """A cell as a number, NaN where it is missing. Raises DataSetError on anything else."""
    text = row.get(name, "NA").strip()
    if text in ("", "NA"):
        return np.nan
    try:
        return float(text)
    except ValueError:
        raise DataSetError(
            f"{table.name}, line {line}: {name} is {text!r}.", "Give a number, or NA where it is missing."
        ) from None


def _measured(row: dict[str, str], table: Path, line: int) -> list[float]:
    """Values of one ECG in the order of EFFECTS, and QTcF by Fridericia."""
    rr_ms = _number(row, "RR", table, line)
    rr_s = rr_ms / 1000.0 if rr_ms > 0 else np.nan
    pr = _number(row, "PR", table, line)
    amplitude_uv = _number(row, "Twave_amplitude", table, line)
    return [
        60.0 / rr_s,
        pr + _WRAP if pr < 0 else pr,
        _number(row, "QRS", table, line),
        _number(row, "JTPEAK", table, line) / rr_s**JT_RR_EXPONENT,
        _number(row, "TPEAKTEND", table, line),
        float(np.log(amplitude_uv)) if amplitude_uv > 0 else np.nan,
        _number(row, "QT", table, line) / rr_s ** (1.0 / 3.0),
    ]
