"""Tables of numbers: CSV, TSV and their kin; one row for each sample, one column for each lead."""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from worldmodel.ecg import LEADS, Ecg
from worldmodel.errors import EcgFileError
from worldmodel.readers.head import head_of
from worldmodel.readers.names import canonical_lead
from worldmodel.readers.numbers import ecg_of
from worldmodel.readers.rates import left_out
from worldmodel.readers.stated import Stated
from worldmodel.units import mv_per

_SEPARATORS = ("\t", ";", ",", " ")
_COMMENTS = ("#", "%")
_HEAD = 1 << 16
_LOOKED_AT = 3  # rows of the head that must agree
_NUMBER = re.compile(r"[-+]?(\d+[.,]?\d*|[.,]\d+)([eE][-+]?\d+)?")
_NOTHING = {"", "nan", "na", "n/a", "null", "none", "-", "?"}
_OTHER_LEAD = re.compile(r"V[7-9]|V[3-9]R|v[xyz]")
_COUNTER = re.compile(r"|sample|samples|index|idx|nr|no|n|frame|unnamed: 0", re.IGNORECASE)
# "time", "t [s]", "time_ms", "seconds": the word, the unit, or both.
_TIME = re.compile(
    r"(?P<word>time ?stamp|elapsed time|elapsed|time|t|zeit)?[\s_\-\[(/]*"
    r"(?P<unit>s|sec|secs|seconds?|ms|msec|milliseconds?|us|µs|μs|microseconds?)?[\])\s]*",
    re.IGNORECASE,
)
_PER_SECOND = {"s": 1.0, "m": 1e3, "u": 1e6, "µ": 1e6, "μ": 1e6}
# "I [mV]", "II (uV)", "V1_mV"
_WITH_UNIT = re.compile(
    r"(?P<name>.+?)\s*(?:[\[(](?P<inside>[^\])]+)[\])]|_(?P<after>[munµμ]V))", re.IGNORECASE
)


@dataclass(frozen=True)
class _Table:
    """The text of the rows, without comments and header; decimal_comma: 0,5 is a half."""

    separator: str
    decimal_comma: bool
    header: tuple[str, ...]
    width: int
    rows: list[str] = field(repr=False)


@dataclass(frozen=True)
class _Columns:
    """Which columns are what: leads by index, and what the header says of time and unit."""

    leads: tuple[int, ...]
    names: tuple[str, ...]
    unit: str | None = None
    time: int | None = None
    per_second: float | None = None  # units of time in one second, where the name of the column says so
    left_out: tuple[str, ...] = ()


def locate(path: Path) -> Path | None:
    """`path` where its first rows are numbers, all alike, under one header row or none."""
    head = head_of(path, _HEAD)
    if not head or (b"\0" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff"))):
        return None
    lines = _lines(_decoded(head))
    return path if _parsed(lines[:-1] if len(head) == _HEAD else lines) else None


def read(path: Path, stated: Stated) -> Ecg:
    """The recording in mV. Rate, unit and leads are those stated, or those that the header spells out.

    Raises EcgFileError, naming all options that are missing.
    """
    try:
        table = _parsed(_lines(_decoded(path.read_bytes())))
    except OSError as error:
        raise EcgFileError(
            f"{path} cannot be read: {error.strerror}.", "Check the file's permissions."
        ) from error
    if table is None:
        raise EcgFileError(
            f"{path} is no table of numbers.", "Give one row for each sample and one column a lead."
        )
    columns = _columns(path, table, stated)
    wanted = [*columns.leads, *([] if columns.time is None else [columns.time])]
    numbers = _numbers(path, table, wanted)
    told = left_out(columns.left_out, "not a lead")
    fs_hz = stated.fs_hz
    if columns.time is not None and columns.per_second is not None:
        measured = _rate_hz(numbers[-1] / columns.per_second)
        name = table.header[columns.time]
        if fs_hz is None and measured is not None:
            fs_hz = measured
            told += (f"The rate of {fs_hz:g} Hz is that of the column {name}.",)
        elif fs_hz is not None and measured is not None and abs(fs_hz / measured - 1) > 0.01:
            told += (f"The column {name} says {measured:g} Hz; the stated {fs_hz:g} Hz were used.",)
    if stated.unit and columns.unit and mv_per(stated.unit) != mv_per(columns.unit):
        told += (f"The header says {columns.unit}; the stated {stated.unit} was used.",)
    signals = numbers[: len(columns.leads)]
    return ecg_of(path, signals, fs_hz, stated.unit or columns.unit, columns.names, told)


def _decoded(raw: bytes) -> str:
    """UTF-8 or UTF-16 by its mark, else Latin-1, which cannot fail; numbers are ASCII in each."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", errors="replace")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip(" ") and not line.lstrip().startswith(_COMMENTS)]


def _cells(line: str, separator: str) -> list[str]:
    if separator == " ":
        return line.replace('"', "").split()
    return [cell.strip() for cell in next(csv.reader([line], delimiter=separator))]


def _parsed(lines: Sequence[str]) -> _Table | None:
    """How the lines are a table, by the separator that makes most columns; None where they are none.

    So 1,2 is two columns, unless a header of one says that it is a number with a decimal comma.
    """
    found = []
    for separator in _SEPARATORS:
        for first in (0, 1):  # with the header row, or without
            rows = [_cells(line, separator) for line in lines[first : first + _LOOKED_AT]]
            header = tuple(_cells(lines[0], separator)) if first and lines else ()
            if len(rows) > 1 and _alike(rows, header):
                cells = [cell for row in rows for cell in row]
                comma = separator != "," and any("," in cell for cell in cells if _NUMBER.fullmatch(cell))
                found.append(_Table(separator, comma, header, len(rows[0]), list(lines[first:])))
    return max(found, key=lambda table: table.width, default=None)


def _alike(rows: Sequence[Sequence[str]], header: Sequence[str]) -> bool:
    """Whether the rows have one width, that of the header if there is one, and a number in each."""
    if {len(row) for row in rows} != {len(header) or len(rows[0])}:
        return False
    named = [index for index, name in enumerate(header) if _is_lead(name)]
    for row in rows:
        cells = [row[index] for index in named] or row  # beside named leads a column may hold words
        if not all(cell.lower() in _NOTHING or _NUMBER.fullmatch(cell) for cell in cells):
            return False
    return any(_NUMBER.fullmatch(cell) for row in rows for cell in row)


def _is_lead(name: str) -> bool:
    lead = canonical_lead(_named(name)[0])
    # A bare x or y is rather an axis than Frank's.
    return lead in LEADS or bool(_OTHER_LEAD.fullmatch(lead) and len(name.strip()) > 1)


def _named(cell: str) -> tuple[str, str | None]:
    """A header cell as name and unit: "II (uV)" -> "II", "uV"."""
    match = _WITH_UNIT.fullmatch(cell.strip())
    unit = (match["inside"] or match["after"]) if match else None
    return (match["name"], unit) if match and unit and mv_per(unit) is not None else (cell, None)


def _columns(path: Path, table: _Table, stated: Stated) -> _Columns:
    """What each column is: by the header, and by --leads, which wins. Raises EcgFileError where the counts differ."""
    time = next((index for index, name in enumerate(table.header) if _time_unit(name) is not None), None)
    others = [i for i in range(table.width) if i != time and not _counts(table, i)]
    named = [index for index in others if table.header and _is_lead(table.header[index])]
    leads, names = (others, stated.leads) if stated.leads else (named, _names(table, named))
    if stated.leads and len(others) != len(stated.leads) == len(named):
        leads = named
    if stated.leads and len(leads) != len(stated.leads):
        besides = "" if len(leads) == table.width else " besides time and numbering"
        raise EcgFileError(
            f"{path} has {len(leads)} columns{besides}, and --leads names {len(stated.leads)}.",
            "Samples belong in rows and leads in columns; a column of times needs a header such as time_s.",
        )
    units = {_named(table.header[index])[1] for index in leads} if table.header else set()
    unit = units.pop() if len(units) == 1 else None
    spare = tuple(table.header[index] for index in others if index not in leads) if table.header else ()
    per_second = None if time is None else _time_unit(table.header[time]) or None
    return _Columns(tuple(leads), tuple(names), unit, time, per_second, spare)


def _names(table: _Table, columns: Sequence[int]) -> tuple[str, ...]:
    return tuple(_named(table.header[index])[0] for index in columns)


def _counts(table: _Table, index: int) -> bool:
    """Whether a column only numbers the samples, as spreadsheets and pandas write it."""
    return bool(table.header) and bool(_COUNTER.fullmatch(table.header[index]))


def _time_unit(name: str) -> float | None:
    """Units of time in a second, for the name of a time column; 0 where it names no unit; None for other columns."""
    match = _TIME.fullmatch(name.strip())
    if match is None or not (match["word"] or match["unit"]):
        return None
    return _PER_SECOND[match["unit"][0].lower()] if match["unit"] else 0.0


def _rate_hz(times_s: NDArray[np.float64]) -> float | None:
    """Samples per second of regular times; None where a step is missing, doubled, or runs backwards."""
    steps = np.diff(times_s)
    if steps.size < 2 or not np.isfinite(steps).all() or not (usual := float(np.median(steps))) > 0:
        return None
    # Times rounded to milliseconds step by 2 and 3; a lost sample steps by twice the usual.
    if not (0.5 * usual < steps.min() and steps.max() < 1.5 * usual + 1e-12):
        return None
    return round(float(steps.size / (times_s[-1] - times_s[0])), 4)


def _numbers(path: Path, table: _Table, wanted: Sequence[int]) -> NDArray[np.float64]:
    """(column, time) of the wanted columns, NaN for empty cells. Raises EcgFileError."""
    if not wanted:
        return np.empty((0, 0))
    separator = None if table.separator == " " else table.separator
    rows = table.rows
    if table.decimal_comma:
        rows = [row.replace(",", ".") for row in rows]
    if separator is not None:
        rows = [_filled(row, separator) for row in rows]
    try:
        numbers = np.loadtxt(
            io.StringIO("\n".join(rows)),
            delimiter=separator,
            usecols=wanted,
            quotechar='"',
            comments=None,
            ndmin=2,
        )
    except ValueError as error:
        raise EcgFileError(
            f"{path} is no table of numbers throughout ({str(error).split(';')[0].rstrip('.')}).",
            "Every row needs the same columns, with a number or nothing for each lead; rows count without header.",
        ) from error
    return np.ascontiguousarray(numbers.T)


def _filled(row: str, separator: str) -> str:
    """A row with "nan" where a cell holds nothing; as it is where all do."""
    if not any(cell.strip(' "').lower() in _NOTHING for cell in row.split(separator)):
        return row
    cells = (cell.replace(separator, " ") for cell in _cells(row, separator))
    return separator.join("nan" if cell.lower() in _NOTHING else cell for cell in cells)
