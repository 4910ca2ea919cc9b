"""WFDB files as archives write them, and as they arrive damaged."""

import os
from pathlib import Path

import numpy as np
import pytest

from worldmodel.ecg import LEADS, TWELVE_FROM_EIGHT
from worldmodel.errors import EcgFileError
from worldmodel.readers import read_ecg

DATA = Path(os.environ.get("ECGWM_DATA", Path(__file__).parents[3].parent / "shared/data"))
FS_HZ = 250


def twelve_mv(seed: int = 0) -> np.ndarray:
    """(12, 1000): limb leads that obey Einthoven's law, a few mV high."""
    rng = np.random.default_rng(seed)
    return TWELVE_FROM_EIGHT @ np.cumsum(0.05 * rng.normal(size=(8, 1000)), axis=1).clip(-3, 3)


def write(
    folder: Path, samples: np.ndarray, names=LEADS, gains=None, unit="mV", files=None, header=b"", name="rec"
):
    """A 16-bit record: one count per 1/gain; `files` gives the signal file of each lead, `header` its first bytes."""
    gains = [1000.0] * len(names) if gains is None else gains
    files = [f"{name}.dat"] * len(names) if files is None else files
    lines = [f"{name} {len(names)} {FS_HZ} {samples.shape[1]}"]
    offset = f"+{len(header)}" if header else ""
    for lead, gain, file in zip(names, gains, files, strict=True):
        lines.append(f"{file} 16{'x1' if header else ''}{offset} {gain:g}(0)/{unit} 16 0 0 0 0 {lead}")
    (folder / f"{name}.hea").write_text("\n".join(lines) + "\n# Age: 61\n")
    counts = np.round(samples * np.array(gains)[:, None]).astype("<i2")
    for file in dict.fromkeys(files):
        rows = [row for row, other in enumerate(files) if other == file]
        (folder / file).write_bytes(header + counts[rows].T.tobytes())
    return folder / f"{name}.hea"


@pytest.mark.parametrize("given", ["rec", "rec.hea", "rec.dat"])
def test_a_record_is_found_by_any_of_its_names(tmp_path, given):
    samples = twelve_mv()
    write(tmp_path, samples)
    ecg = read_ecg(tmp_path / given)
    assert ecg.fs_hz == FS_HZ and ecg.leads == LEADS and ecg.warnings == () and ecg.amplitudes_trusted
    np.testing.assert_allclose(ecg.samples_mv, samples, atol=0.0006)


def test_the_challenge_format_is_read_by_its_mat_file(tmp_path):
    samples = twelve_mv()
    write(tmp_path, samples, files=["rec.mat"] * 12, header=bytes(24))
    np.testing.assert_allclose(read_ecg(tmp_path / "rec.mat").samples_mv, samples, atol=0.0006)


def test_several_signal_files_make_one_record_and_frank_leads_stay(tmp_path):
    samples = np.concatenate([twelve_mv(), 0.1 * twelve_mv(1)[:3]])
    names = [name.lower() for name in LEADS] + ["vx", "vy", "vz"]
    write(tmp_path, samples, names, files=["rec.dat"] * 12 + ["rec.xyz"] * 3)
    ecg = read_ecg(tmp_path / "rec.xyz")
    assert ecg.leads == (*LEADS, "vx", "vy", "vz")
    np.testing.assert_allclose(ecg.lead("vz"), samples[14], atol=0.0006)


def test_other_orders_and_spellings_are_read_by_name(tmp_path):
    order = ["AVF", "Lead I", "v6", "MLII"]
    rows = [LEADS.index(name) for name in ("aVF", "I", "V6", "II")]
    samples = twelve_mv()
    ecg = read_ecg(write(tmp_path, samples[rows], order))
    assert ecg.leads == ("aVF", "I", "V6", "II")
    np.testing.assert_allclose(ecg.lead("II"), samples[1], atol=0.0006)


@pytest.mark.parametrize("unit, factor", [("uV", 1000.0), ("V", 0.001), ("mV", 1.0)])
def test_units_become_millivolts(tmp_path, unit, factor):
    samples = twelve_mv()
    hea = write(tmp_path, samples * factor, gains=[1000.0 / factor] * 12, unit=unit)
    np.testing.assert_allclose(read_ecg(hea).samples_mv, samples, atol=0.0006)


def test_what_is_no_voltage_is_left_out_and_said(tmp_path):
    hea = write(tmp_path, twelve_mv()[:2], ("II", "ABP"))
    hea.write_text(hea.read_text().replace("/mV 16 0 0 0 0 ABP", "/mmHg 16 0 0 0 0 ABP"))
    ecg = read_ecg(hea)
    assert ecg.leads == ("II",)
    assert ecg.warnings == ("Left out, not in a unit of voltage: ABP.",)


def test_gains_that_normalise_each_lead_are_repaired_with_a_warning(tmp_path):
    """As in LUDB: the header scales every lead to the same height; only the raw counts obey Einthoven's law."""
    samples = twelve_mv()
    hea = write(tmp_path, samples)
    gains = np.ptp(1000 * samples, axis=1)
    lines = hea.read_text().splitlines()
    for row, gain in enumerate(gains, start=1):
        lines[row] = lines[row].replace("1000(0)/mV", f"{gain:.0f}(3)/mV")
    hea.write_text("\n".join(lines))
    ecg = read_ecg(hea)
    assert "likely true scale" in ecg.warnings[0] and "1000 counts per mV" in ecg.warnings[0]
    np.testing.assert_allclose(ecg.samples_mv, samples, atol=0.004)
    assert ecg.amplitudes_trusted


def test_limb_leads_of_no_common_scale_are_not_trusted(tmp_path):
    samples = twelve_mv()
    samples[2] = samples[8]
    ecg = read_ecg(write(tmp_path, samples))
    assert not ecg.amplitudes_trusted
    assert "Einthoven" in ecg.warnings[0]


def test_a_gain_for_each_lead_is_doubted_where_no_limb_leads_confirm_it(tmp_path):
    hea = write(tmp_path, twelve_mv()[6:9], LEADS[6:9], gains=[812.0, 1374.0, 2210.0])
    ecg = read_ecg(hea)
    assert not ecg.amplitudes_trusted
    assert "gain of its own" in ecg.warnings[0]


def test_a_missing_sample_is_nan(tmp_path):
    samples = twelve_mv()[:2]
    samples[0, 100:200] = -32.768
    ecg = read_ecg(write(tmp_path, samples, ("I", "V1")))
    assert np.isnan(ecg.samples_mv[0, 100:200]).all()
    assert np.isfinite(ecg.samples_mv[0, :100]).all()


@pytest.mark.parametrize(
    "damage, told",
    [
        (lambda f: (f / "rec.dat").unlink(), "names the signal file rec.dat, which is not there"),
        (lambda f: (f / "rec.dat").write_bytes(b"12345"), "do not fit their header"),
        (
            lambda f: (f / "rec.dat").write_bytes((f / "rec.dat").read_bytes()[:12_000]),
            "do not fit their header",
        ),
        (lambda f: (f / "rec.hea").write_text("a letter to my doctor\n"), "is not a WFDB header"),
        (lambda f: (f / "rec.hea").write_bytes(bytes(range(256))), "is not a WFDB header"),
        (lambda f: (f / "rec.hea").write_text(""), "is not a WFDB header"),
        (lambda f: (f / "rec.hea").write_text("rec 12 250 1000\n"), "do not fit their header"),
        (lambda f: (f / "rec.hea").unlink(), "its header is missing"),
    ],
)
def test_damage_is_told_in_one_line_with_a_hint(tmp_path, damage, told):
    write(tmp_path, twelve_mv())
    damage(tmp_path)
    given = "rec.hea" if (tmp_path / "rec.hea").exists() else "rec.dat"
    with pytest.raises(EcgFileError) as caught:
        read_ecg(tmp_path / given)
    assert told in caught.value.message and "\n" not in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("header", ["rec 1 0 1000", "rec 1 10 1000"])
def test_a_rate_no_ecg_has_is_refused(tmp_path, header):
    hea = write(tmp_path, twelve_mv()[:1], ("I",))
    hea.write_text(hea.read_text().replace(f"rec 1 {FS_HZ} 1000", header))
    with pytest.raises(EcgFileError, match="sampling frequency"):
        read_ecg(hea)


def test_a_path_to_nothing_and_a_folder_are_told_apart(tmp_path):
    with pytest.raises(EcgFileError, match="no recording at"):
        read_ecg(tmp_path / "nothing.hea")
    with pytest.raises(EcgFileError, match="is a folder"):
        read_ecg(tmp_path)


@pytest.mark.skipif(not (DATA / "ptb").is_dir(), reason="the recordings are not beside the project")
def test_real_recordings_are_read():
    ptb = read_ecg(DATA / "ptb/s0010_re")
    assert ptb.samples_mv.shape == (15, 38_400) and ptb.fs_hz == 1000 and ptb.leads[-3:] == ("vx", "vy", "vz")
    records = sorted((DATA / "cinc2021").glob("*.mat"))
    assert records
    for path in records:
        ecg = read_ecg(path)
        assert ecg.leads == LEADS and ecg.duration_s == 10.0 and ecg.warnings == ()
