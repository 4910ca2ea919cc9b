"""NumPy files: what axis is time follows from the leads named, and nothing is unpickled."""

import io
import pickle
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from worldmodel.ecg import LEADS, TWELVE_FROM_EIGHT
from worldmodel.errors import EcgFileError
from worldmodel.readers import read_ecg
from worldmodel.readers.stated import Stated

STATED = Stated(500.0, "mV", LEADS)


def mv(samples: int = 500) -> np.ndarray:
    walk = np.cumsum(0.05 * np.random.default_rng(0).normal(size=(8, samples)), axis=1).clip(-2, 2)
    return TWELVE_FROM_EIGHT @ walk


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("kind", ["npy", "npz"])
@pytest.mark.parametrize("dtype", ["<f8", ">f4", "<f2"])
def test_either_axis_may_be_time(tmp_path, turned, kind, dtype):
    samples = mv().astype(dtype)
    path = tmp_path / f"a.{kind}"
    (np.save if kind == "npy" else np.savez_compressed)(path, samples.T if turned else samples)
    ecg = read_ecg(path, STATED)
    assert (ecg.leads, ecg.fs_hz, ecg.samples_mv.dtype) == (LEADS, 500, np.float64)
    np.testing.assert_allclose(ecg.samples_mv, samples.astype(float))


def test_counts_in_microvolts_and_a_fortran_order(tmp_path):
    np.save(tmp_path / "a.npy", np.asfortranarray(np.round(mv() * 1000).astype("i2")))
    ecg = read_ecg(tmp_path / "a.npy", Stated(500, "uV", LEADS))
    np.testing.assert_allclose(ecg.samples_mv, mv(), atol=0.0006)


def test_one_lead_may_be_one_dimension(tmp_path):
    np.save(tmp_path / "a.npy", mv()[1])
    assert read_ecg(tmp_path / "a.npy", Stated(500, "mV", ("II",))).samples_mv.shape == (1, 500)


def test_arrays_named_as_leads_name_them(tmp_path):
    np.savez(tmp_path / "a.npz", I=mv()[0], V1=mv()[6], fs=500, marks=np.arange(7))
    ecg = read_ecg(tmp_path / "a.npz", Stated(500, "mV"))
    assert ecg.leads == ("I", "V1")
    assert ecg.warnings == ("Left out, single values: fs.", "Left out, not a lead: marks.")
    with pytest.raises(EcgFileError, match="does not say their sampling rate and unit"):
        read_ecg(tmp_path / "a.npz")


def test_all_that_is_missing_is_asked_for_at_once(tmp_path):
    np.save(tmp_path / "a.npy", mv())
    with pytest.raises(EcgFileError) as caught:
        read_ecg(tmp_path / "a.npy")
    assert "sampling rate, unit and leads" in caught.value.message
    assert "--fs HZ --unit mV --leads I,II,..." in caught.value.hint


@pytest.mark.parametrize(
    "shape, told",
    [
        ((12, 12), "which axis is time cannot be told"),
        ((500, 8), "no axis has the 12 leads"),
        ((1, 12, 500), "no axis has the 12 leads"),
        ((500,), "no axis has the 12 leads"),
        ((0, 12), "no array of numbers"),
    ],
)
def test_a_shape_that_leaves_doubt_is_refused(tmp_path, shape, told):
    np.save(tmp_path / "a.npy", np.zeros(shape))
    with pytest.raises(EcgFileError, match=told):
        read_ecg(tmp_path / "a.npy", STATED)


def test_several_arrays_without_names_of_leads_are_refused(tmp_path):
    np.savez(tmp_path / "a.npz", before=mv(), after=mv())
    with pytest.raises(EcgFileError, match=r"several arrays \(before, after\)"):
        read_ecg(tmp_path / "a.npz", STATED)


class Bomb:
    """Unpickling it would raise something that is no EcgFileError."""

    def __reduce__(self):
        return (exec, ("raise SystemExit('unpickled')",))


def of_objects(path: Path) -> None:
    np.save(path, np.array([Bomb()], dtype=object), allow_pickle=True)


def huge(path: Path) -> None:
    """A header of 10^12 numbers, and ten of them."""
    np.save(path, np.zeros(10))
    raw = path.read_bytes()
    header = "{'descr': '<f8', 'fortran_order': False, 'shape': (12, 99999999999), }".ljust(117) + "\n"
    path.write_bytes(raw[:8] + struct.pack("<H", len(header)) + header.encode() + raw[128:])


def zipped(fill):
    def write(path: Path) -> None:
        fill(path)
        raw = path.read_bytes()
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.npy", raw)

    return write


def truncated(fill):
    def write(path: Path) -> None:
        fill(path)
        path.write_bytes(path.read_bytes()[:-200])

    return write


@pytest.mark.parametrize(
    "fill, told",
    [
        (of_objects, "not readable as NumPy arrays"),
        (zipped(of_objects), "not readable as NumPy arrays"),
        (huge, "not readable as NumPy arrays"),
        (zipped(huge), "announces more numbers than it holds"),
        (truncated(lambda path: np.save(path, mv())), "not readable as NumPy arrays"),
        (truncated(zipped(lambda path: np.save(path, mv()))), "not readable as NumPy arrays"),
        (lambda path: np.save(path, np.array(["I", "II"])), "no array of numbers"),
        (lambda path: np.save(path, np.zeros((12, 500), complex)), "no array of numbers"),
        (lambda path: path.write_bytes(b"\x93NUMPY"), "not readable as NumPy arrays"),
        (lambda path: path.write_bytes(pickle.dumps(Bomb())), "not an ECG of a known format"),
        (lambda path: path.write_bytes(io.BytesIO(b"PK\x03\x04").read()), "not an ECG of a known format"),
    ],
)
def test_damage_is_told_in_one_line_with_a_hint_and_nothing_is_unpickled(tmp_path, fill, told):
    path = tmp_path / "a.npy"
    with path.open("wb"):
        fill(path)
    with pytest.raises(EcgFileError) as caught:
        read_ecg(path, STATED)
    assert told in caught.value.message and "\n" not in caught.value.message and caught.value.hint
