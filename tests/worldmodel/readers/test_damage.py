"""Damage at random: a file of any format is read or refused in one line, and asking what a file is never fails."""

import random
from pathlib import Path

import numpy as np
import pytest

from tests.worldmodel.readers.scp_writer import DEFAULT_TABLE, Scp, default_code
from tests.worldmodel.readers.test_dicom_ecg import group, twelve, twelve_counts
from tests.worldmodel.readers.test_dicom_ecg import write as write_dicom
from tests.worldmodel.readers.test_edf import interrupted
from worldmodel.ecg import LEADS
from worldmodel.errors import EcgFileError
from worldmodel.readers import FORMATS, TABLES, read_ecg
from worldmodel.readers.stated import Stated

STATED = Stated(500, "uV", LEADS)


def scp(path: Path) -> None:
    Scp(LEADS, twelve_counts(200).T, difference=2, huffman=DEFAULT_TABLE, encode=default_code).write(path)


def csv(path: Path) -> None:
    rows = [f"{i / 500},{','.join(map(str, row))}" for i, row in enumerate(twelve_counts(60))]
    path.write_text("\n".join([f"time_s,{','.join(LEADS)}", *rows]))


def wfdb(path: Path) -> None:
    path.with_suffix(".dat").write_bytes(twelve_counts(200).astype("<i2").tobytes())
    lines = [f"ecg.dat 16 200(0)/mV 16 0 0 0 0 {lead}" for lead in LEADS]
    path.write_text("\n".join(["ecg 12 250 200", *lines]))


FORMS = {
    "dicom": ("ecg.dcm", lambda path: write_dicom(path, [group(twelve_counts(100), twelve())])),
    "edf": ("ecg.edf", lambda path: interrupted(path, [0, 1, 4])),
    "scp": ("ecg.scp", scp),
    "csv": ("ecg.csv", csv),
    "npy": ("ecg.npy", lambda path: np.save(path, twelve_counts(50))),
    "npz": ("ecg.npz", lambda path: np.savez(path, twelve_counts(50))),
    "wfdb": ("ecg.hea", wfdb),
}


def damaged(raw: bytes, rng: random.Random) -> bytes:
    """One to five bytes changed, cut out or put in; in the first 600, where the headers are, or anywhere."""
    spoiled = bytearray(raw)
    for _ in range(rng.randint(1, 5)):
        at = rng.randrange(min(len(spoiled), rng.choice((600, 1 << 30)))) if spoiled else 0
        new = rng.choice((bytes([rng.randrange(256)]), b"9", b"\xff\xff\xff\x7f", b"", b"\n0"))
        spoiled[at : at + rng.choice((0, len(new), 20))] = new
    return bytes(spoiled[: rng.choice((len(spoiled), rng.randrange(len(spoiled) + 1)))])


@pytest.mark.parametrize("form", FORMS)
def test_a_damaged_file_is_read_or_refused_in_one_line(tmp_path, form):
    name, write = FORMS[form]
    path, rng = tmp_path / name, random.Random(form)
    write(path)
    whole = path.read_bytes()
    assert read_ecg(path, STATED).samples_mv.shape[0] in (1, 12)
    for _ in range(40):
        path.write_bytes(damaged(whole, rng))
        try:
            read_ecg(path, STATED)
        except EcgFileError as error:
            assert "\n" not in error.message and error.hint


@pytest.mark.parametrize("known", [*FORMATS, *TABLES], ids=lambda known: known.name)
def test_asking_what_a_file_is_never_fails_and_knows_its_own_kind_only(tmp_path, known):
    own = {"DICOM-ECG": "dicom", "EDF/EDF+": "edf", "SCP-ECG": "scp", "CSV/TSV": "csv", "WFDB": "wfdb"}
    paths = [tmp_path, tmp_path / "nowhere", tmp_path / "a\0b", Path("/dev/null"), tmp_path / ("x" * 300)]
    for number, raw in enumerate(
        (b"", b"\0", b"0       ", bytes(range(256)), b"DICM!" * 99, b"PK\x03\x04", b"<a/>")
    ):
        paths.append(tmp_path / f"odd{number}")
        paths[-1].write_bytes(raw)
    assert [path for path in paths if known.locate(path)] == []
    for form, (name, write) in FORMS.items():
        path = tmp_path / form / name
        path.parent.mkdir()
        write(path)
        mine = own.get(known.name, "np") == form or (known.name == "NumPy" and form.startswith("np"))
        assert bool(known.locate(path)) == mine, form
