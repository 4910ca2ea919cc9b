"""WFDB in all its formats and layouts: what the library writes, and headers by hand where it writes none."""

import warnings
from pathlib import Path

import numpy as np
import pytest

from worldmodel.errors import EcgFileError
from worldmodel.readers import read_ecg

with warnings.catch_warnings():  # wfdb 4.3 uses what pandas 3 deprecates
    warnings.simplefilter("ignore", DeprecationWarning)
    import wfdb

FS_HZ = 250
N = 1000
# Format and the counts it can hold (signal(5) of the WFDB guide).
HOLDS = {
    "16": 32_000,
    "61": 32_000,
    "160": 32_000,
    "24": 8_000_000,
    "32": 2_000_000_000,
    "80": 120,
    "212": 2000,
    "310": 500,
    "311": 500,
    "508": 120,
    "516": 32_000,
    "524": 8_000_000,
}


def counts(most: int, leads: int = 3) -> np.ndarray:
    """(time, lead): a few beats of a kind, up to `most` counts high."""
    t = np.arange(N)[:, None] / FS_HZ
    shape = np.sin(2 * np.pi * 1.2 * t + np.arange(leads)) ** 21
    return np.round(0.9 * most * shape).astype(np.int64)


def pack(fmt: str, flat: np.ndarray) -> bytes:
    """The formats that the library reads and does not write, from their definition in signal(5)."""
    x = flat.astype(np.int64)
    if fmt == "61":
        return x.astype(">i2").tobytes()
    if fmt == "160":
        return (x + 32_768).astype("<u2").tobytes()
    x = np.concatenate([x, np.zeros(-x.size % 3, dtype=np.int64)]) & 0x3FF
    a, b, c = x[0::3], x[1::3], x[2::3]
    if fmt == "310":  # two words of 11 high bits and the third sample spread over their low and high ends
        first, second = (a << 1) | ((c & 0x1F) << 11), (b << 1) | ((c >> 5) << 11)
        return np.stack([first, second], axis=1).astype("<u2").tobytes()
    return (a | (b << 10) | (c << 20)).astype("<u4").tobytes()


def write(folder: Path, fmt: str, gain: float) -> np.ndarray:
    """A record of I, II and V1 in `fmt`; the millivolts that were written, (lead, time)."""
    x = counts(HOLDS[fmt])
    names, threes = ["I", "II", "V1"], lambda value: [value] * 3
    if fmt in ("61", "160", "310", "311"):
        (folder / "rec.dat").write_bytes(pack(fmt, x.ravel()))
        lines = [f"rec.dat {fmt} {gain:g}(0)/mV 16 0 {x[0, i]} 0 0 {name}" for i, name in enumerate(names)]
        (folder / "rec.hea").write_text("\n".join([f"rec 3 {FS_HZ} {N}", *lines]) + "\n")
    else:
        wfdb.wrsamp(
            "rec", FS_HZ, threes("mV"), names, d_signal=x, fmt=threes(fmt), adc_gain=threes(gain),
            baseline=threes(0), write_dir=str(folder),
        )  # fmt: skip
    return x.T / gain


@pytest.mark.parametrize("fmt", HOLDS)
@pytest.mark.filterwarnings("ignore:.*:DeprecationWarning")
def test_every_format_of_samples_is_read(tmp_path, fmt):
    written = write(tmp_path, fmt, gain=HOLDS[fmt] / 2)
    ecg = read_ecg(tmp_path / "rec")
    assert (ecg.leads, ecg.fs_hz, ecg.warnings) == (("I", "II", "V1"), FS_HZ, ())
    np.testing.assert_allclose(ecg.samples_mv, written, atol=1e-9)


def test_first_differences_start_from_the_header(tmp_path):
    """Format 8 stores steps of one byte; the first value stands in the header."""
    x = counts(60, leads=2)
    steps = np.diff(x, axis=0, prepend=x[:1]).astype("i1")
    (tmp_path / "rec.dat").write_bytes(steps.tobytes())
    lines = [f"rec.dat 8 100(0)/mV 8 0 {x[0, i]} 0 0 {name}" for i, name in enumerate(("II", "V5"))]
    (tmp_path / "rec.hea").write_text("\n".join([f"rec 2 {FS_HZ} {N}", *lines]))
    np.testing.assert_allclose(read_ecg(tmp_path / "rec").samples_mv, x.T / 100)


def segment(
    folder: Path, name: str, x: np.ndarray, leads: list[str], gain: float = 1000, units: str = "mV"
) -> None:
    """A segment in format 16; x (time, lead) in counts."""
    (folder / f"{name}.dat").write_bytes(x.astype("<i2").tobytes())
    lines = [f"{name}.dat 16 {gain:g}(0)/{units} 16 0 0 0 0 {lead}" for lead in leads]
    (folder / f"{name}.hea").write_text("\n".join([f"{name} {len(leads)} {FS_HZ} {len(x)}", *lines]) + "\n")


def test_segments_of_a_fixed_layout_are_joined(tmp_path):
    x = counts(2000, leads=2)
    segment(tmp_path, "a", x[:400], ["I", "II"])
    segment(tmp_path, "b", x[400:], ["I", "II"])
    (tmp_path / "rec.hea").write_text(f"rec/2 2 {FS_HZ} {N}\na 400\nb 600\n")
    np.testing.assert_allclose(read_ecg(tmp_path / "rec").samples_mv, x.T / 1000)


def test_in_a_variable_layout_gaps_and_absent_leads_are_nan(tmp_path):
    """As MIMIC writes: a header of the layout, then segments with the leads that were on, and gaps."""
    x = counts(2000, leads=2)
    (tmp_path / "lay.hea").write_text(
        f"lay 2 {FS_HZ} 0\n~ 0 1000/mV 16 0 0 0 0 II\n~ 0 1000/mV 16 0 0 0 0 V1\n"
    )
    segment(tmp_path, "a", x[:400], ["II", "V1"])
    segment(tmp_path, "b", x[500:, 1:] // 2, ["V1"], gain=500)
    (tmp_path / "rec.hea").write_text(f"rec/4 2 {FS_HZ} {N}\nlay 0\na 400\n~ 100\nb 500\n")
    ecg = read_ecg(tmp_path / "rec")
    assert ecg.leads == ("II", "V1")
    np.testing.assert_allclose(ecg.samples_mv[:, :400], x[:400].T / 1000)
    assert np.isnan(ecg.samples_mv[:, 400:500]).all() and np.isnan(ecg.lead("II")[500:]).all()
    np.testing.assert_allclose(ecg.lead("V1")[500:], x[500:, 1] / 1000, atol=0.0011)


def test_segments_in_different_units_are_refused(tmp_path):
    x = counts(2000, leads=1)
    (tmp_path / "lay.hea").write_text(f"lay 1 {FS_HZ} 0\n~ 0 1000/mV 16 0 0 0 0 II\n")
    segment(tmp_path, "a", x[:500], ["II"])
    segment(tmp_path, "b", x[500:], ["II"], gain=1, units="uV")
    (tmp_path / "rec.hea").write_text(f"rec/3 1 {FS_HZ} {N}\nlay 0\na 500\nb 500\n")
    with pytest.raises(EcgFileError, match="different units"):
        read_ecg(tmp_path / "rec")


def test_signals_keep_their_own_rate_and_slower_ones_are_left_out_with_a_word(tmp_path):
    """MIMIC: frames at 62.5 Hz with four samples of ECG; averaged over the frame, the ECG would be lost."""
    ecg, resp = counts(2000, leads=2), counts(1000, leads=1)[: N // 4]
    frames = np.concatenate([ecg.reshape(-1, 4, 2).transpose(0, 2, 1).reshape(N // 4, 8), resp], axis=1)
    (tmp_path / "rec.dat").write_bytes(frames.astype("<i2").tobytes())
    (tmp_path / "rec.hea").write_text(
        f"rec 3 62.5 {N // 4}\nrec.dat 16x4 1000/mV 16 0 0 0 0 II\nrec.dat 16x4 1000/mV 16 0 0 0 0 V\n"
        "rec.dat 16 1000/mV 16 0 0 0 0 RESP\n"
    )
    read = read_ecg(tmp_path / "rec")
    assert (read.fs_hz, read.leads) == (250, ("II", "V"))
    assert read.warnings == (
        "Left out, not sampled at 250 Hz like the others: RESP.",
        "Not used, as the name is of no standard or Frank lead: V.",
    )
    np.testing.assert_allclose(read.samples_mv, ecg.T / 1000)


def test_skew_is_taken_out(tmp_path):
    x = counts(2000, leads=2)
    shifted = x.copy()
    shifted[5:, 1] = x[:-5, 1]
    (tmp_path / "rec.dat").write_bytes(shifted.astype("<i2").tobytes())
    (tmp_path / "rec.hea").write_text(
        f"rec 2 {FS_HZ} {N}\nrec.dat 16 1000/mV 16 0 0 0 0 I\nrec.dat 16:5 1000/mV 16 0 0 0 0 V1\n"
    )
    read = read_ecg(tmp_path / "rec").samples_mv
    np.testing.assert_allclose(read[:, :-5], x[:-5].T / 1000)


@pytest.mark.parametrize(
    "rename, header",
    [
        (("rec.hea", "REC.HEA"), None),
        (("rec.dat", "REC.DAT"), None),
        (None, f"study/rec 2 {FS_HZ} {N}"),
        (None, f"./rec 2 {FS_HZ} {N}"),
    ],
)
def test_capitals_and_paths_in_the_header_do_not_matter(tmp_path, rename, header):
    x = counts(2000, leads=2)
    segment(tmp_path, "rec", x, ["I", "V1"])
    path = tmp_path / "rec.hea"
    if header:
        path.write_text("\n".join([header, *path.read_text().splitlines()[1:]]))
    if rename:
        (tmp_path / rename[0]).rename(tmp_path / rename[1])
        path = tmp_path / rename[1] if rename[1].endswith("HEA") else path
    np.testing.assert_allclose(read_ecg(path).samples_mv, x.T / 1000)
    np.testing.assert_allclose(read_ecg(tmp_path / path.stem).samples_mv, x.T / 1000)


def test_a_signal_file_in_a_subfolder_is_found(tmp_path):
    x = counts(2000, leads=1)
    segment(tmp_path, "rec", x, ["I"])
    (tmp_path / "data").mkdir()
    (tmp_path / "rec.dat").rename(tmp_path / "data" / "rec.dat")
    path = tmp_path / "rec.hea"
    path.write_text(path.read_text().replace("rec.dat", "data/rec.dat"))
    np.testing.assert_allclose(read_ecg(path).samples_mv, x.T / 1000)


@pytest.mark.parametrize("micro", ["µV", "μV"])
def test_a_micro_sign_is_no_volt(tmp_path, micro):
    """wfdb reads headers as ASCII and drops what is not: microvolts became volts, a million times too high."""
    x = counts(2000, leads=1)
    segment(tmp_path, "rec", x, ["I"], gain=1, units="uV")
    path = tmp_path / "rec.hea"
    path.write_text(path.read_text("utf-8").replace("uV", micro), "utf-8")
    np.testing.assert_allclose(read_ecg(path).samples_mv, x.T / 1000)


def test_a_table_beside_a_header_of_its_name_is_the_table(tmp_path):
    segment(tmp_path, "rec", counts(2000, leads=1), ["I"])
    (tmp_path / "rec.csv").write_text("I,II\n1,2\n3,4\n")
    with pytest.raises(EcgFileError, match=r"rec\.csv holds numbers and does not say"):
        read_ecg(tmp_path / "rec.csv")


@pytest.mark.parametrize(
    "header, told",
    [
        ("rec 1 250 99999999999\nrec.dat 16 1000/mV 16 0 0 0 0 I", "announces 99999999999 samples"),
        ("rec 99999999 250 99999\nrec.dat 16 1000/mV 16 0 0 0 0 I", "announces"),
        ("rec 0 250 1000", "holds no samples"),
        ("rec/2 1 250 9999999999\n~ 4999999999\n~ 5000000000", ""),
        ("rec/2 1 250 9999999999\nrec1 4999999999\n~ 5000000000", ""),
    ],
)
def test_a_header_that_promises_the_sky_is_refused_before_it_costs_memory(tmp_path, header, told):
    segment(tmp_path, "rec1", counts(2000, leads=1), ["I"])
    (tmp_path / "rec.dat").write_bytes(bytes(200))
    (tmp_path / "rec.hea").write_text(header)
    with pytest.raises(EcgFileError) as caught:
        read_ecg(tmp_path / "rec.hea")
    assert told in caught.value.message and caught.value.hint


@pytest.mark.filterwarnings("ignore:.*:DeprecationWarning")
@pytest.mark.parametrize("fmt", HOLDS)
def test_every_format_tells_a_truncated_file(tmp_path, fmt):
    write(tmp_path, fmt, gain=HOLDS[fmt] / 2)
    file = next(tmp_path.glob("rec.[df]*"))
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(EcgFileError, match="do not fit their header"):
        read_ecg(tmp_path / "rec")
