"""Numbers without a header (tables, arrays): what a user must state before they are an ECG."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from worldmodel.ecg import Ecg
from worldmodel.errors import EcgFileError
from worldmodel.readers.names import canonical_leads
from worldmodel.readers.scale import check_scale
from worldmodel.units import FS_HZ, UNITS, mv_per

_ASKED = {"--fs": "--fs HZ", "--unit": "--unit mV", "--leads": "--leads I,II,..."}
_WORDS = {"--fs": "sampling rate", "--unit": "unit", "--leads": "leads"}


def check_stated(path: Path, fs_hz: float | None, unit: str | None, leads: Sequence[str]) -> None:
    """Asks for all that is missing at once. Raises EcgFileError with the options to add."""
    known = {"--fs": fs_hz is not None, "--unit": unit is not None, "--leads": bool(leads)}
    missing = [option for option, there in known.items() if not there]
    if missing:
        words = [_WORDS[option] for option in missing]
        listed = " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))
        raise EcgFileError(
            f"{path} holds numbers and does not say their {listed}.",
            f"Add {' '.join(_ASKED[option] for option in missing)}; none of them is guessed.",
        )
    if fs_hz is not None and not FS_HZ[0] <= fs_hz <= FS_HZ[1]:
        raise EcgFileError(
            f"{fs_hz:g} samples per second is no rate of an ECG.",
            f"Give --fs between {FS_HZ[0]:g} and {FS_HZ[1]:g}.",
        )
    if unit is not None and mv_per(unit) is None:
        raise EcgFileError(f"{unit!r} is no unit of voltage.", f"Give --unit as one of {', '.join(UNITS)}.")


def ecg_of(
    path: Path,
    numbers: NDArray[np.float64],
    fs_hz: float | None,
    unit: str | None,
    leads: Sequence[str],
    warnings: Sequence[str] = (),
) -> Ecg:
    """The recording of numbers (lead, time), which are scaled in place. Raises EcgFileError where a fact is missing."""
    check_stated(path, fs_hz, unit, leads)
    assert fs_hz is not None and unit is not None
    if numbers.shape[1] < 2 or not np.isfinite(numbers).any():
        raise EcgFileError(f"{path} holds no samples.", "Give a table with one row for each sample.")
    numbers[~np.isfinite(numbers)] = np.nan
    numbers *= mv_per(unit) or 1.0
    return check_scale(
        Ecg(numbers, fs_hz, canonical_leads(leads), warnings=tuple(warnings), source=str(path))
    )
