"""HL7 annotated ECG (aECG, ANSI/HL7 V3 ECG R1-2004), the format of submissions to the FDA.

Of every `sequence`, value = origin + scale * digits (SLIST_PQ); its time is one increment (GLIST_TS, GLIST_PQ).
"""

from pathlib import Path
from typing import NamedTuple
from xml.etree.ElementTree import Element

import numpy as np

from worldmodel.ecg import Ecg
from worldmodel.errors import EcgFileError
from worldmodel.readers import xml_file
from worldmodel.readers.stored_lead import StoredLead, mv_per_unit, recording
from worldmodel.readers.xml_file import child_text, number, positive, shown
from worldmodel.units import mv_per

_PER_SECOND = {"s": 1.0, "ms": 1e3, "us": 1e6, "µs": 1e6, "μs": 1e6}


class _SequenceSet(NamedTuple):
    """One set of sequences on a common time; `others` are those that measure no voltage."""

    leads: list[StoredLead]
    fs_hz: float
    others: list[str]

    @property
    def size(self) -> tuple[float, int]:
        """Its duration in s, then its number of leads."""
        return max((lead.counts.size for lead in self.leads), default=0) / self.fs_hz, len(self.leads)


def locate(path: Path) -> Path | None:
    """`path` itself where its content is an aECG, else None."""
    return path if xml_file.opening(path).root == "AnnotatedECG" else None


def read(path: Path) -> Ecg:
    """The longest rhythm; representative beats and derived series are left out. Raises EcgFileError."""
    series = [
        one
        for one in xml_file.parse(path).findall("component/series")
        if _code(one).upper() != "REPRESENTATIVE_BEAT"
    ]
    sets = [_read_set(one, path) for part in series for one in part.findall("component/sequenceSet")]
    if not sets:
        raise EcgFileError(
            f"{path} holds no series of rhythm.",
            "Export the whole recording, not its annotations or its representative beat alone.",
        )
    longest = max(sets, key=lambda one: one.size)
    notes = []
    if len(sets) > 1:
        rest = [f"{len(one.leads)} leads of {one.size[0]:.3g} s" for one in sets if one is not longest]
        notes.append(
            f"Of {len(sets)} parts of the recording the longest was read; left out: {', '.join(rest)}."
        )
    if longest.others:
        notes.append(f"Left out, not in a unit of voltage: {', '.join(longest.others)}.")
    return recording(path, longest.leads, longest.fs_hz, notes)


def _code(element: Element) -> str:
    code = element.find("code")
    return "" if code is None else (code.get("code") or "").strip()


def _read_set(sequence_set: Element, path: Path) -> _SequenceSet:
    times, leads, others = [], [], []
    for sequence in sequence_set.findall("component/sequence"):
        unit = (_quantity(sequence, "scale").get("unit") or "").strip()
        if _code(sequence).upper().startswith("TIME_"):
            times.append(sequence)
        elif unit and mv_per(unit) is None:
            others.append(shown(_code(sequence)))
        else:
            leads.append(_read_lead(sequence, path))
    return _SequenceSet(leads, _rate(times, path), others)


def _quantity(sequence: Element, name: str) -> Element:
    """`origin`, `scale` or `increment` of a sequence; an empty element where it is missing."""
    found = sequence.find(f"value/{name}")
    return Element(name) if found is None else found


def _rate(times: list[Element], path: Path) -> float:
    increments = [_quantity(one, "increment") for one in times]
    stated = next((one for one in increments if one.attrib), Element("increment"))
    step = positive(stated.get("value"), "the time between its samples (increment of TIME_ABSOLUTE)", path)
    unit = (stated.get("unit") or "").strip()
    if unit not in _PER_SECOND:
        raise EcgFileError(
            f"{path} gives {shown(unit)} as the unit of time between its samples.",
            "Known are s, ms and us; export the recording again.",
        )
    return _PER_SECOND[unit] / step


def _read_lead(sequence: Element, path: Path) -> StoredLead:
    """The name is the part of its code behind MDC_ECG_LEAD_ (or a vendor's prefix)."""
    code = _code(sequence)
    name = code[code.upper().rfind("LEAD_") + 5 :] if "LEAD_" in code.upper() else code
    if not name:
        raise EcgFileError(f"{path} holds a lead without its code.", "Export the recording again.")
    what = f"lead {shown(name)}"
    scale, origin = _quantity(sequence, "scale"), _quantity(sequence, "origin")
    scale_mv = positive(scale.get("value"), f"the scale of {what}", path) * mv_per_unit(
        scale.get("unit"), f"the unit of {what}", path
    )
    zero_mv = number(origin.get("value") or "0", f"the origin of {what}", path)
    if zero_mv:
        zero_mv *= mv_per_unit(origin.get("unit"), f"the unit of the origin of {what}", path)
    value = sequence.find("value")
    try:
        digits = np.array(child_text(value, "digits").split(), dtype=np.float64)
    except ValueError as error:
        raise EcgFileError(
            f"The digits of {what} in {path} are no numbers separated by spaces.",
            "The file may be damaged; export or copy it again.",
        ) from error
    return StoredLead(name, digits, scale_mv, baseline=-zero_mv / scale_mv)
