"""Annotated sets: each layout is recognised, its marks land on the right leads and seconds, its faults are told."""

import warnings
from pathlib import Path

import numpy as np
import pytest

from worldmodel.ecg import LEADS, Ecg
from worldmodel.errors import EcgFileError
from worldmodel.evaluation.annotated_sets import find_set, global_waves, repeat_beat
from worldmodel.evaluation.marks import record_intervals

with warnings.catch_warnings():  # wfdb 4.3 uses what pandas 3 deprecates
    warnings.simplefilter("ignore", DeprecationWarning)
    import wfdb


def write(folder: Path, name: str, leads, fs_hz: int, seconds: float) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(len(name))
    samples = np.cumsum(rng.normal(size=(round(seconds * fs_hz), len(leads))), axis=0) * 0.01
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        wfdb.wrsamp(
            name,
            fs=fs_hz,
            units=["mV"] * len(leads),
            sig_name=list(leads),
            p_signal=samples,
            fmt=["16"] * len(leads),
            adc_gain=[1000.0] * len(leads),
            baseline=[0] * len(leads),
            write_dir=str(folder),
        )


def mark(folder: Path, name: str, extension: str, symbols: str, at: list[int], fs_hz: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        wfdb.wrann(name, "made", np.array(at), symbol=list(symbols), fs=fs_hz, write_dir=str(folder))
    (folder / f"{name}.made").rename(folder / f"{name}.{extension}")  # wfdb writes no digits in an extension


def test_ludb_has_marks_for_each_lead_and_rhythms_from_its_table(tmp_path: Path) -> None:
    for name in ("2", "10"):
        write(tmp_path / "data", name, [lead.lower() for lead in LEADS], 500, 2)
        for row, lead in enumerate(LEADS):
            mark(tmp_path / "data", name, lead.lower(), "(N)", [100 + row, 120, 150], 500)
    (tmp_path / "ludb.csv").write_text(
        'ID,Rhythms,Cardiac pacing\n2,"Sinus rhythm\n",\n10,Atrial fibrillation,\n', encoding="utf-8"
    )
    found = find_set(tmp_path)
    assert found.name == "LUDB" and found.complete
    first, second = (found.read(key) for key in found.keys)
    assert (first.name, second.name) == ("2", "10")
    assert (first.rhythm, second.rhythm) == ("sinus", "no_p")
    assert first.samples_mv.shape == (12, 1000)
    assert [marks.rows for marks in first.marks] == [(row,) for row in range(12)]
    assert first.marks[3].waves["qrs"][0] == pytest.approx([0.206, 0.24, 0.3])


def test_the_qt_database_is_cut_to_its_marked_beats_and_shares_marks(tmp_path: Path) -> None:
    write(tmp_path, "sel100", ("MLII", "ECG2"), 250, 60)
    mark(tmp_path, "sel100", "q1c", "(p)(N)t)", [7500, 7510, 7520, 7530, 7540, 7550, 7600, 7620], 250)
    mark(tmp_path, "sel100", "pu0", "N", [100], 250)
    found = find_set(tmp_path)
    assert found.name == "QT database" and "q1c" in found.about and not found.complete
    record = found.read(found.keys[0])
    (marks,) = record.marks
    assert marks.rows == (1, 6)
    assert np.isnan(record.samples_mv[0]).all() and np.isfinite(record.samples_mv[[1, 6]]).all()
    assert record.samples_mv.shape[1] / 250 < 12
    assert marks.waves["qrs"][0, 1] == pytest.approx((7540 - 7500) / 250 + 5, abs=0.005)
    assert record_intervals([marks.waves])["qt_ms"] == pytest.approx(360)


def test_the_fdas_medians_have_marks_of_all_leads_together(tmp_path: Path) -> None:
    upper = ("I", "II", "III", "AVR", "AVL", "AVF", "V1", "V2", "V3", "V4", "V5", "V6")
    folder = tmp_path / "medians" / "1001"
    write(folder, "beat", (*upper, "VCGMAG", "vx", "vy", "vz"), 1000, 1.1)
    mark(folder, "beat", "atr", "(()t)", [200, 360, 450, 650, 730], 1000)
    found = find_set(tmp_path)
    assert found.name == "FDA median beats"
    record = found.read(found.keys[0])
    assert record.samples_mv.shape == (12, 10_000) and record.rhythm == "sinus"
    assert record.marks[0].rows == ()
    values = record_intervals([record.marks[0].waves])
    assert [values[n] for n in ("pr_ms", "qrs_ms", "qt_ms", "tpeak_ms")] == pytest.approx([160, 90, 370, 290])


@pytest.mark.parametrize(
    "symbols, missing",
    [("(()t)", None), ("(()tt)", None), ("()t)", "pr_ms"), ("(()t", "qt_ms"), ("((t)", "qrs_ms")],
)
def test_a_global_beat_lacks_only_what_is_not_marked(symbols: str, missing: str | None) -> None:
    at = {"(": iter([0.2, 0.36]), ")": iter([0.45, 0.73]), "t": iter([0.65, 0.7])}
    if symbols == "()t)":
        at["("] = iter([0.36])
    if symbols == "((t)":
        at[")"] = iter([0.73])
    values = record_intervals([global_waves(list(symbols), np.array([next(at[s]) for s in symbols]))])
    expected = {"pr_ms": 160, "qrs_ms": 90, "qt_ms": 370, "tpeak_ms": 290}
    for name, value in expected.items():
        assert values[name] == (None if name == missing else pytest.approx(value))


def test_a_repeated_beat_has_no_step_at_its_seam() -> None:
    beat = np.linspace(0.0, 0.5, 900)[None] + np.sin(np.linspace(0, 3 * np.pi, 900))
    strip = repeat_beat(Ecg(beat, 1000.0, ("II",))).samples_mv[0]
    assert strip.size == 10_000
    assert np.abs(np.diff(strip)).max() < 2 * np.abs(np.diff(strip[:900])).max()


def test_other_records_need_the_extension_of_their_marks(tmp_path: Path) -> None:
    write(tmp_path, "100", ("MLII", "V5"), 360, 20)
    mark(tmp_path, "100", "atr", "+NVN", [10, 400, 800, 1200], 360)
    with pytest.raises(EcgFileError, match="no annotated set") as refused:
        find_set(tmp_path)
    assert "--annotator" in refused.value.hint
    with pytest.raises(EcgFileError, match=r"\.qrs file"):
        find_set(tmp_path, "qrs")
    found = find_set(tmp_path, "atr")
    (marks,) = found.read(found.keys[0]).marks
    assert found.complete and len(marks.waves["qrs"]) == 3


def test_a_missing_folder_and_damaged_marks_are_told_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(EcgFileError, match="There is no folder") as refused:
        find_set(tmp_path / "nowhere")
    assert refused.value.hint
    write(tmp_path, "sel1", ("MLII", "V5"), 250, 20)
    (tmp_path / "sel1.q1c").write_bytes(b"\xff" * 7)
    found = find_set(tmp_path)
    with pytest.raises(EcgFileError, match="marks of"):
        found.read(found.keys[0])
