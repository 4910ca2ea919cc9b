"""Tables as people export them: nothing is guessed, and all that is missing is asked for at once."""

from pathlib import Path

import numpy as np
import pytest

from worldmodel.ecg import LEADS, TWELVE_FROM_EIGHT
from worldmodel.errors import EcgFileError
from worldmodel.readers import read_ecg
from worldmodel.readers.stated import NOTHING_STATED, Stated

FS_HZ = 500.0
STATED = Stated(FS_HZ, "mV", ("I", "II"))
N = 400


def mv(leads: int = 2) -> np.ndarray:
    """(time, lead), rounded as a table writes it."""
    walk = np.cumsum(0.05 * np.random.default_rng(0).normal(size=(8, N)), axis=1).clip(-2, 2)
    return np.round(TWELVE_FROM_EIGHT @ walk, 3).T[:, :leads]


def write(path: Path, samples: np.ndarray, separator=",", header="", comma=False, encoding="utf-8") -> Path:
    rows = [separator.join(f"{value:.6g}" for value in row) for row in samples]
    rows = [row.replace(".", ",") for row in rows] if comma else rows
    path.write_text("\n".join([*([header] if header else []), *rows]) + "\n", encoding=encoding)
    return path


@pytest.mark.parametrize(
    "separator, comma", [(",", False), (";", False), ("\t", False), (" ", False), (";", True), ("\t", True)]
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_separators_decimal_commas_and_byte_order_marks(tmp_path, separator, comma, encoding):
    path = write(tmp_path / "a.txt", mv(), separator, "", comma, encoding)
    ecg = read_ecg(path, STATED)
    assert (ecg.fs_hz, ecg.leads, ecg.warnings) == (FS_HZ, ("I", "II"), ())
    np.testing.assert_allclose(ecg.samples_mv, mv().T)


@pytest.mark.parametrize("unit, per_mv", [("mV", 1), ("uV", 1e3), ("µV", 1e3), ("nV", 1e6), ("V", 1e-3)])
def test_units_become_millivolts(tmp_path, unit, per_mv):
    ecg = read_ecg(write(tmp_path / "a", mv() * per_mv), Stated(FS_HZ, unit, ("I", "II")))
    np.testing.assert_allclose(ecg.samples_mv, mv().T, rtol=1e-5)


@pytest.mark.parametrize(
    "stated, told, hint",
    [
        (NOTHING_STATED, "sampling rate, unit and leads", "--fs HZ --unit mV --leads I,II,..."),
        (Stated(fs_hz=500), "unit and leads", "--unit mV --leads I,II,..."),
        (Stated(unit="mV", leads=("I", "II")), "sampling rate", "--fs HZ"),
        (Stated(500, None, ("I", "II")), "unit", "--unit mV"),
    ],
)
def test_all_that_is_missing_is_asked_for_at_once(tmp_path, stated, told, hint):
    with pytest.raises(EcgFileError) as caught:
        read_ecg(write(tmp_path / "a.csv", mv()), stated)
    assert f"does not say their {told}." in caught.value.message
    assert caught.value.hint.startswith(f"Add {hint};")


@pytest.mark.parametrize(
    "header", ["I,II", '"I","II"', "lead i , lead ii", "ECG_I,MLII", "I [mV],II [mV]", "I_mV,II_mV"]
)
def test_a_header_names_the_leads(tmp_path, header):
    ecg = read_ecg(write(tmp_path / "a.csv", mv(), header=header), Stated(FS_HZ, "mV"))
    assert ecg.leads == ("I", "II") and ecg.warnings == ()


def test_a_unit_in_the_header_is_used_and_a_stated_one_wins_with_a_word(tmp_path):
    path = write(tmp_path / "a.csv", mv() * 1000, header="I (uV),II (uV)")
    np.testing.assert_allclose(read_ecg(path, Stated(fs_hz=FS_HZ)).samples_mv, mv().T)
    assert "the stated V was used" in read_ecg(path, Stated(FS_HZ, "V")).warnings[0]


def test_stated_leads_win_over_the_header_and_must_be_as_many(tmp_path):
    path = write(tmp_path / "a.csv", mv(), header="I,II")
    assert read_ecg(path, Stated(FS_HZ, "mV", ("V1", "V2"))).leads == ("V1", "V2")
    with pytest.raises(EcgFileError, match="has 2 columns, and --leads names 3"):
        read_ecg(path, Stated(FS_HZ, "mV", ("V1", "V2", "V3")))


def test_a_header_without_leads_does_not_name_them(tmp_path):
    path = write(tmp_path / "a.csv", mv(), header="left,right")
    with pytest.raises(EcgFileError, match="does not say their leads"):
        read_ecg(path, Stated(FS_HZ, "mV"))
    assert read_ecg(path, STATED).leads == ("I", "II")


def with_column(column: np.ndarray) -> np.ndarray:
    return np.concatenate([column[:, None], mv()], axis=1)


@pytest.mark.parametrize(
    "name, per_second",
    [
        ("time_s", 1),
        ("time_ms", 1e3),
        ("t [s]", 1),
        ("Time (ms)", 1e3),
        ("ms", 1e3),
        ("seconds", 1),
        ("t_us", 1e6),
    ],
)
def test_a_time_column_that_names_its_unit_gives_the_rate(tmp_path, name, per_second):
    samples = with_column(np.arange(N) / FS_HZ * per_second + 7)
    ecg = read_ecg(write(tmp_path / "a.csv", samples, header=f"{name},I,II"), Stated(unit="mV"))
    assert ecg.fs_hz == pytest.approx(FS_HZ, rel=1e-3)
    assert ecg.leads == ("I", "II") and f"is that of the column {name}." in ecg.warnings[0]
    np.testing.assert_allclose(ecg.samples_mv, mv().T)


def test_times_rounded_to_milliseconds_are_regular(tmp_path):
    samples = with_column(np.round(np.arange(N) / 360, 3))
    ecg = read_ecg(write(tmp_path / "a.csv", samples, header="time_s,I,II"), Stated(unit="mV"))
    assert ecg.fs_hz == pytest.approx(360, rel=1e-3)


@pytest.mark.parametrize("name", ["time", "t", "Timestamp"])
def test_a_time_column_without_a_unit_is_no_lead_and_gives_no_rate(tmp_path, name):
    path = write(tmp_path / "a.csv", with_column(np.arange(N) / FS_HZ), header=f"{name},I,II")
    with pytest.raises(EcgFileError, match="does not say their sampling rate"):
        read_ecg(path, Stated(unit="mV"))
    assert read_ecg(path, Stated(250, "mV")).fs_hz == 250


@pytest.mark.parametrize("spoil", ["gap", "backwards", "standing"])
def test_irregular_times_give_no_rate(tmp_path, spoil):
    times = np.arange(N) / FS_HZ
    if spoil == "gap":
        times[200:] += 1 / FS_HZ
    elif spoil == "backwards":
        times[200] = 0
    else:
        times[:] = 1
    path = write(tmp_path / "a.csv", with_column(times), header="time_s,I,II")
    with pytest.raises(EcgFileError, match="does not say their sampling rate"):
        read_ecg(path, Stated(unit="mV"))


def test_a_stated_rate_wins_over_the_times_with_a_word(tmp_path):
    path = write(tmp_path / "a.csv", with_column(np.arange(N) / FS_HZ), header="time_s,I,II")
    ecg = read_ecg(path, Stated(1000, "mV"))
    assert ecg.fs_hz == 1000 and ecg.warnings == (
        "The column time_s says 500 Hz; the stated 1000 Hz were used.",
    )


def test_numbering_is_dropped_and_other_columns_are_left_out_with_a_word(tmp_path):
    path = tmp_path / "a.csv"
    rows = [f"{i},{a},{b},rest,{i % 7}" for i, (a, b) in enumerate(mv())]
    path.write_text("\n".join([",I,II,label,SpO2", *rows]))
    ecg = read_ecg(path, Stated(FS_HZ, "mV"))
    assert ecg.leads == ("I", "II") and ecg.warnings == ("Left out, not a lead: label, SpO2.",)
    np.testing.assert_allclose(ecg.samples_mv, mv().T)


@pytest.mark.parametrize("empty", ["", "NaN", "nan", "NA", "null"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_empty_cells_are_nan(tmp_path, empty, separator):
    rows = [[f"{a:g}", f"{b:g}"] for a, b in mv()]
    rows[0][1] = rows[5][0] = rows[9][1] = rows[11][0] = rows[11][1] = empty
    path = tmp_path / "a.csv"
    path.write_text("\n".join(separator.join(row) for row in rows))
    samples = read_ecg(path, STATED).samples_mv
    assert samples.shape == (2, N)
    assert np.argwhere(np.isnan(samples)).tolist() == [[0, 5], [0, 11], [1, 0], [1, 9], [1, 11]]


def test_comments_and_blank_lines_are_skipped(tmp_path):
    path = write(tmp_path / "a.csv", mv(), header="# recorded on a boat, 500 Hz\n\nI,II")
    np.testing.assert_allclose(read_ecg(path, Stated(FS_HZ, "mV")).samples_mv, mv().T)


@pytest.mark.parametrize("header, leads", [("II", ("II",)), ("", ("I", "II"))])
def test_a_comma_between_digits_separates_unless_the_header_has_one_column(tmp_path, header, leads):
    path = tmp_path / "a.csv"
    path.write_text("\n".join([header, *(f"{i % 7},{i % 5}" for i in range(N))]))
    ecg = read_ecg(path, Stated(FS_HZ, "mV", leads))
    assert ecg.samples_mv.shape == (len(leads), N)
    assert ecg.samples_mv[0, 8] == (1.3 if header else 1)


def test_one_column_is_one_lead(tmp_path):
    assert read_ecg(write(tmp_path / "a.txt", mv()[:, :1]), Stated(FS_HZ, "mV", ("II",))).leads == ("II",)


def test_impossible_millivolts_are_doubted(tmp_path):
    ecg = read_ecg(write(tmp_path / "a.csv", mv(12) * 1000), Stated(FS_HZ, "mV", LEADS))
    assert not ecg.amplitudes_trusted and "microvolts" in ecg.warnings[0]


@pytest.mark.parametrize(
    "text, stated, told",
    [
        ("I,II\n0.1,0.2\n0.3,0.3\n0.1,0.2\n0.1\n", STATED, "no table of numbers throughout"),
        ("I,II\n0.1,0.2\n0.1,0.2\n0.1,0.2\n0.3,off\n", STATED, "no table of numbers throughout"),
        ("0.1,0.2\n", STATED, "not an ECG of a known format"),
        ("I,II\n", STATED, "not an ECG of a known format"),
        ("Dear doctor,\nI feel well.\n", STATED, "not an ECG of a known format"),
        ('{"age_years": 60, "sex": "male"}', STATED, "not an ECG of a known format"),
        ("", STATED, "is empty"),
        (
            "nan,nan\nnan,1\nnan,nan\n",
            Stated(FS_HZ, "mV", ("I", "II", "V1")),
            "2 columns, and --leads names 3",
        ),
        ("1,2\n3,4\n5,6\n", Stated(10, "mV", ("I", "II")), "10 samples per second is no rate"),
        ("1,2\n3,4\n5,6\n", Stated(float("nan"), "mV", ("I", "II")), "no rate"),
        ("1,2\n3,4\n5,6\n", Stated(500, "mmHg", ("I", "II")), "'mmHg' is no unit of voltage"),
    ],
)
def test_what_is_no_table_is_told_in_one_line_with_a_hint(tmp_path, text, stated, told):
    path = tmp_path / "a.csv"
    path.write_text(text)
    with pytest.raises(EcgFileError) as caught:
        read_ecg(path, stated)
    assert told in caught.value.message and "\n" not in caught.value.message and caught.value.hint


def test_the_known_formats_are_listed(tmp_path):
    (tmp_path / "a.bin").write_bytes(bytes(range(256)))
    with pytest.raises(EcgFileError) as caught:
        read_ecg(tmp_path / "a.bin")
    for name in ("WFDB", "DICOM-ECG", "SCP-ECG", "EDF/EDF+", "CSV/TSV", "NumPy"):
        assert name in caught.value.hint
