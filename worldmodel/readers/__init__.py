"""Reading a recording from a file of any known format, recognised by its content."""

from pathlib import Path

from worldmodel.ecg import Ecg
from worldmodel.errors import EcgFileError
from worldmodel.readers import wfdb_record

# Each format is one module with `locate` (the file the format is read from, or None) and `read`.
FORMATS = (wfdb_record,)


def read_ecg(path: str | Path) -> Ecg:
    """The recording at `path`, in mV, leads under their canonical names and in the order of the file.

    A WFDB record may be named with or without extension, by its `.hea`, `.dat` or `.mat`.
    Raises EcgFileError where nothing can be read; doubts that remain are in `Ecg.warnings`.
    """
    given = Path(path).expanduser()
    for reader in FORMATS:
        found = reader.locate(given)
        if found is not None:
            return reader.read(found)
    if not given.exists():
        raise EcgFileError(
            f"There is no recording at {path}.", "Check the path; a WFDB record needs its .hea file."
        )
    if given.is_dir():
        raise EcgFileError(f"{path} is a folder.", "Name one recording in it, such as its .hea file.")
    raise EcgFileError(
        f"{path} is not an ECG of a known format.",
        "Known are WFDB records: a .hea header with its .dat or .mat signal file beside it.",
    )
