"""DICOM waveforms, made with pydicom from PS3.3 C.10.9, in each encoding; and what is no ECG."""

from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    TwelveLeadECGWaveformStorage,
)

from worldmodel.ecg import LEADS, TWELVE_FROM_EIGHT
from worldmodel.errors import EcgFileError
from worldmodel.readers import read_ecg
from worldmodel.readers.stated import Stated

FS_HZ = 500.0
UV_PER_COUNT = 4.88
MDC = dict(
    zip(
        LEADS,
        ("2:1", "2:2", "2:61", "2:62", "2:63", "2:64", "2:3", "2:4", "2:5", "2:6", "2:7", "2:8"),
        strict=True,
    )
)


def twelve_counts(samples: int = 1000, seed: int = 0) -> np.ndarray:
    """(time, 12) counts of limb leads that obey Einthoven's law."""
    walk = np.cumsum(10 * np.random.default_rng(seed).normal(size=(8, samples)), axis=1).clip(-600, 600)
    return np.round(TWELVE_FROM_EIGHT @ walk).astype(int).T


def code(value: str, scheme: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def channel(
    lead: str, units="uV", sensitivity=UV_PER_COUNT, baseline=0.0, correction=1.0, source=None
) -> Dataset:
    item = Dataset()
    item.ChannelSourceSequence = [source or code(MDC.get(lead, "0"), "MDC", f"Lead {lead}")]
    item.ChannelSensitivity, item.ChannelBaseline = sensitivity, baseline
    item.ChannelSensitivityCorrectionFactor = correction
    item.ChannelSensitivityUnitsSequence = [code(units, "UCUM", units)]
    item.WaveformBitsStored = 16
    return item


def group(
    counts: np.ndarray, channels: list[Dataset], label="RHYTHM", originality="ORIGINAL", dtype="<i2"
) -> Dataset:
    kinds = {"i1": "SB", "u1": "UB", "i2": "SS", "u2": "US", "i4": "SL"}
    item = Dataset()
    item.WaveformOriginality, item.MultiplexGroupLabel = originality, label
    item.NumberOfWaveformChannels, item.NumberOfWaveformSamples = len(channels), len(counts)
    item.SamplingFrequency = FS_HZ
    item.ChannelDefinitionSequence = channels
    item.WaveformBitsAllocated = 8 * np.dtype(dtype).itemsize
    item.WaveformSampleInterpretation = kinds[dtype[-2:]]
    item.WaveformData = counts.astype(dtype).tobytes()
    return item


def write(
    path: Path, groups: list[Dataset], syntax=ExplicitVRLittleEndian, kind=TwelveLeadECGWaveformStorage
) -> Path:
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = syntax
    data.SOPClassUID, data.SOPInstanceUID = kind, "1.2.3"
    data.PatientName = "Nobody^At All"
    if groups:
        data.WaveformSequence = groups
    data.save_as(path, enforce_file_format=True)
    return path


def twelve(**options) -> list[Dataset]:
    return [channel(lead, **options) for lead in LEADS]


@pytest.mark.parametrize(
    "syntax",
    [ExplicitVRLittleEndian, ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian],
)
def test_every_transfer_syntax_gives_the_same_millivolts(tmp_path, syntax):
    """pydicom's own arrays are of the machine's byte order, whatever the file's is."""
    counts = twelve_counts()
    dtype = ">i2" if syntax == ExplicitVRBigEndian else "<i2"
    ecg = read_ecg(write(tmp_path / "ecg", [group(counts, twelve(), dtype=dtype)], syntax))
    assert (ecg.leads, ecg.fs_hz, ecg.warnings) == (LEADS, FS_HZ, ())
    np.testing.assert_allclose(ecg.samples_mv, counts.T * UV_PER_COUNT / 1000)


@pytest.mark.parametrize("dtype, shift", [("i1", 0), ("u1", 128), ("<i2", 0), ("<u2", 32_768), ("<i4", 0)])
def test_every_width_and_sign_of_samples_with_its_baseline(tmp_path, dtype, shift):
    counts = np.clip(twelve_counts() // 6, -120, 120)
    channels = twelve(sensitivity=20.0, baseline=-20.0 * shift)
    ecg = read_ecg(write(tmp_path / "ecg.dcm", [group(counts + shift, channels, dtype=dtype)]))
    np.testing.assert_allclose(ecg.samples_mv, counts.T * 0.02, atol=1e-9)


@pytest.mark.parametrize("units, sensitivity", [("uV", 5.0), ("mV", 0.005), ("V", 5e-6), ("nV", 5000.0)])
def test_units_and_the_correction_factor(tmp_path, units, sensitivity):
    counts = twelve_counts()
    channels = twelve(units=units, sensitivity=sensitivity, correction=1.1)
    ecg = read_ecg(write(tmp_path / "ecg.dcm", [group(counts, channels)]))
    np.testing.assert_allclose(ecg.samples_mv, counts.T * 0.0055, rtol=1e-9)


def test_leads_are_known_by_scp_codes_and_by_words(tmp_path):
    sources = [
        code("5.6.3-9-61", "SCPECG", "anything"),
        code("X1", "99LOCAL", "Lead I (Einthoven)"),
        code("X2", "99LOCAL", "Lead aVR"),
        code("2:8", "MDC", "Lead V6"),
    ]
    channels = [channel("?", source=source) for source in sources]
    ecg = read_ecg(write(tmp_path / "ecg.dcm", [group(twelve_counts()[:, [2, 0, 3, 11]], channels)]))
    assert ecg.leads == ("III", "I", "aVR", "V6")


def test_the_recorded_rhythm_is_read_and_not_the_median_beat(tmp_path):
    counts = twelve_counts()
    median = group(counts[:600] * 0, twelve(), "MEDIAN BEAT", "DERIVED")
    strip = group(twelve_counts(5000, 1)[:, :1], twelve()[:1], "RHYTHM STRIP")
    ecg = read_ecg(write(tmp_path / "ecg.dcm", [median, strip, group(counts, twelve(), "RHYTHM")]))
    assert ecg.leads == LEADS and ecg.samples_mv.shape == (12, 1000)
    assert ecg.warnings == ("Left out, recorded apart from the leads that were read: RHYTHM STRIP.",)


def test_padding_is_nan_and_other_quantities_are_left_out(tmp_path):
    counts = twelve_counts()[:, :3]
    counts[100:200, 0] = -32_768
    channels = [channel("I"), channel("V1"), channel("?", units="mm[Hg]", source=code("1", "99", "Pressure"))]
    item = group(counts, channels)
    item.add_new("WaveformPaddingValue", "OW", np.array([-32_768], "<i2").tobytes())
    ecg = read_ecg(write(tmp_path / "ecg.dcm", [item]))
    assert ecg.leads == ("I", "V1")
    assert "Left out, not in a unit of voltage: Pressure." in ecg.warnings
    assert np.isnan(ecg.lead("I")[100:200]).all() and np.isfinite(ecg.lead("V1")).all()


def test_what_is_stated_does_not_override_the_file(tmp_path):
    path = write(tmp_path / "ecg.csv", [group(twelve_counts(), twelve())])
    ecg = read_ecg(path, Stated(fs_hz=100, unit="V"))
    assert ecg.fs_hz == FS_HZ and "not the stated" in ecg.warnings[-1]


def broken(tmp_path: Path, change) -> Path:
    item = group(twelve_counts(), twelve())
    change(item)
    return write(tmp_path / "ecg.dcm", [item])


@pytest.mark.parametrize(
    "change, told",
    [
        (lambda item: setattr(item, "WaveformData", item.WaveformData[:100]), "and holds 50 numbers"),
        (
            lambda item: setattr(item, "NumberOfWaveformSamples", 4_000_000_000),
            "announces 4000000000 samples",
        ),
        (lambda item: setattr(item, "NumberOfWaveformSamples", 0), "announces 0 samples"),
        (lambda item: setattr(item, "NumberOfWaveformChannels", 3), "announces 3 channels and defines 12"),
        (lambda item: setattr(item, "SamplingFrequency", 1), "sampling frequency of 1 Hz"),
        (lambda item: delattr(item, "SamplingFrequency"), "not readable as DICOM"),
        (lambda item: delattr(item, "ChannelDefinitionSequence"), "not readable as DICOM"),
        (lambda item: setattr(item, "WaveformSampleInterpretation", "MB"), "which no ECG uses"),
        (
            lambda item: [delattr(c, "ChannelSensitivity") for c in item.ChannelDefinitionSequence],
            "no channel a sensitivity",
        ),
    ],
)
def test_damage_is_told_in_one_line_with_a_hint(tmp_path, change, told):
    with pytest.raises(EcgFileError) as caught:
        read_ecg(broken(tmp_path, change))
    assert told in caught.value.message and "\n" not in caught.value.message and caught.value.hint


@pytest.mark.parametrize("part", [0.02, 0.1, 0.5, 0.99])
def test_a_truncated_file_is_told(tmp_path, part):
    path = write(tmp_path / "ecg.dcm", [group(twelve_counts(), twelve())])
    path.write_bytes(path.read_bytes()[: max(132, int(part * path.stat().st_size))])
    with pytest.raises(EcgFileError) as caught:
        read_ecg(path)
    assert caught.value.hint


def test_an_image_is_no_ecg(tmp_path):
    with pytest.raises(EcgFileError, match="holds no waveform: it is a CT Image Storage"):
        read_ecg(write(tmp_path / "ct.dcm", [], kind=CTImageStorage))
