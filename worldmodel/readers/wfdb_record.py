"""WFDB records: a `.hea` header with its `.dat` files, or with a `.mat` file as in the PhysioNet challenges."""

import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from worldmodel.ecg import Ecg
from worldmodel.errors import EcgFileError
from worldmodel.readers.names import canonical_leads
from worldmodel.readers.scale import Encoding, check_scale

_PER_MV = {"mv": 1.0, "millivolt": 1.0, "uv": 1e-3, "µv": 1e-3, "μv": 1e-3, "nv": 1e-6, "v": 1e3}
_RECORD_LINE = re.compile(r"^\S+\s+\d+(\s|$)")


def locate(given: Path) -> Path | None:
    """The header `given` stands for: itself, or the `.hea` beside it; None where there is none."""
    if given.suffix.lower() == ".hea" and given.is_file():
        return given
    for header in (given.with_name(given.name + ".hea"), given.with_suffix(".hea")):
        if header.is_file():
            return header
    return None


def read(header: Path) -> Ecg:
    """The record of a `.hea` file, all voltage signals in mV. Raises EcgFileError."""
    _check_header(header)
    record = _read_record(header)
    unit_mv = np.array([_PER_MV.get(str(unit).strip().lower(), np.nan) for unit in record.units])
    voltage = np.isfinite(unit_mv)
    if not voltage.any():
        raise EcgFileError(
            f"{header} holds no signal in a unit of voltage ({', '.join(map(str, record.units))}).",
            "The units stand after the gain in the header, as in 1000/mV.",
        )
    names = canonical_leads([str(name or "") for name in record.sig_name])
    left_out = [name for name, kept in zip(names, voltage, strict=True) if not kept]
    ecg = Ecg(
        samples_mv=np.ascontiguousarray(
            record.p_signal.T[voltage] * unit_mv[voltage, None], dtype=np.float64
        ),
        fs_hz=float(record.fs),
        leads=tuple(name for name, kept in zip(names, voltage, strict=True) if kept),
        warnings=(f"Left out, not in a unit of voltage: {', '.join(left_out)}.",) if left_out else (),
        source=str(header),
    )
    return check_scale(ecg, _encoding(record, unit_mv, voltage))


def _check_header(header: Path) -> None:
    """Refuses what is no header before the library trips over it."""
    try:
        lines = header.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise EcgFileError(
            f"{header} cannot be read: {error.strerror}.", "Check the file's permissions."
        ) from error
    first = next((line for line in lines if line.strip() and not line.startswith("#")), "")
    if not _RECORD_LINE.match(first):
        raise EcgFileError(
            f"{header} is not a WFDB header.",
            "Its first line must give record name, number of signals and sampling frequency, as in 'rec 12 500 5000'.",
        )


def _library() -> Any:
    with warnings.catch_warnings():  # wfdb 4.3 uses what pandas 3 deprecates; not the user's concern
        warnings.simplefilter("ignore", DeprecationWarning)
        import wfdb
    return wfdb


def _read_record(header: Path) -> Any:
    wfdb = _library()
    name = str(header.with_suffix(""))
    try:
        record = wfdb.rdrecord(name)
    except FileNotFoundError as error:
        missing = Path(error.filename).name if error.filename else "a signal file"
        raise EcgFileError(
            f"{header} names the signal file {missing}, which is not there.",
            "Keep the header and its signal files (.dat or .mat) in one folder, under their own names.",
        ) from error
    except Exception as error:  # the library raises whatever its parser meets in a damaged file
        raise EcgFileError(
            f"The signals of {header} do not fit their header ({str(error).rstrip('.') or type(error).__name__}).",
            "The signal file may be truncated, or another one than the header describes; copy the record again.",
        ) from error
    if record.p_signal is None or not record.p_signal.size:
        raise EcgFileError(
            f"{header} holds no samples.", "The header announces no signals; check the record."
        )
    if not record.fs or not np.isfinite(record.fs) or record.fs < 50:
        raise EcgFileError(
            f"{header} gives a sampling frequency of {record.fs} Hz.",
            "An ECG needs at least 50 samples per second.",
        )
    return record


def _encoding(record: Any, unit_mv: NDArray[np.float64], voltage: NDArray[np.bool_]) -> Encoding | None:
    if getattr(record, "adc_gain", None) is None or record.baseline is None:
        return None
    gain = np.asarray(record.adc_gain, dtype=np.float64) / unit_mv
    return Encoding(
        counts_per_mv=gain[voltage], baseline=np.asarray(record.baseline, dtype=np.float64)[voltage]
    )
