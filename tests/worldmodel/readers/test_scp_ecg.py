"""SCP-ECG: the library against files written from the standard's structure, and files that are damaged."""

import struct

import numpy as np
import pytest

from tests.worldmodel.readers.scp_writer import DEFAULT_TABLE, Beat, OwnTables, Scp, default_code
from worldmodel.ecg import LEADS, TWELVE_FROM_EIGHT
from worldmodel.errors import EcgFileError
from worldmodel.readers import read_ecg

N = 1500


def twelve_counts() -> np.ndarray:
    """(12, time) counts of 5 uV with steps small and large; limb leads obey Einthoven's law to rounding."""
    rng = np.random.default_rng(0)
    walk = np.cumsum(rng.normal(0, 4, size=(8, N)) + 60 * (rng.random((8, N)) < 0.02), axis=1) % 500
    return np.round(TWELVE_FROM_EIGHT @ walk).astype(int)


@pytest.mark.parametrize("difference", [0, 1, 2])
@pytest.mark.parametrize(
    "huffman, encode",
    [(None, None), (DEFAULT_TABLE, default_code), (OwnTables.stored, OwnTables.code)],
    ids=["plain", "default table", "own tables"],
)
def test_every_coding_gives_the_counts_that_were_written(tmp_path, difference, huffman, encode):
    counts = twelve_counts()
    scp = Scp(LEADS, counts, difference=difference, huffman=huffman, encode=encode)
    ecg = read_ecg(scp.write(tmp_path / "ecg"))
    assert (ecg.leads, ecg.fs_hz, ecg.warnings) == (LEADS, 500, ())
    np.testing.assert_allclose(ecg.samples_mv, counts * 0.005)


@pytest.mark.parametrize("difference", [0, 1, 2])
def test_the_subtracted_reference_beat_is_put_back(tmp_path, difference):
    counts = twelve_counts()
    t = np.arange(300)
    beat = np.round(200 * np.exp(-((t - 100.0) ** 2) / 50)) * np.arange(1, 13)[:, None]
    reference = Beat(beat.astype(int), fiducial=101, places=[201, 700, 1200], before=80, after=150)
    scp = Scp(
        LEADS, counts, difference=difference, huffman=DEFAULT_TABLE, encode=default_code, reference=reference
    )
    ecg = read_ecg(scp.write(tmp_path / "ecg.scp"))
    np.testing.assert_allclose(ecg.samples_mv, counts * 0.005)


@pytest.mark.parametrize(
    "nv, interval_us, fs_hz", [(1000, 1000, 1000), (2500, 4000, 250), (4880, 1953, 512.03)]
)
def test_amplitude_and_rate_are_those_of_the_file(tmp_path, nv, interval_us, fs_hz):
    counts = twelve_counts()
    ecg = read_ecg(Scp(LEADS, counts, nv_per_count=nv, interval_us=interval_us).write(tmp_path / "a"))
    assert ecg.fs_hz == pytest.approx(fs_hz, abs=0.01)
    np.testing.assert_allclose(ecg.samples_mv, counts * nv * 1e-6)


def test_leads_recorded_one_after_the_other_keep_their_times(tmp_path):
    counts = twelve_counts()[[0, 6]]
    ecg = read_ecg(Scp(["I", "V1"], counts, first=[1, N + 1]).write(tmp_path / "a"))
    assert ecg.samples_mv.shape == (2, 2 * N)
    np.testing.assert_allclose(ecg.lead("V1")[N:], counts[1] * 0.005)
    assert np.isnan(ecg.lead("V1")[:N]).all() and np.isnan(ecg.lead("I")[N:]).all()


def test_a_reversed_avr_and_frank_leads(tmp_path):
    """Cabrera's order prints -aVR; as aVR it would be upside down."""
    counts = twelve_counts()[[3, 0, 1, 2]]
    ecg = read_ecg(Scp(["-aVR", "X", "Y", "Z"], counts).write(tmp_path / "a"))
    assert ecg.leads == ("aVR", "vx", "vy", "vz")
    np.testing.assert_allclose(ecg.lead("aVR"), -counts[0] * 0.005)
    np.testing.assert_allclose(ecg.lead("vx"), counts[1] * 0.005)


def test_a_wrong_checksum_is_doubted_and_read(tmp_path):
    path = Scp(LEADS, twelve_counts()).write(tmp_path / "a")
    raw = bytearray(path.read_bytes())
    raw[-100] ^= 0x01
    path.write_bytes(raw)
    ecg = read_ecg(path)
    assert ecg.warnings[0] == "SCP-ECG CRC mismatch in: record, Section 6."


def last_sample(value: int):
    """Has the first lead of section 3 end elsewhere."""
    return lambda body: body[:6] + struct.pack("<I", value) + body[10:]


@pytest.mark.parametrize(
    "changes, told",
    [
        ({3: last_sample(4_000_000_000)}, "is announced in"),
        ({3: last_sample(0)}, "damaged SCP-ECG file"),
        ({3: lambda body: b"\0" + body[1:]}, "damaged SCP-ECG file"),
        ({3: lambda body: body[:8]}, "damaged SCP-ECG file"),
        ({6: lambda body: body[:-400]}, "damaged SCP-ECG file"),
        ({6: lambda body: body[:4]}, "damaged SCP-ECG file"),
        ({6: lambda body: b"\0\0" + body[2:]}, "no amplitude"),
        ({6: lambda body: body[:2] + b"\0\0" + body[4:]}, "damaged SCP-ECG file"),
        ({6: lambda body: body[:2] + b"\xff\xff" + body[4:]}, "sampling frequency of 15.2"),
        ({6: lambda body: body[:4] + b"\7" + body[5:]}, "damaged SCP-ECG file"),
    ],
)
def test_damage_is_told_in_one_line_with_a_hint(tmp_path, changes, told):
    path = Scp(LEADS, twelve_counts(), difference=1, changes=changes).write(tmp_path / "a.scp")
    with pytest.raises(EcgFileError) as caught:
        read_ecg(path)
    assert told in caught.value.message and "\n" not in caught.value.message and caught.value.hint


def test_huffman_data_that_end_too_soon_are_told(tmp_path):
    scp = Scp(["I"], twelve_counts()[:1], huffman=DEFAULT_TABLE, encode=default_code)
    scp.changes[3] = last_sample(3 * N)
    with pytest.raises(EcgFileError, match="Huffman data ends after"):
        read_ecg(scp.write(tmp_path / "a"))


def test_decimated_rhythm_is_refused_and_not_read_as_it_stands(tmp_path):
    with pytest.raises(EcgFileError, match="bimodal"):
        read_ecg(Scp(LEADS, twelve_counts(), bimodal=1).write(tmp_path / "a"))


@pytest.mark.parametrize("part", [0.01, 0.05, 0.5, 0.999])
def test_a_truncated_file_is_told(tmp_path, part):
    path = Scp(LEADS, twelve_counts()).write(tmp_path / "a")
    path.write_bytes(path.read_bytes()[: max(32, int(part * path.stat().st_size))])
    with pytest.raises(EcgFileError) as caught:
        read_ecg(path)
    assert caught.value.hint
