"""EDF and EDF+ (Kemp 1992, doi:10.1016/0013-4694(92)90009-7; Kemp 2003, doi:10.1016/s1388-2457(03)00123-8).

Read here and not by edfio, which joins the stretches of an interrupted recording (EDF+D) without a word, and leaves a
signal without a range uncalibrated.
"""

import re
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from worldmodel.ecg import LEADS, Ecg
from worldmodel.errors import EcgFileError
from worldmodel.readers.head import head_of
from worldmodel.readers.names import canonical_lead, canonical_leads
from worldmodel.readers.printable import printable
from worldmodel.readers.rates import left_out, shared_rate
from worldmodel.readers.scale import Encoding, check_scale
from worldmodel.units import FS_HZ, mv_per

_DAMAGED = "The file may be truncated or damaged; copy or export it again."
_ANNOTATIONS = "EDF Annotations"
_FIXED = 256  # bytes of the first header, and of each signal's
# Bytes of each field of the signals' headers: all labels come first, then all transducers, ...
_WIDTHS = {"label": 16, "transducer": 80, "unit": 8, "low": 8, "high": 8, "least": 8, "most": 8}
_WIDTHS |= {"filters": 80, "samples": 8, "reserved": 32}
_NUMBERED = re.compile(r"(?:ecg|ekg)\s*\d+", re.IGNORECASE)  # a channel's number, not Einthoven's
_DRESSED = re.compile(r"\b(?:ecg|ekg)", re.IGNORECASE)
_REFERENCE = re.compile(r"\s*[-_/]\s*(?:ref|avg|wct|gnd|le|m)\d*\s*$", re.IGNORECASE)


@dataclass(frozen=True)
class _Signal:
    """unit is blank where the file gives none; low, high are physical, least, most digital; column in the record."""

    label: str
    unit: str
    low: float
    high: float
    least: float
    most: float
    samples: int
    column: int

    @property
    def lead(self) -> str | None:
        """The lead, or the label of an ECG channel that names none; None where it is no ECG."""
        bare = _REFERENCE.sub("", self.label)
        dressed = bool(_DRESSED.search(bare))
        if _NUMBERED.fullmatch(bare):
            return re.sub(r"\s", "", bare)  # "ECG 1" would be taken for lead I
        name = canonical_lead(bare)
        # C3 and C4 are places on the head unless the label says ECG.
        return name if dressed or (name in LEADS and bare[:1].lower() != "c") else None

    def calibration(self, path: Path) -> tuple[float, float]:
        """mV of one digital step, and the digital value of 0 mV."""
        unit_mv = mv_per(self.unit)
        if unit_mv is None or self.most == self.least or self.high == self.low:
            raise EcgFileError(
                f"{path} gives {self.label} no unit or no range (unit {self.unit!r}, {self.low:g} to {self.high:g} "
                f"for {self.least:g} to {self.most:g}), so its millivolts are not known.",
                "Export it again with physical dimension, minimum and maximum of every signal.",
            )
        per_step = (self.high - self.low) / (self.most - self.least)
        return per_step * unit_mv, self.least - self.low / per_step


@dataclass(frozen=True)
class _Header:
    interrupted: bool
    records: int
    record_s: float
    signals: tuple[_Signal, ...]

    @property
    def size(self) -> int:
        return _FIXED * (1 + len(self.signals))


def locate(path: Path) -> Path | None:
    """`path` where it begins as EDF does: version 0 in eight bytes, text in one line, the size of the header."""
    head = head_of(path, _FIXED)
    sized = re.fullmatch(rb"\d+ *", head[184:192])
    return path if head.startswith(b"0       ") and sized and b"\n" not in head[:192] else None


def read(path: Path) -> Ecg:
    """The ECG signals of the rate that most leads share, in mV. Raises EcgFileError.

    Of an interrupted recording the longest stretch is read.
    """
    header = _header(path)
    ecgs = [(signal, lead) for signal in header.signals if (lead := signal.lead) is not None]
    if not ecgs or not header.record_s:
        labels = ", ".join(signal.label for signal in header.signals) or "none"
        raise EcgFileError(
            f"{path} holds no ECG: its signals are {labels}.",
            "An ECG is known by a lead's name or by ECG or EKG in its label.",
        )
    rates = [signal.samples / header.record_s for signal, _ in ecgs]
    fs_hz = shared_rate(rates, [lead for _, lead in ecgs])
    if not FS_HZ[0] <= fs_hz <= FS_HZ[1]:
        raise EcgFileError(f"{path} gives a sampling frequency of {fs_hz:g} Hz.", "No ECG has it.")
    kept = [ecg for ecg, rate in zip(ecgs, rates, strict=True) if rate == fs_hz]
    slower = [signal.label for (signal, _), rate in zip(ecgs, rates, strict=True) if rate != fs_hz]
    names = {signal.label for signal, _ in ecgs} | {_ANNOTATIONS}
    records, doubts = _records(path, header)
    samples, encoding = _samples(path, records, [signal for signal, _ in kept])
    ecg = Ecg(
        samples_mv=samples,
        fs_hz=fs_hz,
        leads=canonical_leads([lead for _, lead in kept]),
        warnings=(
            *left_out([signal.label for signal in header.signals if signal.label not in names], "not an ECG"),
            *left_out(slower, f"not sampled at {fs_hz:g} Hz like the others"),
            *doubts,
        ),
        source=str(path),
    )
    return check_scale(ecg, encoding)


def _header(path: Path) -> _Header:
    head = head_of(path, _FIXED)
    try:
        records, record_s, count = int(head[236:244]), float(head[244:252]), int(head[252:256])
        if count < 0 or not 0 <= record_s < 1e6:
            raise ValueError(f"{count} signals in records of {record_s} s")
        signals = _signals(head_of(path, _FIXED * (1 + count))[_FIXED:], count)
    except ValueError as error:
        raise EcgFileError(f"{path} has a damaged EDF header ({error}).", _DAMAGED) from error
    return _Header(head[192:197] == b"EDF+D", records, record_s, signals)


def _signals(head: bytes, count: int) -> tuple[_Signal, ...]:
    """The headers of `count` signals. Raises ValueError."""
    if len(head) < _FIXED * count:
        raise ValueError(f"{count} signals announced, {len(head) // _FIXED} described")
    starts = dict(zip(_WIDTHS, accumulate(_WIDTHS.values(), initial=0), strict=False))

    def field(name: str, index: int) -> str:
        first = count * starts[name] + index * _WIDTHS[name]
        return printable(head[first : first + _WIDTHS[name]].decode("latin-1").strip("\0 "))

    sizes = [int(field("samples", index)) for index in range(count)]
    if min(sizes, default=1) < 1:
        raise ValueError("a signal without samples")
    columns = accumulate(sizes, initial=0)
    return tuple(
        _Signal(
            field("label", index),
            field("unit", index),
            float(field("low", index)),
            float(field("high", index)),
            float(field("least", index)),
            float(field("most", index)),
            size,
            column,
        )
        for index, (size, column) in enumerate(zip(sizes, columns, strict=False))
    )


def _records(path: Path, header: _Header) -> tuple[NDArray[Any], tuple[str, ...]]:
    """(record, sample of the record) as stored, still in the file; of an interrupted recording the longest stretch."""
    width = sum(signal.samples for signal in header.signals)
    there = (path.stat().st_size - header.size) // (2 * width)
    announced = there if header.records == -1 else header.records  # -1: the recorder never closed the file
    if there < announced or announced < 1:
        raise EcgFileError(f"{path} announces {announced} records of data and holds {there}.", _DAMAGED)
    records = np.memmap(path, "<i2", "r", header.size, (announced, width))
    if not header.interrupted:
        return records, ()
    onsets = _onsets_s(path, header, records)
    breaks = [row for row, (a, b) in enumerate(pairwise(onsets), 1) if abs(b - a - header.record_s) > 1e-3]
    stretches = list(pairwise([0, *breaks, announced]))
    if len(stretches) == 1:
        return records, ()
    first, last = max(stretches, key=lambda stretch: stretch[1] - stretch[0])
    told = (
        f"The recording was interrupted: of its {len(stretches)} stretches the longest was read, "
        f"{(last - first) * header.record_s:g} s from second {onsets[first]:g}."
    )
    return records[first:last], (told,)


def _onsets_s(path: Path, header: _Header, records: NDArray[Any]) -> list[float]:
    """When each record began: EDF+ writes it as the first annotation of each, "+12.5" before two bytes of 20."""
    signal = next((signal for signal in header.signals if signal.label == _ANNOTATIONS), None)
    if signal is None:
        raise EcgFileError(f"{path} is interrupted and does not say where (no {_ANNOTATIONS}).", _DAMAGED)
    texts = np.ascontiguousarray(records[:, signal.column : signal.column + signal.samples])
    try:
        return [float(text.tobytes().split(b"\x14", 1)[0].split(b"\x15", 1)[0]) for text in texts]
    except ValueError as error:
        raise EcgFileError(f"{path} is interrupted and does not say where ({error}).", _DAMAGED) from error


def _samples(
    path: Path, records: NDArray[Any], signals: list[_Signal]
) -> tuple[NDArray[np.float64], Encoding]:
    """(lead, time) in mV, filled signal by signal, so that a long recording is in memory once."""
    samples = np.empty((len(signals), len(records) * signals[0].samples))
    calibrations = [signal.calibration(path) for signal in signals]
    for row, (signal, (per_step, zero)) in enumerate(zip(signals, calibrations, strict=True)):
        samples[row] = records[:, signal.column : signal.column + signal.samples].ravel()
        samples[row] -= zero
        samples[row] *= per_step
    gains = np.array(calibrations)
    return samples, Encoding(counts_per_mv=1 / gains[:, 0], baseline=gains[:, 1])
