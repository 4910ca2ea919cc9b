"""Reading a recording from a file of any known format, recognised by its content."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from worldmodel.ecg import FRANK_LEADS, LEADS, Ecg
from worldmodel.errors import EcgFileError
from worldmodel.readers import (
    dicom_ecg,
    edf,
    hl7_aecg,
    mortara_xml,
    muse_xml,
    numpy_array,
    philips_xml,
    scp_ecg,
    table,
    wfdb_record,
)
from worldmodel.readers.printable import printable
from worldmodel.readers.stated import NOTHING_STATED, Stated


class Format(NamedTuple):
    """locate: the file a given path is read from in this format, or None where it is not of this format."""

    name: str
    locate: Callable[[Path], Path | None]
    read: Callable[[Path], Ecg]


class Numbers(NamedTuple):
    """A format that does not say rate, unit and leads itself: they are stated."""

    name: str
    locate: Callable[[Path], Path | None]
    read: Callable[[Path, Stated], Ecg]


FORMATS = (
    Format("WFDB", wfdb_record.locate, wfdb_record.read),
    Format("DICOM-ECG", dicom_ecg.locate, dicom_ecg.read),
    Format("SCP-ECG", scp_ecg.locate, scp_ecg.read),
    Format("EDF/EDF+", edf.locate, edf.read),
    Format("GE MUSE XML", muse_xml.locate, muse_xml.read),
    Format("HL7 aECG", hl7_aecg.locate, hl7_aecg.read),
    Format("Philips XML", philips_xml.locate, philips_xml.read),
    Format("Mortara XML", mortara_xml.locate, mortara_xml.read),
)
# Asked last: a file of any other format is no table, whatever its first lines look like.
TABLES = (
    Numbers("NumPy", numpy_array.locate, numpy_array.read),
    Numbers("CSV/TSV", table.locate, table.read),
)


def read_ecg(path: str | Path, stated: Stated = NOTHING_STATED) -> Ecg:
    """The recording at `path`, in mV, leads under their canonical names and in the order of the file.

    A WFDB record may be named with or without extension, by its `.hea`, `.dat` or `.mat`. `stated` is for tables
    and arrays, which do not say it themselves.
    Raises EcgFileError where nothing can be read; doubts that remain are in `Ecg.warnings`.
    """
    given = Path(path).expanduser()
    try:
        return _read(given, stated)
    except EcgFileError as error:  # what it quotes of a damaged file may be anything
        raise EcgFileError(printable(error.message), error.hint) from error


def _read(given: Path, stated: Stated) -> Ecg:
    for name, locate, read in FORMATS:
        found = locate(given)
        if found is not None:
            ecg = _name_unknown(read(found))
            unused = f"{found.name} is {name} and says rate, unit and leads itself: those were used, not the stated."
            return replace(ecg, warnings=(*ecg.warnings, unused)) if stated.anything else ecg
    for _, locate, read_stated in TABLES:
        found = locate(given)
        if found is not None:
            return _name_unknown(read_stated(found, stated))
    raise _unknown(given)


def _name_unknown(ecg: Ecg) -> Ecg:
    """The recording with a warning of the signals that nothing here can use, as their names are of no lead."""
    unknown = [name for name in ecg.leads if name not in (*LEADS, *FRANK_LEADS)]
    if not unknown:
        return ecg
    warning = f"Not used, as the name is of no standard or Frank lead: {', '.join(unknown)}."
    return replace(ecg, warnings=(*ecg.warnings, warning))


def _unknown(given: Path) -> EcgFileError:
    """Why nothing can be read there."""
    if given.is_dir():
        return EcgFileError(f"{given} is a folder.", "Name one recording in it, such as its .hea file.")
    if not given.exists():
        hint = "Check the path; a WFDB record is named by its .hea file or without extension."
        return EcgFileError(f"There is no recording at {given}.", hint)
    if not given.stat().st_size:
        return EcgFileError(f"{given} is empty.", "Copy or export it again.")
    known = ", ".join(known.name for known in (*FORMATS, *TABLES))
    return EcgFileError(
        f"{given} is not an ECG of a known format, or its header is missing.",
        f"Known are {known}; a WFDB record is a .hea header with its .dat or .mat signal file beside it.",
    )
