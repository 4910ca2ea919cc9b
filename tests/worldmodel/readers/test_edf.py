"""EDF and EDF+: what edfio writes, and headers by hand for what it does not write."""

import re
from pathlib import Path

import numpy as np
import pytest
from edfio import Edf, EdfAnnotation, EdfSignal, read_edf

from worldmodel.ecg import LEADS, TWELVE_FROM_EIGHT
from worldmodel.errors import EcgFileError
from worldmodel.readers import read_ecg

FS_HZ = 500
PER_STEP_MV = 10 / 65_535


def twelve_mv(seconds: int = 4) -> np.ndarray:
    walk = np.cumsum(0.03 * np.random.default_rng(0).normal(size=(8, seconds * FS_HZ)), axis=1).clip(-2, 2)
    return TWELVE_FROM_EIGHT @ walk


def signal(
    mv: np.ndarray, label: str, unit: str = "mV", per_mv: float = 1.0, fs_hz: int = FS_HZ
) -> EdfSignal:
    return EdfSignal(
        mv * per_mv, fs_hz, label=label, physical_dimension=unit, physical_range=(-5 * per_mv, 5 * per_mv)
    )


def write(path: Path, signals: list[EdfSignal], annotations=None) -> Path:
    Edf(signals, annotations=annotations, data_record_duration=1).write(path)
    return path


@pytest.mark.parametrize("unit, per_mv", [("mV", 1), ("uV", 1000), ("V", 0.001)])
def test_units_become_millivolts(tmp_path, unit, per_mv):
    mv = twelve_mv()
    path = write(
        tmp_path / "a.dat", [signal(row, f"ECG {n}", unit, per_mv) for row, n in zip(mv, LEADS, strict=True)]
    )
    ecg = read_ecg(path)
    assert (ecg.leads, ecg.fs_hz, ecg.warnings) == (LEADS, FS_HZ, ())
    np.testing.assert_allclose(ecg.samples_mv, mv, atol=PER_STEP_MV)


def test_our_samples_are_those_of_edfio(tmp_path):
    path = write(tmp_path / "a.edf", [signal(row, n) for row, n in zip(twelve_mv(), LEADS, strict=True)])
    theirs = np.stack([s.data for s in read_edf(path).signals])
    np.testing.assert_allclose(read_ecg(path).samples_mv, theirs, atol=1e-12)


@pytest.mark.parametrize(
    "label, lead",
    [("ECG V1-Ref", "V1"), ("EKG II", "II"), ("II", "II"), ("ECG aVR", "aVR"), ("ECG C4", "V4"), ("ECG 1", "ECG1"),
     ("ECG", "ECG"), ("EKG1-REF", "EKG1")],
)  # fmt: skip
def test_labels_become_leads_and_a_number_is_no_lead(tmp_path, label, lead):
    assert read_ecg(write(tmp_path / "a.edf", [signal(twelve_mv()[0], label)])).leads == (lead,)


def test_other_signals_and_other_rates_are_left_out_with_a_word(tmp_path):
    mv = twelve_mv()
    signals = [
        signal(mv[0], "EEG C3-M2", "uV", 1000),
        signal(mv[0], "C4", "uV", 1000),
        signal(mv[1], "ECG II"),
        signal(mv[6], "ECG V1"),
        signal(mv[7, ::2], "ECG V2", fs_hz=250),
    ]
    ecg = read_ecg(write(tmp_path / "a.edf", signals, [EdfAnnotation(1.0, None, "cough")]))
    assert (ecg.leads, ecg.fs_hz) == (("II", "V1"), FS_HZ)
    assert ecg.warnings == (
        "Left out, not an ECG: EEG C3-M2, C4.",
        "Left out, not sampled at 500 Hz like the others: ECG V2.",
    )


def interrupted(path: Path, onsets_s: list[float]) -> np.ndarray:
    """An EDF+D file of one-second records with the onsets given; its millivolts."""
    mv = twelve_mv(len(onsets_s))[:1]
    write(path, [signal(mv[0], "ECG I")], [EdfAnnotation(0, None, "start")])
    raw = path.read_bytes()
    raw = raw.replace(b"EDF+C", b"EDF+D")
    stamps = iter(onsets_s)

    def restamped(match: re.Match[bytes]) -> bytes:
        return f"+{next(stamps):g}\x14\x14\0".encode().ljust(len(match[0]), b"\0")

    path.write_bytes(re.sub(rb"\+\d+\x14\x14\0", restamped, raw))
    return mv


def test_of_an_interrupted_recording_the_longest_stretch_is_read(tmp_path):
    """edfio joins the stretches as if nothing had been between them."""
    mv = interrupted(tmp_path / "a.edf", [0, 1, 5, 6, 7, 9])
    ecg = read_ecg(tmp_path / "a.edf")
    np.testing.assert_allclose(ecg.samples_mv, mv[:, 2 * FS_HZ : 5 * FS_HZ], atol=PER_STEP_MV)
    told = "The recording was interrupted: of its 3 stretches the longest was read, 3 s from second 5."
    assert ecg.warnings == (told,)


def test_an_unbroken_recording_of_the_interrupted_kind_is_read_whole(tmp_path):
    mv = interrupted(tmp_path / "a.edf", [0, 1, 2, 3])
    ecg = read_ecg(tmp_path / "a.edf")
    assert ecg.warnings == () and ecg.samples_mv.shape == mv.shape


def test_a_recording_that_was_never_closed_is_read_to_its_end(tmp_path):
    path = write(tmp_path / "a.edf", [signal(twelve_mv()[0], "ECG I")])
    raw = bytearray(path.read_bytes())
    raw[236:244] = b"-1      "
    path.write_bytes(raw)
    assert read_ecg(path).duration_s == 4


def test_a_lead_recorded_upside_down_is_turned(tmp_path):
    """A physical minimum above the maximum is a polarity, not a fault (EDF FAQ)."""
    mv = twelve_mv()[0]
    path = write(tmp_path / "a.edf", [signal(mv, "ECG I")])
    raw = bytearray(path.read_bytes())
    raw[256 + 104 : 256 + 120] = b"5       -5      "
    path.write_bytes(raw)
    np.testing.assert_allclose(read_ecg(path).samples_mv[0], -mv, atol=2 * PER_STEP_MV)


def field(start: int, text: str):
    """Overwrites eight bytes of the header."""

    def change(raw: bytearray) -> bytearray:
        raw[start : start + 8] = text.encode().ljust(8)
        return raw

    return change


@pytest.mark.parametrize(
    "change, told",
    [
        (lambda raw: raw[:240], "damaged EDF header"),
        (lambda raw: raw[:300], "1 signals announced, 0 described"),
        (lambda raw: raw[:2000], "announces 4 records of data and holds 1"),
        (lambda raw: raw[:512], "announces 4 records of data and holds 0"),
        (field(236, "99999999"), "announces 99999999 records"),
        (field(236, "0"), "announces 0 records"),
        (field(236, "many"), "damaged EDF header"),
        (lambda raw: raw[:252] + b"9999" + raw[256:], "9999 signals announced"),
        (lambda raw: raw[:252] + b"0   " + raw[256:], "holds no ECG: its signals are none"),
        (field(244, "0"), "holds no ECG"),
        (field(244, "100"), "sampling frequency of 5 Hz"),
        (field(244, "nan"), "damaged EDF header"),
        (field(256 + 216, "99999999"), "sampling frequency of 1e+08 Hz"),
        (field(256 + 216, "0"), "a signal without samples"),
        (field(256 + 96, ""), "no unit or no range"),
        (field(256 + 96, "mmHg"), "no unit or no range"),
        (field(256 + 104, "5"), "no unit or no range"),
        (field(256 + 120, "32767"), "no unit or no range"),
        (field(256, "EEG Fpz"), "holds no ECG: its signals are EEG Fpz"),
    ],
)
def test_damage_is_told_in_one_line_with_a_hint(tmp_path, change, told):
    path = write(tmp_path / "a.edf", [signal(twelve_mv()[0], "ECG I")])
    path.write_bytes(change(bytearray(path.read_bytes())))
    with pytest.raises(EcgFileError) as caught:
        read_ecg(path)
    assert told in caught.value.message and "\n" not in caught.value.message and caught.value.hint


def test_an_interrupted_recording_without_its_times_is_refused(tmp_path):
    path = write(tmp_path / "a.edf", [signal(twelve_mv()[0], "ECG I")])
    raw = bytearray(path.read_bytes())
    raw[192:197] = b"EDF+D"
    path.write_bytes(raw)
    with pytest.raises(EcgFileError, match="does not say where"):
        read_ecg(path)


def test_the_names_of_a_patient_may_hold_any_letters(tmp_path):
    path = write(tmp_path / "a.edf", [signal(twelve_mv()[0], "ECG I")])
    raw = bytearray(path.read_bytes())
    raw[8:20] = "Müller, Zoë ".encode("latin-1")
    path.write_bytes(raw)
    assert read_ecg(path).leads == ("I",)
