"""Mortara (ELI) XML: an `ECG` element with one `CHANNEL` per lead, 16-bit samples in base64.

There is no public specification; attributes as in public readers (EDFbrowser's mortara2edf, BRAVEHEART).
"""

from pathlib import Path
from xml.etree.ElementTree import Element

from worldmodel.ecg import Ecg
from worldmodel.errors import EcgFileError
from worldmodel.readers import xml_file
from worldmodel.readers.stored_lead import StoredLead, recording
from worldmodel.readers.xml_file import number, positive, shown

# Others may call their root ECG too.
_MARKS = ("ACQUISITION_TIME", "<TYPICAL_CYCLE", "<CHANNEL", "<DEMOGRAPHIC_FIELD")
_ENCODED_AS = {"BITS": "16", "FORMAT": "SIGNED", "ENCODING": "BASE64"}


def locate(path: Path) -> Path | None:
    """`path` itself where its content is Mortara XML, else None."""
    opening = xml_file.opening(path)
    return path if opening.root == "ECG" and any(mark in opening.head for mark in _MARKS) else None


def read(path: Path) -> Ecg:
    """The channels; typical cycles are left out. Raises EcgFileError."""
    channels = xml_file.parse(path).findall("CHANNEL")
    rates = [
        positive(one.get("SAMPLE_FREQ"), f"the rate of {_name(one)} (SAMPLE_FREQ)", path) for one in channels
    ]
    if len(set(rates)) > 1:
        raise EcgFileError(
            f"The channels of {path} differ in rate ({', '.join(f'{rate:g}' for rate in sorted(set(rates)))} Hz).",
            "Export the recording with one rate for all leads.",
        )
    leads = [_read_channel(channel, path) for channel in channels]
    shifted = [_name(one) for one in channels if number(one.get("OFFSET") or "0", "OFFSET", path) != 0]
    notes = [f"A constant OFFSET of {', '.join(shifted)} was not applied."] if shifted else []
    return recording(path, leads, rates[0] if rates else 0.0, notes)


def _read_channel(channel: Element, path: Path) -> StoredLead:
    if not channel.get("NAME"):
        raise EcgFileError(f"{path} holds a channel without its NAME.", "Export the recording again.")
    what = _name(channel)
    for attribute, known in _ENCODED_AS.items():
        if channel.get(attribute, "").strip().upper() != known:
            raise EcgFileError(
                f"{path} gives {shown(channel.get(attribute))} as {attribute} of {what}; known is {known}.",
                "Export the recording again, or in another format such as DICOM or HL7 aECG.",
            )
    counts = xml_file.samples_16_bit(channel.get("DATA") or channel.text, what, path)
    announced = positive(channel.get("DURATION"), f"the number of samples of {what} (DURATION)", path)
    if announced != counts.size:
        raise EcgFileError(
            f"{path} announces {announced:g} samples of {what} (DURATION) and holds {counts.size}.",
            "The file may be cut off; export or copy it again.",
        )
    per_mv = positive(channel.get("UNITS_PER_MV"), f"the resolution of {what} (UNITS_PER_MV)", path)
    return StoredLead(channel.get("NAME", ""), counts, 1 / per_mv)


def _name(channel: Element) -> str:
    return f"channel {shown(channel.get('NAME'))}"
