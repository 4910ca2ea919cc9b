"""From leads as a file stores them, in counts, to a recording in mV."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from worldmodel.ecg import Ecg
from worldmodel.errors import EcgFileError
from worldmodel.readers.names import canonical_leads
from worldmodel.readers.scale import Encoding, check_scale
from worldmodel.readers.xml_file import shown
from worldmodel.units import FS_HZ, mv_per

# One count of any recorder lies between a picovolt and a volt; counts have at most 32 bits.
_MV_PER_COUNT = (1e-9, 1e3)
_LARGEST_COUNT = 2.0**32


def mv_per_unit(text: str | None, what: str, path: Path) -> float:
    """The mV that one `text` is. Raises EcgFileError that names `what` is missing or no unit of voltage."""
    if not (text or "").strip():
        raise EcgFileError(
            f"{path} does not state {what}.",
            "It is not guessed; export the recording again with its full header.",
        )
    mv = mv_per(text or "")
    if mv is None:
        raise EcgFileError(
            f"{path} gives {shown(text)} as {what}, which is no known unit of voltage.",
            "Known are V, mV, uV and nV, and their full names.",
        )
    return mv


class StoredLead(NamedTuple):
    """counts: (time,); mV = (counts - baseline) * mv_per_count. The name is as the file spells it."""

    name: str
    counts: NDArray[np.int16] | NDArray[np.float64]
    mv_per_count: float
    baseline: float = 0.0


def recording(path: Path, leads: Sequence[StoredLead], fs_hz: float, notes: Sequence[str] = ()) -> Ecg:
    """The leads as a recording with its scale checked; `notes` are its first warnings.

    Raises EcgFileError where there are no leads or samples, where leads differ in length, and where a rate or
    a resolution is one that no recorder has.
    """
    if not leads or not leads[0].counts.size:
        raise EcgFileError(f"{path} holds no leads with samples.", "Export the recording with its waveforms.")
    lengths = {lead.name: lead.counts.size for lead in leads}
    if len({lead.counts.size for lead in leads}) > 1:
        told = ", ".join(f"{name} {size}" for name, size in lengths.items())
        raise EcgFileError(
            f"The leads of {path} differ in length ({told} samples).",
            "The file may be cut off; export or copy it again.",
        )
    if not FS_HZ[0] <= fs_hz <= FS_HZ[1]:
        raise EcgFileError(
            f"{path} gives a sampling rate of {fs_hz:g} Hz.",
            f"An ECG has {FS_HZ[0]:g} to {FS_HZ[1]:g} samples per second.",
        )
    mv_per_count = np.array([lead.mv_per_count for lead in leads])
    if not np.all((mv_per_count >= _MV_PER_COUNT[0]) & (mv_per_count <= _MV_PER_COUNT[1])):
        raise EcgFileError(
            f"{path} gives a resolution of {mv_per_count.max():g} mV per count, which no recorder has.",
            "The header may be damaged; export the recording again.",
        )
    counts = np.stack([lead.counts for lead in leads]).astype(np.float64)
    baseline = np.array([lead.baseline for lead in leads])
    if not (np.abs(counts) < _LARGEST_COUNT).all() or not (np.abs(baseline) < _LARGEST_COUNT).all():
        raise EcgFileError(
            f"{path} holds samples larger than any recorder writes.",
            "The samples may be damaged; export the recording again.",
        )
    ecg = Ecg(
        samples_mv=(counts - baseline[:, None]) * mv_per_count[:, None],
        fs_hz=fs_hz,
        leads=canonical_leads([lead.name for lead in leads]),
        warnings=tuple(notes),
        source=str(path),
    )
    return check_scale(ecg, Encoding(counts_per_mv=1 / mv_per_count, baseline=baseline))
