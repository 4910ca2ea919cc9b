"""NumPy files: one array (.npy, or alone in an .npz), or an .npz with an array for each lead. Never a pickle."""

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from worldmodel.ecg import LEADS, Ecg
from worldmodel.errors import EcgFileError
from worldmodel.readers.head import head_of
from worldmodel.readers.names import canonical_lead
from worldmodel.readers.numbers import check_stated, ecg_of
from worldmodel.readers.rates import left_out
from worldmodel.readers.stated import Stated

_DAMAGED = "Save it again with numpy.save or numpy.savez, as an array of numbers."
_ZIP = b"PK\x03\x04"
_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


def locate(path: Path) -> Path | None:
    """`path` where it is an .npy file, or a zip archive that begins with one."""
    head = head_of(path, 300)
    if head.startswith(npy.MAGIC_PREFIX):
        return path
    name = head[30 : 30 + int.from_bytes(head[26:28], "little")]
    return path if head.startswith(_ZIP) and name.endswith(b".npy") else None


def read(path: Path, stated: Stated) -> Ecg:
    """The recording in mV; which axis is time follows from the number of leads. Raises EcgFileError."""
    try:
        arrays = _arrays(path)
    except EcgFileError:
        raise
    except Exception as error:  # whatever zipfile, zlib and numpy meet in a damaged file
        raise EcgFileError(
            f"{path} is not readable as NumPy arrays ({_first_sentence(error)}).", _DAMAGED
        ) from error
    signals = {name: array for name, array in arrays.items() if array.ndim}
    spare = left_out([name for name in arrays if name not in signals], "single values")
    if len(signals) != 1:
        return _from_named(path, signals, stated, spare)
    (array,) = signals.values()
    check_stated(path, stated.fs_hz, stated.unit, stated.leads)
    numbers = np.array(_oriented(path, array, len(stated.leads)), dtype=np.float64, order="C")
    return ecg_of(path, numbers, stated.fs_hz, stated.unit, stated.leads, spare)


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays by name, without those that hold no numbers; an .npy stays in its file until it is copied."""
    if not head_of(path, 4).startswith(_ZIP):
        return _of_numbers(path, {"array": np.load(path, mmap_mode="r", allow_pickle=False)})
    arrays = {}
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            with archive.open(entry) as file:
                _check_size(path, entry, file)
            with archive.open(entry) as file:
                arrays[entry.filename.removesuffix(".npy")] = npy.read_array(file, allow_pickle=False)
    return _of_numbers(path, arrays)


def _check_size(path: Path, entry: zipfile.ZipInfo, file: IO[bytes]) -> None:
    """An array cannot be larger than its entry; numpy would make room for it before it reads."""
    shape, _, dtype = _HEADERS[npy.read_magic(file)](file)
    if int(np.prod(shape, dtype=object)) * dtype.itemsize > entry.file_size:
        raise EcgFileError(f"{path} announces more numbers than it holds (shape {shape}).", _DAMAGED)


def _of_numbers(path: Path, arrays: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    numbers = {name: array for name, array in arrays.items() if array.dtype.kind in "iuf" and array.size}
    if not numbers:
        kinds = ", ".join(str(array.dtype) for array in arrays.values()) or "nothing"
        raise EcgFileError(f"{path} holds no array of numbers ({kinds}).", _DAMAGED)
    return numbers


def _oriented(path: Path, array: NDArray[Any], leads: int) -> NDArray[Any]:
    """(lead, time). Raises EcgFileError where the number of leads fits neither axis, or both."""
    if array.ndim == 1:
        array = array[None, :]
    fits = [axis for axis in (0, 1) if array.ndim == 2 and array.shape[axis] == leads]
    if len(fits) != 1:
        shape = " x ".join(map(str, array.shape))
        why = (
            "which axis is time cannot be told"
            if fits
            else f"no axis has the {leads} leads that --leads names"
        )
        raise EcgFileError(
            f"{path} holds an array of {shape}, and {why}.",
            "Save one recording as (lead, time) or (time, lead), and name every lead in --leads.",
        )
    return array if fits == [0] else array.T


def _from_named(path: Path, signals: dict[str, NDArray[Any]], stated: Stated, told: Sequence[str]) -> Ecg:
    """Arrays that carry the names of leads, one for each."""
    named = {
        name: array for name, array in signals.items() if canonical_lead(name) in LEADS and array.ndim == 1
    }
    if not named or len({array.size for array in named.values()}) != 1:
        raise EcgFileError(
            f"{path} holds several arrays ({', '.join(signals) or 'none of numbers'}), and which is the ECG is not "
            "clear.",
            "Save the recording as the only array, or one array of equal length for each lead, under its name.",
        )
    if stated.leads and len(stated.leads) != len(named):
        raise EcgFileError(
            f"{path} holds {len(named)} leads, and --leads names {len(stated.leads)}.", "Leave --leads out."
        )
    numbers = np.array(list(named.values()), dtype=np.float64)
    told = (*told, *left_out([name for name in signals if name not in named], "not a lead"))
    return ecg_of(path, numbers, stated.fs_hz, stated.unit, stated.leads or tuple(named), told)


def _first_sentence(error: Exception) -> str:
    return (str(error) or type(error).__name__).split(". ")[0].rstrip(".")
