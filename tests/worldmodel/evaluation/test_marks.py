"""Marks: the symbols of annotation files become waves, waves become intervals, and nothing is invented."""

import csv
import os
from pathlib import Path

import numpy as np
import pytest

from worldmodel.ecg import LEADS
from worldmodel.evaluation.annotated_sets import find_set
from worldmodel.evaluation.marks import (
    Marks,
    beat_intervals,
    lead_waves,
    record_intervals,
    standard_rows,
    waves_of,
)
from worldmodel.measurement import FIDUCIALS

DATA = Path(os.environ.get("ECGWM_DATA", Path(__file__).parents[3].parent / "shared/data"))
LUDB = DATA / "ludb"
NAN = np.nan


def waves(symbols: str, times_ms: list[float]):
    return waves_of(list(symbols), np.array(times_ms) / 1000)


def test_boundaries_belong_to_the_peak_beside_them() -> None:
    found = waves("(p)(N)(t)", [0, 40, 90, 150, 190, 240, 350, 450, 540])
    np.testing.assert_allclose(found["p"], [[0, 0.04, 0.09]])
    np.testing.assert_allclose(found["qrs"], [[0.15, 0.19, 0.24]])
    np.testing.assert_allclose(found["t"], [[0.35, 0.45, 0.54]])


def test_missing_boundaries_stay_missing_and_are_not_taken_from_the_neighbour() -> None:
    found = waves("p(N)t)Nt", [40, 150, 190, 240, 450, 540, 1190, 1450])
    np.testing.assert_allclose(found["p"], [[NAN, 0.04, NAN]])
    np.testing.assert_allclose(found["qrs"], [[0.15, 0.19, 0.24], [NAN, 1.19, NAN]])
    np.testing.assert_allclose(found["t"], [[NAN, 0.45, 0.54], [NAN, 1.45, NAN]])


def test_a_peak_that_slipped_before_its_onset_keeps_its_boundaries() -> None:
    """LUDB has QRS complexes marked `N ( )`; far from its brackets a peak is no part of them."""
    np.testing.assert_allclose(waves("N()", [0, 2, 60])["qrs"], [[0.002, 0, 0.06]])
    np.testing.assert_allclose(waves("N()", [0, 200, 260])["qrs"], [[NAN, 0, NAN]])


def test_of_two_t_peaks_the_first_is_the_peak_and_the_end_follows_the_second() -> None:
    np.testing.assert_allclose(waves("(tt)", [300, 350, 420, 500])["t"], [[0.3, 0.35, 0.5]])


def test_beat_labels_are_complexes_and_rhythm_labels_are_not() -> None:
    assert waves("+NVL~|u", [0, 10, 20, 30, 40, 50, 60])["qrs"][:, 1] == pytest.approx([0.01, 0.02, 0.03])


def test_intervals_of_each_beat_and_none_across_beats() -> None:
    """The second beat has no P of its own: the P of the first is not its P, nor one 500 ms ahead."""
    found = waves(
        "(p)(N)(t)p(N)(t)",
        [0, 40, 90, 160, 200, 250, 350, 450, 540, 700, 1200, 1240, 1290, 1400, 1500, 1590],
    )
    values = beat_intervals(found)
    np.testing.assert_allclose(values["pr_ms"], [160, NAN])
    np.testing.assert_allclose(values["qrs_ms"], [90, 90])
    np.testing.assert_allclose(values["qt_ms"], [380, 390])
    np.testing.assert_allclose(values["tpeak_ms"], [290, 300])
    np.testing.assert_allclose(values["r_tpeak_ms"], [250, 260])


def test_no_marks_no_intervals() -> None:
    nothing = waves("", [])
    assert record_intervals([nothing])["qt_ms"] is None
    first, last = Marks((0,), nothing).span_s
    assert first > last


def test_the_interval_of_a_recording_is_the_median_over_leads_of_its_median_beats() -> None:
    leads = [waves("(N)(N)(N)", [0, 40, w, 1000, 1040, 1000 + w, 2000, 2040, 2500]) for w in (80, 90, 130)]
    assert record_intervals(leads)["qrs_ms"] == pytest.approx(90)


def test_marks_of_a_delineator_become_waves_of_one_lead() -> None:
    marks = np.full((2, 12, len(FIDUCIALS)), NAN)
    marks[0, 3, FIDUCIALS.index("r_peak")] = 0.5
    marks[1, 3, FIDUCIALS.index("t_end")] = 1.9
    found = lead_waves(marks, 3)
    np.testing.assert_allclose(found["qrs"], [[NAN, 0.5, NAN]])
    np.testing.assert_allclose(found["t"], [[NAN, NAN, 1.9]])
    assert found["p"].shape == (0, 3) and lead_waves(marks, 2)["qrs"].shape == (0, 3)


def test_leads_of_other_names_get_free_rows() -> None:
    assert standard_rows(("V5", "II")) == (10, 1)
    assert standard_rows(("ECG1", "V1", "V1#2")) == (7, 6, 8)


@pytest.mark.skipif(not LUDB.is_dir(), reason="LUDB is not beside the project")
def test_marks_of_ludb_give_the_intervals_that_others_took_from_them() -> None:
    """Another reading of the same files; records 7 and 111 differ, where peaks slipped before their onsets."""
    with (LUDB / "manual_intervals.csv").open(encoding="utf-8") as file:
        theirs = {(row["record"], row["lead"]): row for row in csv.DictReader(file)}
    ludb = find_set(LUDB)
    compared = 0
    for key in ludb.keys[::4]:
        record = ludb.read(key)
        for marks in record.marks if record.name not in ("7", "111") else ():
            row = theirs[record.name, LEADS[marks.rows[0]].lower()]
            for name in ("pr_ms", "qrs_ms", "qt_ms"):
                ours = record_intervals([marks.waves])[name]
                assert (ours is None) == (row[name] in ("", "nan")), (record.name, marks.rows, name)
                assert ours is None or ours == pytest.approx(float(row[name]), abs=0.5)
                compared += 1
    assert compared > 800
