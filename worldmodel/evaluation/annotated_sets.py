"""Annotated sets in a folder: which layout it has, and its records with their marks one by one."""

import csv
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from worldmodel.ecg import LEADS, Ecg, standard_twelve
from worldmodel.errors import EcgFileError
from worldmodel.evaluation.marks import MarkedRecord, Marks, Waves, standard_rows, waves_of
from worldmodel.readers import read_ecg

# Of the annotators of the QT database: the cardiologist's second pass, the other's, then ecgpuwave's.
QTDB_ANNOTATORS = ("q1c", "q2c", "pu", "pu0", "pu1")
# A delineator may look around the marked beats, as it would around any beat.
_AROUND_S = 5.0
_STRIP_S = 10.0


@dataclass(frozen=True)
class AnnotatedSet:
    """keys: what `read` takes, one for each record. complete: between its first and last mark every beat is
    marked, so that a detection without a mark is false. about: how it was marked and is scored, for the reader.
    """

    name: str
    about: str
    keys: tuple[Any, ...]
    read: Callable[[Any], MarkedRecord]
    complete: bool = True


def find_set(folder: Path, annotator: str | None = None) -> AnnotatedSet:
    """The annotated set in `folder`: LUDB, the FDA's median beats, the QT database, or WFDB records.

    annotator: the extension of the annotation files, needed where the layout is none of the known ones.
    Raises EcgFileError.
    """
    if not folder.is_dir():
        raise EcgFileError(
            f"There is no folder {folder}.", "Name the folder of an annotated set with --data."
        )
    layouts = (_ludb, _fda_medians, _qtdb) if annotator is None else ()
    for layout in layouts:
        found = layout(folder)
        if found is not None:
            return found
    marked = _records(folder, annotator) if annotator else ()
    if annotator and marked:
        about = (
            f"WFDB records with .{annotator} marks, which all leads share: the nearest lead's point counts"
        )
        read = partial(_shared, annotator=annotator)
        return AnnotatedSet(f"{folder.name}, .{annotator}", about, marked, read)
    if annotator:
        raise EcgFileError(
            f"{folder} holds no record with a .{annotator} file beside it.",
            "Records are looked for in the folder and below it; check the extension given with --annotator.",
        )
    raise EcgFileError(
        f"{folder} is no annotated set of a known layout.",
        "Known are LUDB (N.hea, N.i ... N.v6), the QT database (.q1c) and the FDA's medians (medians/*/*.atr); "
        "of other WFDB records give the extension of the marks with --annotator.",
    )


def _records(folder: Path, extension: str) -> tuple[Path, ...]:
    """Headers in or below the folder that have a file of the given extension beside them, in order of name."""
    headers = folder.rglob("*.hea")
    return tuple(
        sorted(h for h in headers if h.with_suffix("." + extension).is_file() and h.stat().st_size > 0)
    )


def _annotation(header: Path, extension: str) -> tuple[list[str], NDArray[np.float64]]:
    """Symbols and times in seconds."""
    with warnings.catch_warnings():  # wfdb 4.3 uses what pandas 3 deprecates; not the user's concern
        warnings.simplefilter("ignore", DeprecationWarning)
        import wfdb

        try:
            marks = wfdb.rdann(str(header.with_suffix("")), extension)
            fs_hz = float(marks.fs or wfdb.rdheader(str(header.with_suffix(""))).fs)
        except Exception as error:  # the library raises whatever its parser meets in a damaged file
            raise EcgFileError(
                f"The marks of {header.with_suffix('.' + extension)} cannot be read.",
                "The file may be damaged; copy the record again.",
            ) from error
    return list(marks.symbol), np.asarray(marks.sample, dtype=np.float64) / fs_hz


# LUDB ---------------------------------------------------------------------------------------------------------


def _ludb(folder: Path) -> AnnotatedSet | None:
    for place in (folder / "data", folder):
        headers = [
            h for h in place.glob("*.hea") if all(h.with_suffix(f".{x.lower()}").is_file() for x in LEADS)
        ]
        if headers:
            rhythms = _ludb_rhythms(folder)
            keys = tuple(sorted(headers, key=lambda h: (len(h.stem), h.stem)))
            about = "each lead marked by cardiologists (doi:10.1109/ACCESS.2020.3029211); scored inside the marked span"
            return AnnotatedSet("LUDB", about, keys, partial(_read_ludb, rhythms=rhythms))
    return None


def _ludb_rhythms(folder: Path) -> dict[str, str | None]:
    """sinus, no_p or None by record, from ludb.csv where it is there."""
    table = folder / "ludb.csv"
    if not table.is_file():
        return {}
    with table.open(encoding="utf-8", newline="") as file:
        return {row["ID"].strip(): _ludb_rhythm(row) for row in csv.DictReader(file)}


def _ludb_rhythm(row: dict[str, str]) -> str | None:
    if "Atrial f" in row["Rhythms"] or row["Cardiac pacing"].strip():
        return "no_p"
    return "sinus" if row["Rhythms"].startswith("Sinus") else None


def _read_ludb(header: Path, rhythms: dict[str, str | None]) -> MarkedRecord:
    ecg = standard_twelve(read_ecg(header))
    marks = tuple(
        Marks((row,), waves_of(*_annotation(header, lead.lower()))) for row, lead in enumerate(LEADS)
    )
    return MarkedRecord(header.stem, ecg.samples_mv, ecg.fs_hz, marks, rhythms.get(header.stem), "LUDB")


# The QT database and other records whose marks belong to all leads ---------------------------------------------


def _qtdb(folder: Path) -> AnnotatedSet | None:
    for annotator in QTDB_ANNOTATORS:
        keys = _records(folder, annotator)
        if keys:
            about = (
                f".{annotator} marks of chosen beats (doi:10.1109/CIC.1997.648140), made on both leads: "
                "the nearer lead's point counts; false detections cannot be told"
            )
            read = partial(_shared, annotator=annotator)
            return AnnotatedSet("QT database", about, keys, read, complete=False)
    return None


def _shared(header: Path, annotator: str) -> MarkedRecord:
    """A record of few leads and any length, cut to the marked stretch and what surrounds it."""
    ecg, waves = read_ecg(header), waves_of(*_annotation(header, annotator))
    rows = standard_rows(ecg.leads[: len(LEADS)])
    first, last = Marks(rows, waves).span_s
    start = max(0.0, first - _AROUND_S) if np.isfinite(first) else 0.0
    start = float(np.floor(start * ecg.fs_hz) / ecg.fs_hz)
    part = ecg.window(start, max(_STRIP_S, last + _AROUND_S - start) if np.isfinite(last) else _STRIP_S)
    samples = np.full((len(LEADS), part.samples_mv.shape[1]), np.nan)
    samples[list(rows)] = part.samples_mv[: len(rows)]
    moved = {kind: points - start for kind, points in waves.items()}
    return MarkedRecord(header.stem, samples, ecg.fs_hz, (Marks(rows, moved),))


# The FDA's median beats ----------------------------------------------------------------------------------------


def _fda_medians(folder: Path) -> AnnotatedSet | None:
    place = folder / "medians" if (folder / "medians").is_dir() else folder
    keys = tuple(
        key for key in _records(place, "atr") if "VCGMAG" in key.read_text("utf-8", errors="replace")
    )
    if not keys:
        return None
    about = (
        "one median beat of each recording at 1000 Hz, marked on the vector magnitude "
        "(doi:10.1038/clpt.2014.155); the beat is repeated to ten seconds"
    )
    return AnnotatedSet("FDA median beats", about, keys, _read_fda_median)


def _read_fda_median(header: Path) -> MarkedRecord:
    ecg = standard_twelve(read_ecg(header))
    waves = global_waves(*_annotation(header, "atr"))
    strip = repeat_beat(ecg)
    return MarkedRecord(header.stem, strip.samples_mv, strip.fs_hz, (Marks((), waves),), "sinus")


def global_waves(symbols: list[str], times_s: NDArray[np.float64]) -> Waves:
    """The marks of one median beat, told apart by their order: `(` P, `(` QRS, `)` QRS, `t`, [`t`], `)` T.

    The P onset, the end of QRS or that of T may be missing.
    """
    t_peak = next((t for s, t in zip(symbols, times_s, strict=True) if s == "t"), np.inf)
    onsets = [t for s, t in zip(symbols, times_s, strict=True) if s == "(" and t < t_peak]
    qrs_off = max(
        (t for s, t in zip(symbols, times_s, strict=True) if s == ")" and t < t_peak), default=np.nan
    )
    t_end = min((t for s, t in zip(symbols, times_s, strict=True) if s == ")" and t > t_peak), default=np.nan)
    p_on = onsets[-2] if len(onsets) > 1 else np.nan
    qrs_on = onsets[-1] if onsets else np.nan
    peak = t_peak if np.isfinite(t_peak) else np.nan
    rows = {"p": (p_on, np.nan, np.nan), "qrs": (qrs_on, np.nan, qrs_off), "t": (np.nan, peak, t_end)}
    return {kind: np.array([row], dtype=np.float64) for kind, row in rows.items()}


def repeat_beat(ecg: Ecg) -> Ecg:
    """Ten seconds of one beat, its ends brought to one level by a straight line so that no step is at the seam."""
    beat = ecg.samples_mv
    ramp = np.linspace(0.0, 1.0, beat.shape[1])
    level = beat - beat[:, :1] - ramp * (beat[:, -1:] - beat[:, :1])
    times = int(np.ceil(_STRIP_S * ecg.fs_hz / beat.shape[1]))
    strip = np.tile(level, times)[:, : round(_STRIP_S * ecg.fs_hz)]
    return Ecg(strip, ecg.fs_hz, ecg.leads, ecg.missing_leads)
