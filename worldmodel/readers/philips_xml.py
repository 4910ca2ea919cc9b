"""Philips XML (Sierra ECG 1.03 and 1.04, `restingecgdata`): all leads in one block, mostly XLI-compressed.

Layout and limb leads as described by C. Watford (github.com/sixlettervariables/sierra-ecg-tools); the rounding and
the closing calibration as found in a recording published there (129DYPRG, version 1.03).
"""

from itertools import islice
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from worldmodel.ecg import LEADS, Ecg
from worldmodel.errors import EcgFileError
from worldmodel.readers import xml_file
from worldmodel.readers.names import canonical_leads
from worldmodel.readers.stored_lead import StoredLead, recording
from worldmodel.readers.xli import decode_chunks
from worldmodel.readers.xml_file import child_text, number, positive, shown

_DAMAGED = "The file may be cut off; export or copy it again."
_AGAIN = "Export the recording again, with its waveforms."
_OTHER_EXPORT = "Export the recording again, or in another format such as DICOM or HL7 aECG."
_MOST_SAMPLES = 1e8


def locate(path: Path) -> Path | None:
    """`path` itself where its content is Philips XML, else None."""
    return path if xml_file.opening(path).root == "restingecgdata" else None


def read(path: Path) -> Ecg:
    """The leads in mV, without representative beats and closing calibration. Raises EcgFileError."""
    root = xml_file.parse(path)
    version = child_text(root.find("documentinfo"), "documentversion")
    if not version.startswith(("1.03", "1.04")):
        raise EcgFileError(f"{path} has version {shown(version)}; known are 1.03 and 1.04.", _OTHER_EXPORT)
    waves = root.find(".//parsedwaveforms")
    if waves is None:
        raise EcgFileError(f"{path} holds no waveforms (parsedwaveforms).", _AGAIN)
    signal = root.find("dataacquisition/signalcharacteristics")
    _check_samples(waves, signal, path)
    fs_hz = _fact(waves, signal, ("samplespersecond", "samplingrate"), "its sampling rate", path)
    resolution_uv = _fact(waves, signal, ("resolution", "signalresolution"), "its resolution in uV", path)
    duration_ms = positive(waves.get("durationperchannel"), "its duration (durationperchannel)", path)
    zero = number(
        waves.get("signaloffset") or child_text(signal, "signaloffset") or "0", "signaloffset", path
    )
    names = _names(waves, signal, path)
    samples = duration_ms * fs_hz / 1000
    if not 3 <= samples <= _MOST_SAMPLES:
        raise EcgFileError(f"{path} announces {samples:g} samples per lead.", _AGAIN)
    counts = _read_counts(waves, names, round(samples), path)
    end, notes = _calibration(counts, fs_hz, resolution_uv / 1000)
    leads = [
        StoredLead(name, row[:end], resolution_uv / 1000, zero)
        for name, row in zip(names, counts, strict=True)
    ]
    return recording(path, leads, fs_hz, notes)


def _fact(waves: Element, signal: Element | None, names: tuple[str, ...], what: str, path: Path) -> float:
    """A number that version 1.03 states of the acquisition and 1.04 of the waveforms or of both."""
    said = [waves.get(name) for name in names] + [child_text(signal, name) for name in names]
    values = {positive(text, what, path) for text in said if text} or {positive(None, what, path)}
    if len(values) > 1:
        told = " and ".join(f"{value:g}" for value in sorted(values))
        raise EcgFileError(f"{path} gives {told} as {what}.", _OTHER_EXPORT)
    return values.pop()


def _check_samples(waves: Element, signal: Element | None, path: Path) -> None:
    bits = (
        waves.get("bitspersample")
        or waves.get("nbitspersample")
        or child_text(signal, "bitspersample")
        or "16"
    )
    signed = waves.get("signalsigned") or child_text(signal, "signalsigned") or "True"
    if bits.strip() != "16" or signed.strip().lower() != "true":
        raise EcgFileError(
            f"{path} holds samples of {shown(bits)} bits (signed: {shown(signed)}); known are 16 bits, signed.",
            _OTHER_EXPORT,
        )


def _names(waves: Element, signal: Element | None, path: Path) -> tuple[str, ...]:
    """The labels of the waveforms (1.04), or those of the standard lead set (1.03)."""
    labels = waves.get("leadlabels", "").split()
    stated = waves.get("numberofleads")
    if stated:
        labels = labels[: int(positive(stated, "its number of leads (numberofleads)", path))]
    if labels:
        return tuple(labels)
    lead_set = child_text(signal, "acquisitiontype") or child_text(signal, "leadset")
    if lead_set.upper() in ("STD-12", "10-WIRE"):
        return LEADS
    raise EcgFileError(f"{path} does not name its leads (lead set {shown(lead_set)}).", _OTHER_EXPORT)


def _read_counts(waves: Element, names: tuple[str, ...], samples: int, path: Path) -> NDArray[np.int16]:
    """(lead, samples) of the named leads; machines store spare channels behind them."""
    encoding = waves.get("dataencoding", "").strip()
    method = (waves.get("compression") or waves.get("compressmethod") or "").strip()
    flag = waves.get("compressflag", "").strip().lower()
    compressed = flag == "true" or (flag != "false" and method.lower() not in ("", "none", "uncompressed"))
    if compressed and method.upper() == "XLI" and encoding == "Base64":
        return _read_xli(xml_file.base64_bytes(waves.text, "its leads", path), names, samples, path)
    if not compressed and encoding == "Base64":
        stored = xml_file.samples_16_bit(waves.text, "its leads", path)
    elif not compressed and encoding == "Plain":
        stored = _read_plain(waves.text or "", path)
    else:
        how = f"compressed by {shown(method)}" if compressed else "uncompressed"
        raise EcgFileError(f"{path} holds samples encoded as {shown(encoding)}, {how}.", _OTHER_EXPORT)
    if stored.size < len(names) * samples or stored.size % max(samples, 1):
        raise EcgFileError(
            f"{path} announces {len(names)} leads of {samples} samples and holds {stored.size} samples.",
            _DAMAGED,
        )
    return stored.reshape(-1, samples)[: len(names)]


def _read_plain(text: str, path: Path) -> NDArray[np.int16]:
    try:
        return np.array([int(word) for word in text.split()], dtype=np.int16)
    except (ValueError, OverflowError) as error:
        raise EcgFileError(f"The samples of {path} are no numbers of 16 bits.", _DAMAGED) from error


def _read_xli(data: bytes, names: tuple[str, ...], samples: int, path: Path) -> NDArray[np.int16]:
    try:
        chunks = list(islice(decode_chunks(data, samples), len(names)))
    except ValueError as error:
        raise EcgFileError(f"The compressed leads of {path} are damaged: {error}.", _DAMAGED) from error
    if len(chunks) < len(names):
        raise EcgFileError(f"{path} announces {len(names)} leads and holds {len(chunks)}.", _DAMAGED)
    counts = np.stack(chunks)
    leads = canonical_leads(names)
    if leads[:6] == LEADS[:6]:
        return _restore_limb_leads(counts)
    if set(leads) & set(LEADS[2:6]):
        raise EcgFileError(f"{path} holds limb leads in an unknown order ({' '.join(leads)}).", _OTHER_EXPORT)
    return counts


def _restore_limb_leads(counts: NDArray[np.int16]) -> NDArray[np.int16]:
    """III, aVR, aVL and aVF are stored as what I and II predict less what was recorded.

    Half counts are dropped towards zero: so decoded, the recorded leads lie within one count of the law; rounded
    down, as public decoders in Python do, they miss it by up to 1.5 where sums are negative.
    """
    i, ii, less_iii, less_avr, less_avl, less_avf = counts[:6].astype(np.int64)
    iii = (ii - i - less_iii).astype(np.int16).astype(np.int64)
    rest = [iii, -_half(i + ii) - less_avr, _half(i - iii) - less_avl, _half(ii + iii) - less_avf]
    return np.concatenate([counts[:2], np.stack(rest).astype(np.int16), counts[6:]])


def _half(values: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.trunc(values / 2).astype(np.int64)


def _calibration(counts: NDArray[np.int16], fs_hz: float, mv_per_count: float) -> tuple[int, list[str]]:
    """Where the recording ends, and what to say of it: machines append flat lines with a pulse of 1 mV in all leads.

    No heart keeps every lead constant for a tenth of a second, and raises all of them by the same step.
    """
    steps = np.diff(counts.astype(np.int64), axis=1)
    moves = np.flatnonzero(steps.any(axis=0))
    if moves.size < 3:
        return counts.shape[1], []
    last, up, down = (int(place) for place in moves[-3:])
    same = (steps[:, up] == steps[0, up]).all() and (steps[:, down] == -steps[0, up]).all()
    if not same or min(up - last, down - up) < 0.1 * fs_hz:
        return counts.shape[1], []
    height_mv = float(steps[0, up]) * mv_per_count
    cut_s = (counts.shape[1] - last - 1) / fs_hz
    return last + 1, [
        f"The last {cut_s:.2f} s hold a calibration pulse of {height_mv:.3g} mV and were left out."
    ]
