"""Rows and cells of a data set's CSV tables, with the line they stand in when something is wrong."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from worldmodel.errors import DataSetError

PER_NG_ML = {"ng/mL": 1.0, "pg/mL": 1e-3, "ug/mL": 1e3}
_WRAP = 2.0**32


def read_rows(table: Path, needed: Sequence[str], like: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Line numbers and rows. Raises DataSetError where the table is not there or of another layout than `like`."""
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            lacking = [name for name in needed if name not in (reader.fieldnames or ())]
            if lacking:
                raise DataSetError(
                    f"{table.name} has no column {', '.join(lacking)}.",
                    f"Give a table of the layout of {like}.",
                )
            for line, row in enumerate(reader, start=2):
                yield line, {name: value or "" for name, value in row.items() if name is not None}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataSetError(f"{table} cannot be read: {error}.", "Give a CSV table in UTF-8.") from error


def number(row: Mapping[str, str], name: str, table: Path, line: int) -> float:
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


def hours_after(row: Mapping[str, str], name: str, table: Path, line: int) -> float:
    """A cell with hours after the dose. Raises DataSetError where it is missing."""
    hours = number(row, name, table, line)
    if np.isnan(hours):
        raise DataSetError(f"{table.name}, line {line}: {name} is missing.", "Give hours after the dose.")
    return hours


def unwrapped(value: float) -> float:
    """A value that was stored as a negative 32-bit number and read as unsigned, as two PR of ecgrdvq were."""
    return value + _WRAP if value < 0 else value


def known(values: Mapping[str, float]) -> dict[str, float]:
    """Only what was measured."""
    return {name: float(value) for name, value in values.items() if np.isfinite(value)}


def optional(value: float) -> float | None:
    """None instead of NaN."""
    return float(value) if np.isfinite(value) else None
