"""SCP-ECG (EN 1064, ISO 11073-91064): sections of a cart's record, decoded by ecgdatakit.

Ours is what that library leaves open: sizes that cannot be, leads that were not recorded together, a reversed aVR.
"""

import struct
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from worldmodel.ecg import Ecg
from worldmodel.errors import EcgFileError
from worldmodel.readers.head import head_of
from worldmodel.readers.names import canonical_leads
from worldmodel.readers.scale import Encoding, check_scale
from worldmodel.units import FS_HZ, mv_per

if TYPE_CHECKING:
    from ecgdatakit.models import Lead

_DAMAGED = "The file may be truncated or damaged; export it again."
_SECTION_HEADER = 16
_MOST_LEADS_LATE = 1 << 28  # samples before a lead begins: days of a cart that records seconds


def locate(path: Path) -> Path | None:
    """`path` where its first section is the pointer section, beginning at byte 7 and pointing to itself."""
    head = head_of(path, 32)
    if len(head) < 32:
        return None
    section, length = struct.unpack_from("<HI", head, 8)
    itself, start = struct.unpack_from("<H4xI", head, 22)
    sized = length >= 26 and (length - _SECTION_HEADER) % 10 == 0
    return path if section == 0 and sized and itself == 0 and start == 7 else None


def read(path: Path) -> Ecg:
    """The rhythm data (section 6) of all leads in mV. Raises EcgFileError."""
    from ecgdatakit.exceptions import UnsupportedFormatError
    from ecgdatakit.parsing.parsers.scp_ecg import SCPECGParser

    try:
        _check_sizes(path.read_bytes())
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            record = SCPECGParser().parse(path)
    except UnsupportedFormatError as error:
        raise EcgFileError(
            f"{path} cannot be read: {_plain(error)}.", "Export it without this kind of compression."
        ) from error
    except Exception as error:  # the library raises whatever its parser meets in a damaged file
        raise EcgFileError(f"{path} is a damaged SCP-ECG file: {_plain(error)}.", _DAMAGED) from error
    doubts = tuple(f"{_plain(warning.message)}." for warning in told)
    return _ecg(path, record.leads, int(record.raw_metadata["rhythm_sample_interval_us"]), doubts)


def _check_sizes(data: bytes) -> None:
    """A Huffman code has at least one bit: a lead cannot have more samples than section 6 has bits.

    Without this a header of a few bytes has the decoder ask for gigabytes. Raises ValueError, struct.error.
    """
    (length,) = struct.unpack_from("<I", data, 10)
    pointers = struct.iter_unpack("<HII", data[6 + _SECTION_HEADER : 6 + length])
    sections = {number: data[start - 1 : start - 1 + size] for number, size, start in pointers if start}
    definitions, rhythm = sections.get(3, b"")[_SECTION_HEADER:], sections.get(6, b"")
    for first, last in struct.iter_unpack(
        "<IIx", definitions[2 : 2 + 9 * definitions[0]] if definitions else b""
    ):
        if last - first >= 8 * len(rhythm) or first > _MOST_LEADS_LATE:
            raise ValueError(f"a lead of the samples {first} to {last} is announced in {len(rhythm)} bytes")


def _ecg(path: Path, leads: "list[Lead]", interval_us: int, doubts: tuple[str, ...]) -> Ecg:
    per_count = np.array([lead.resolution * (mv_per(lead.resolution_unit) or 0.0) for lead in leads])
    if not leads or not per_count.all() or not interval_us:
        raise EcgFileError(f"{path} gives no amplitude or no time to its samples.", _DAMAGED)
    fs_hz = 1e6 / interval_us
    if not FS_HZ[0] <= fs_hz <= FS_HZ[1]:
        raise EcgFileError(f"{path} gives a sampling frequency of {fs_hz:g} Hz.", "No ECG has it.")
    # Carts that print 3 x 4 record four times three leads, one after the other.
    starts = [int(lead.annotations.get("start_sample", 1)) - 1 for lead in leads]
    first = min(starts)
    ends = [start + len(lead.samples) for start, lead in zip(starts, leads, strict=True)]
    samples = np.full((len(leads), max(ends) - first), np.nan)
    per_count[[lead.label == "-aVR" for lead in leads]] *= -1
    for row, (lead, start, end) in enumerate(zip(leads, starts, ends, strict=True)):
        samples[row, start - first : end - first] = lead.samples * per_count[row]
    ecg = Ecg(
        samples, fs_hz, canonical_leads([lead.label for lead in leads]), warnings=doubts, source=str(path)
    )
    return check_scale(ecg, Encoding(counts_per_mv=1 / per_count, baseline=np.zeros(len(leads))))


def _plain(told: object) -> str:
    return str(told).removeprefix("SCP-ECG: ").rstrip(".")
