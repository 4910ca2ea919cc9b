"""GE MUSE XML (`RestingECG`): 16-bit leads in base64, usually the eight independent ones.

Layout as in GE's restecg.dtd, from memory and from public readers of it.
"""

from pathlib import Path
from typing import NamedTuple
from xml.etree.ElementTree import Element

from worldmodel.ecg import Ecg
from worldmodel.errors import EcgFileError
from worldmodel.readers import xml_file
from worldmodel.readers.stored_lead import StoredLead, mv_per_unit, recording
from worldmodel.readers.xml_file import child_text, number, positive, shown


class _Strip(NamedTuple):
    leads: list[StoredLead]
    fs_hz: float
    doubts: list[str]

    @property
    def duration_s(self) -> float:
        return max((lead.counts.size for lead in self.leads), default=0) / self.fs_hz


def locate(path: Path) -> Path | None:
    """`path` itself where its content is MUSE XML, else None."""
    return path if xml_file.opening(path).root == "RestingECG" else None


def read(path: Path) -> Ecg:
    """The rhythm strip with the leads that are stored; median beats are left out. Raises EcgFileError."""
    waveforms = xml_file.parse(path).findall("Waveform")
    strips = [
        _read_strip(waveform, path)
        for waveform in waveforms
        if child_text(waveform, "WaveformType").lower() == "rhythm"
    ]
    if not strips:
        kinds = ", ".join(shown(child_text(waveform, "WaveformType")) for waveform in waveforms)
        raise EcgFileError(
            f"{path} holds no rhythm waveform (its waveforms: {kinds or 'none'}).",
            "Export the whole recording, not its median beats alone.",
        )
    longest = max(strips, key=lambda strip: strip.duration_s)
    if len(strips) > 1:
        longest.doubts.append(f"Of {len(strips)} rhythm strips the longest was read.")
    return recording(path, longest.leads, longest.fs_hz, longest.doubts)


def _read_strip(waveform: Element, path: Path) -> _Strip:
    """Rate = SampleBase * 10^SampleExponent, in Hz."""
    base = positive(child_text(waveform, "SampleBase"), "its sampling rate (SampleBase)", path)
    exponent = number(
        child_text(waveform, "SampleExponent"), "the exponent of its rate (SampleExponent)", path
    )
    if abs(exponent) > 6:
        raise EcgFileError(f"{path} gives {exponent:g} as SampleExponent.", "Its header may be damaged.")
    stored = waveform.findall("LeadData")
    return _Strip([_read_lead(lead, path) for lead in stored], base * 10.0**exponent, _doubts(stored))


def _read_lead(lead: Element, path: Path) -> StoredLead:
    name = child_text(lead, "LeadID")
    if not name:
        raise EcgFileError(f"{path} holds a lead without its name (LeadID).", "Export the recording again.")
    what = f"lead {shown(name)}"
    if child_text(lead, "LeadSampleSize") not in ("", "2"):
        raise EcgFileError(
            f"{path} stores {what} in samples of {shown(child_text(lead, 'LeadSampleSize'))} bytes.",
            "MUSE writes 2-byte samples; export the recording again.",
        )
    counts = xml_file.samples_16_bit(child_text(lead, "WaveFormData"), what, path)
    for announced, found in (("LeadByteCountTotal", 2 * counts.size), ("LeadSampleCountTotal", counts.size)):
        said = child_text(lead, announced)
        if said and number(said, announced, path) != found:
            raise EcgFileError(
                f"{path} announces {announced} {said} of {what} and holds {found}.",
                "The file may be cut off; export or copy it again.",
            )
    resolution = positive(
        child_text(lead, "LeadAmplitudeUnitsPerBit"),
        f"the resolution of {what} (LeadAmplitudeUnitsPerBit)",
        path,
    )
    unit = mv_per_unit(
        child_text(lead, "LeadAmplitudeUnits"), f"the unit of {what} (LeadAmplitudeUnits)", path
    )
    return StoredLead(name, counts, resolution * unit)


def _doubts(leads: list[Element]) -> list[str]:
    """What the recorder says of its leads that the samples do not show."""
    doubts = []
    off = [child_text(lead, "LeadID") for lead in leads if child_text(lead, "LeadOff").upper() == "TRUE"]
    if off:
        doubts.append(f"The recorder marked as not attached: {', '.join(map(shown, off))}.")
    for shift in ("LeadTimeOffset", "LeadOffsetFirstSample"):
        if len({child_text(lead, shift) or "0" for lead in leads}) > 1:
            doubts.append(
                f"The leads start at different times ({shift}) and were read as if they started together."
            )
    return doubts
