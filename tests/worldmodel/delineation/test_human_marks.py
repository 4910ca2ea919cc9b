"""Against the cardiologists' marks of LUDB (doi:10.1109/ACCESS.2020.3029211), where that set is at hand."""

import csv
import os
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from worldmodel.delineation.measure import measure
from worldmodel.readers import read_ecg

DATA = Path(os.environ.get("ECGWM_DATA", Path(__file__).parents[3].parent / "shared/data"))
LUDB = DATA / "ludb"
pytestmark = pytest.mark.skipif(not LUDB.is_dir(), reason="LUDB is not beside the project")


@pytest.fixture(scope="module")
def measured():
    return {int(path.stem): measure(read_ecg(path)) for path in sorted((LUDB / "data").glob("*.hea"))}


@pytest.fixture(scope="module")
def labels():
    with (LUDB / "ludb.csv").open(encoding="utf-8") as file:
        return {int(row["ID"]): row for row in csv.DictReader(file)}


def human_ms(name: str) -> dict[int, float]:
    values = defaultdict(list)
    with (LUDB / "manual_intervals.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row[name] not in ("", "nan"):
                values[int(row["record"])].append(float(row[name]))
    return {record: float(np.median(leads)) for record, leads in values.items()}


@pytest.mark.parametrize("name, most_ms", [("pr_ms", 6.5), ("qrs_ms", 6.5), ("qt_ms", 10.0)])
def test_intervals_agree_with_the_marks_in_sinus_rhythm(measured, labels, name, most_ms):
    errors = []
    for record, marked in human_ms(name).items():
        if (
            record in measured
            and labels[record]["Rhythms"].startswith("Sinus")
            and not labels[record]["Cardiac pacing"].strip()
        ):
            value = getattr(measured[record].intervals, name)
            assert value is not None, record
            errors.append(value - marked)
    assert len(errors) > 80
    assert np.mean(np.abs(errors)) < most_ms


def test_no_pr_in_fibrillation_flutter_or_pacing(measured, labels):
    without = [
        r for r in measured if "Atrial f" in labels[r]["Rhythms"] or labels[r]["Cardiac pacing"].strip()
    ]
    assert len(without) >= 10
    for record in without:
        assert measured[record].intervals.pr_ms is None, record
        assert measured[record].not_measurable["pr_ms"]


def test_every_record_warns_of_its_normalised_gain(measured):
    assert all("likely true scale" in " ".join(m.warnings) for m in measured.values())
