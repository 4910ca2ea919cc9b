"""Reading a recording from a file of any known format, recognised by its content."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from worldmodel.ecg import Ecg
from worldmodel.errors import EcgFileError
from worldmodel.readers import wfdb_record
from worldmodel.readers.stated import NOTHING_STATED, Stated


class Format(NamedTuple):
    """locate: the file a given path is read from in this format, or None where it is not of this format."""

    locate: Callable[[Path], Path | None]
    read: Callable[[Path], Ecg]


FORMATS = (Format(wfdb_record.locate, wfdb_record.read),)


def read_ecg(path: str | Path, stated: Stated = NOTHING_STATED) -> Ecg:
    """The recording at `path`, in mV, leads under their canonical names and in the order of the file.

    A WFDB record may be named with or without extension, by its `.hea`, `.dat` or `.mat`.
    Raises EcgFileError where nothing can be read; doubts that remain are in `Ecg.warnings`.
    """
    given = Path(path).expanduser()
    for locate, read in FORMATS:
        found = locate(given)
        if found is not None:
            return read(found)
    if given.is_dir():
        raise EcgFileError(f"{path} is a folder.", "Name one recording in it, such as its .hea file.")
    if not given.exists():
        hint = "Check the path; a WFDB record is named by its .hea file or without extension."
        raise EcgFileError(f"There is no recording at {path}.", hint)
    raise EcgFileError(
        f"{path} is not an ECG of a known format, or its header is missing.",
        "Known are WFDB records: a .hea header with its .dat or .mat signal file beside it.",
    )
