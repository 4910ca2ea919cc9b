"""DICOM waveforms: 12-lead, general and ambulatory ECG (PS3.3 C.10.9, waveform module)."""

import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from worldmodel.ecg import LEADS, Ecg
from worldmodel.errors import EcgFileError
from worldmodel.readers.head import head_of
from worldmodel.readers.lead_codes import LEAD_OF_NUMBER
from worldmodel.readers.names import canonical_leads
from worldmodel.readers.printable import printable
from worldmodel.readers.rates import left_out
from worldmodel.readers.scale import Encoding, check_scale
from worldmodel.units import FS_HZ, mv_per

if TYPE_CHECKING:
    from pydicom import Dataset

_DAMAGED = "The file may be truncated or damaged; export it again."
# Waveform Bits Allocated and Sample Interpretation; the companded audio codes MB and AB are no ECG.
_SAMPLES = {
    (8, "SB"): "i1",
    (8, "UB"): "u1",
    (16, "SS"): "i2",
    (16, "US"): "u2",
    (32, "SL"): "i4",
    (32, "UL"): "u4",
}
_MDC = re.compile(r"2:(\d+)")
_SCPECG = re.compile(r"5\.6\.3-9-(\d+)(?:-\d+)?")


@dataclass(frozen=True)
class _Channel:
    """mV = count * gain_mv + offset_mv; gain_mv is None where the unit is none of voltage."""

    name: str
    gain_mv: float | None
    offset_mv: float


@dataclass(frozen=True)
class _Group:
    """One multiplex group: channels that were sampled together."""

    item: "Dataset"
    label: str
    original: bool
    fs_hz: float
    samples: int
    channels: tuple[_Channel, ...]

    @property
    def leads(self) -> int:
        return len({channel.name for channel in self.channels if channel.gain_mv is not None} & set(LEADS))

    @property
    def merit(self) -> tuple[bool, bool, int, float]:
        """A rhythm before a median beat, recorded before derived, more leads, then longer."""
        return "MEDIAN" not in self.label.upper(), self.original, self.leads, self.samples / self.fs_hz


def locate(path: Path) -> Path | None:
    """`path` where it is a DICOM file (PS3.10: DICM after a preamble of 128 bytes)."""
    return path if head_of(path, 132)[128:] == b"DICM" else None


def read(path: Path) -> Ecg:
    """The original rhythm with the most leads, all voltage channels in mV, padding as NaN. Raises EcgFileError."""
    import pydicom

    with warnings.catch_warnings():  # what pydicom thinks of values that are not read here
        warnings.simplefilter("ignore")
        try:
            data = pydicom.dcmread(path)
            groups = [_group(path, item) for item in data.get("WaveformSequence") or ()]
            if not groups:
                raise _no_waveform(path, data)
            best = max(groups, key=lambda group: group.merit)
            counts = _counts(path, best, little=data.original_encoding[1] is not False)
        except EcgFileError:
            raise
        except Exception as error:  # the library raises whatever its parser meets in a damaged file
            raise EcgFileError(
                f"{path} is not readable as DICOM ({type(error).__name__}: {error}).", _DAMAGED
            ) from error
    return _ecg(path, best, counts, [group for group in groups if group is not best])


def _no_waveform(path: Path, data: "Dataset") -> EcgFileError:
    kind = str(getattr(data.get("SOPClassUID"), "name", "")) or "DICOM object"
    return EcgFileError(
        f"{path} holds no waveform: it is a {printable(kind, 60)}.",
        "Export the ECG as a DICOM waveform (such as 12-lead ECG Waveform Storage), not as a picture or PDF.",
    )


def _group(path: Path, item: "Dataset") -> _Group:
    fs_hz, samples = float(item.SamplingFrequency), int(item.NumberOfWaveformSamples)
    channels = tuple(_channel(channel) for channel in item.ChannelDefinitionSequence)
    label = printable(str(item.get("MultiplexGroupLabel") or ""))
    if len(channels) != int(item.NumberOfWaveformChannels):
        raise EcgFileError(
            f"{path} announces {item.NumberOfWaveformChannels} channels and defines {len(channels)}.",
            _DAMAGED,
        )
    return _Group(item, label, item.get("WaveformOriginality") != "DERIVED", fs_hz, samples, channels)


def _channel(channel: "Dataset") -> _Channel:
    units = channel.get("ChannelSensitivityUnitsSequence")
    unit_mv = mv_per(str(units[0].CodeValue)) if units else None
    sensitivity = channel.get("ChannelSensitivity")
    if unit_mv is None or sensitivity is None:
        return _Channel(_name(channel), None, 0.0)
    correction = float(channel.get("ChannelSensitivityCorrectionFactor") or 1.0)
    gain_mv = float(sensitivity) * correction * unit_mv
    # The baseline is what a count of 0 stands for, in the unit of the sensitivity (C.10.9.1.4.4).
    return _Channel(_name(channel), gain_mv or None, float(channel.get("ChannelBaseline") or 0.0) * unit_mv)


def _name(channel: "Dataset") -> str:
    """By code (MDC or SCPECG), else in words: "Lead V1", "Lead I (Einthoven)"."""
    sources = channel.get("ChannelSourceSequence")
    meaning = ""
    if sources:
        code = str(sources[0].get("CodeValue") or "")
        match = _MDC.fullmatch(code) or _SCPECG.fullmatch(code)
        if match and int(match[1]) in LEAD_OF_NUMBER:
            return LEAD_OF_NUMBER[int(match[1])]
        meaning = str(sources[0].get("CodeMeaning") or "")
    words = meaning or str(channel.get("ChannelLabel") or "")
    return canonical_leads([re.sub(r"\(.*?\)", "", printable(words))])[0]


def _counts(path: Path, group: _Group, little: bool) -> NDArray[Any]:
    """(time, channel) as stored, in the byte order of the file, which pydicom's own arrays do not heed."""
    item, channels = group.item, len(group.channels)
    stored = (int(item.WaveformBitsAllocated), str(item.WaveformSampleInterpretation))
    if stored not in _SAMPLES:
        raise EcgFileError(
            f"{path} stores its samples as {stored[0]} bits {stored[1]}, which no ECG uses.",
            "Known are signed and unsigned samples of 8, 16 and 32 bits.",
        )
    dtype = np.dtype(("<" if little else ">") + _SAMPLES[stored])
    raw = bytes(item.get("WaveformData") or b"")
    if len(raw) < group.samples * channels * dtype.itemsize or not group.samples or not channels:
        raise EcgFileError(
            f"{path} announces {group.samples} samples of {channels} channels and holds "
            f"{len(raw) // dtype.itemsize} numbers.",
            _DAMAGED,
        )
    return np.frombuffer(raw, dtype, group.samples * channels).reshape(group.samples, channels)


def _ecg(path: Path, group: _Group, counts: NDArray[Any], others: list[_Group]) -> Ecg:
    kept = [index for index, channel in enumerate(group.channels) if channel.gain_mv is not None]
    names = canonical_leads([channel.name for channel in group.channels])
    if not kept:
        raise EcgFileError(
            f"{path} gives no channel a sensitivity in a unit of voltage ({', '.join(names)}).",
            "It may hold another waveform than an ECG, such as a pressure or a sound.",
        )
    if not FS_HZ[0] <= group.fs_hz <= FS_HZ[1]:
        raise EcgFileError(f"{path} gives a sampling frequency of {group.fs_hz:g} Hz.", "No ECG has it.")
    gain = np.array([group.channels[index].gain_mv for index in kept], dtype=np.float64)
    offset = np.array([group.channels[index].offset_mv for index in kept])
    stored = counts[:, kept].T
    samples = stored * gain[:, None]
    samples += offset[:, None]
    padding = group.item.get("WaveformPaddingValue")
    if padding is not None:
        value = padding if isinstance(padding, int) else np.frombuffer(bytes(padding), counts.dtype, 1)[0]
        samples[stored == value] = np.nan
    unread = [other.label or "another group" for other in others if other.original and other.merit[0]]
    ecg = Ecg(
        samples_mv=samples,
        fs_hz=group.fs_hz,
        leads=tuple(names[index] for index in kept),
        warnings=(
            *left_out(
                [name for index, name in enumerate(names) if index not in kept], "not in a unit of voltage"
            ),
            *left_out(unread, "recorded apart from the leads that were read"),
        ),
        source=str(path),
    )
    return check_scale(ecg, Encoding(counts_per_mv=1 / gain, baseline=-offset / gain))
