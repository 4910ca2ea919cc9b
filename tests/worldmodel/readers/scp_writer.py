"""Writes SCP-ECG files from the structure that EN 1064 gives (from memory), apart from the library that reads them."""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from pathlib import Path

import numpy as np

NUMBER_OF_LEAD = {"I": 1, "II": 2, "III": 61, "aVR": 62, "aVL": 63, "aVF": 64} | {
    f"V{n}": n + 2 for n in range(1, 7)
}
NUMBER_OF_LEAD |= {"-aVR": 65, "X": 16, "Y": 17, "Z": 18}
Encode = Callable[[int], str]


@dataclass
class Beat:
    """Reference beat subtraction. beat (lead, sample) in counts; fiducial: its sample of the R wave, from 1.

    places: where each QRS has its R wave; before, after: samples around it from which the beat is subtracted.
    """

    beat: np.ndarray
    fiducial: int
    places: Sequence[int]
    before: int
    after: int


@dataclass
class Scp:
    """counts: what each lead holds; first: the sample each begins at, from 1. difference: 0, 1 or 2."""

    leads: Sequence[str]
    counts: Sequence[np.ndarray]
    first: Sequence[int] = ()
    nv_per_count: int = 5000
    interval_us: int = 2000
    difference: int = 0
    huffman: bytes | None = None
    encode: Encode | None = None
    reference: Beat | None = None
    bimodal: int = 0
    changes: dict[int, Callable[[bytes], bytes]] = field(default_factory=dict)  # of a section's body

    def write(self, path: Path) -> Path:
        path.write_bytes(record(self))
        return path


def crc(data: bytes) -> int:
    """CRC-CCITT, bit by bit: polynomial x^16 + x^12 + x^5 + 1, all ones at the start (5.2.7)."""
    value = 0xFFFF
    for byte in data:
        value ^= byte << 8
        for _ in range(8):
            value = ((value << 1) ^ 0x1021 if value & 0x8000 else value << 1) & 0xFFFF
    return value


def record(scp: Scp) -> bytes:
    first = scp.first or [1] * len(scp.leads)
    simultaneous = 0x04 if len(set(first)) == 1 else 0
    flags = (0x01 if scp.reference else 0) | simultaneous | len(scp.leads) << 3 & 0xF8
    definitions = bytes([len(scp.leads), flags])
    for lead, start, counts in zip(scp.leads, first, scp.counts, strict=True):
        definitions += struct.pack("<IIB", start, start + len(counts) - 1, NUMBER_OF_LEAD[lead])
    bodies = {1: b"\xff\0\0", 3: definitions}
    if scp.huffman is not None:
        bodies[2] = scp.huffman
    rhythm = [np.array(counts) for counts in scp.counts]
    if scp.reference:
        bodies[4], bodies[5] = _beats(scp), _data(scp, scp.reference.beat, 0)
        rhythm = [
            _without(counts, beat, scp.reference)
            for counts, beat in zip(rhythm, scp.reference.beat, strict=True)
        ]
    bodies[6] = _data(scp, rhythm, scp.bimodal)
    bodies |= {number: change(bodies[number]) for number, change in scp.changes.items()}
    return _assembled(dict(sorted(bodies.items())))


def _assembled(bodies: dict[int, bytes]) -> bytes:
    sections = {number: _section(number, body) for number, body in bodies.items()}
    starts = accumulate((len(s) for s in sections.values()), initial=6 + 16 + 12 * 10 + 1)
    pointers = {0: (16 + 12 * 10, 7)} | {
        n: (len(s), at) for (n, s), at in zip(sections.items(), starts, strict=False)
    }
    table = b"".join(struct.pack("<HII", number, *pointers.get(number, (0, 0))) for number in range(12))
    rest = _section(0, table, b"SCPECG") + b"".join(sections.values())
    rest = struct.pack("<I", 6 + len(rest)) + rest
    return struct.pack("<H", crc(rest)) + rest


def _section(number: int, body: bytes, reserved: bytes = bytes(6)) -> bytes:
    body += bytes(len(body) % 2)
    rest = struct.pack("<HIBB", number, 16 + len(body), 20, 20) + reserved + body
    return struct.pack("<H", crc(rest)) + rest


def _beats(scp: Scp) -> bytes:
    ref = scp.reference
    assert ref is not None
    length_ms = ref.beat.shape[1] * scp.interval_us // 1000
    zones = [struct.pack("<HIII", 0, r - ref.before, r, r + ref.after) for r in ref.places]
    protected = [struct.pack("<II", r - ref.before, r + ref.after) for r in ref.places]
    return struct.pack("<HHH", length_ms, ref.fiducial, len(ref.places)) + b"".join(zones + protected)


def _without(counts: np.ndarray, beat: np.ndarray, ref: Beat) -> np.ndarray:
    rest = counts.copy()
    for r in ref.places:
        for sample in range(r - ref.before, r + ref.after + 1):
            rest[sample - 1] -= beat[ref.fiducial - 1 + sample - r]
    return rest


def _data(scp: Scp, leads: Sequence[np.ndarray], flag: int) -> bytes:
    packed = [_packed(scp, np.asarray(counts)) for counts in leads]
    head = struct.pack("<HHBB", scp.nv_per_count, scp.interval_us, scp.difference, flag)
    return head + struct.pack(f"<{len(packed)}H", *map(len, packed)) + b"".join(packed)


def _packed(scp: Scp, counts: np.ndarray) -> bytes:
    values = [int(count) for count in counts]
    if scp.difference == 1:
        values = values[:1] + [b - a for a, b in pairwise(values)]
    elif scp.difference == 2:
        second = [c - 2 * b + a for a, b, c in zip(values, values[1:], values[2:], strict=False)]
        values = values[:2] + second
    if scp.encode is None:
        return struct.pack(f"<{len(values)}h", *values)
    bits = "".join(scp.encode(value) for value in values)
    bits += "0" * (-len(bits) % 16)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def default_code(value: int) -> str:
    """The standard's own table: short words for small steps, escapes of 8 and 16 bits for large ones."""
    if value == 0:
        return "0"
    if abs(value) <= 8:
        return "1" * abs(value) + "0" + ("0" if value > 0 else "1")
    if -128 <= value < 128:
        return "1111111110" + f"{value & 0xFF:08b}"
    return "1111111111" + f"{value & 0xFFFF:016b}"


DEFAULT_TABLE = struct.pack("<H", 19_999)


class OwnTables:
    """Two tables of the file's own; the codes are stored with their first bit lowest. Table 2 knows only -1."""

    stored = struct.pack("<HH", 2, 4)
    stored += struct.pack("<BBBhI", 1, 1, 1, 0, 0b0) + struct.pack("<BBBhI", 2, 2, 1, 1, 0b01)
    stored += struct.pack("<BBBhI", 3, 3, 0, 2, 0b011) + struct.pack("<BBBhI", 3, 19, 1, 0, 0b111)
    stored += (
        struct.pack("<H", 2)
        + struct.pack("<BBBhI", 1, 1, 1, -1, 0b0)
        + struct.pack("<BBBhI", 1, 1, 0, 1, 0b1)
    )

    @staticmethod
    def code(value: int) -> str:
        """-1 by a change to table 2 and back."""
        return {0: "0", 1: "10", -1: "11001"}.get(value, "111" + f"{value & 0xFFFF:016b}")
