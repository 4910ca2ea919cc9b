"""The made data set: its clinician can be read back, its size is what was asked for, its ECGs react."""

import csv
import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from worldmodel.datasets.made_headers import row_of
from worldmodel.datasets.made_mimic import make_mimic, read_truth
from worldmodel.datasets.made_people import draw_people
from worldmodel.datasets.made_policy import CANDIDATES, Policy
from worldmodel.errors import DataSetError


@pytest.fixture
def few_people(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worldmodel.datasets.made_mimic.PEOPLE", 2)


@pytest.mark.usefixtures("few_people")
def test_the_clinician_can_be_worked_out_again_from_the_truth(tmp_path: Path) -> None:
    made = make_mimic(tmp_path, 6, labs=12)
    said = json.loads((tmp_path / "truth" / "policy.json").read_text())["policy"]
    policy = Policy(said["name"], said["aversion"], said["noise"])
    rows = list(read_truth(tmp_path))
    assert len(rows) == made.patients == 6
    for row in rows:
        pr_ms = float(row["pr_ms"]) if row["pr_ms"] else None
        expected = policy.probabilities(float(row["hr_bpm"]), float(row["qtcf_ms"]), pr_ms)
        written = [float(row[f"p_{candidate.drug}"]) for candidate in CANDIDATES]
        assert written == pytest.approx(expected.tolist(), abs=1e-3)
        assert row["chosen"] in [candidate.drug for candidate in CANDIDATES]


@pytest.mark.usefixtures("few_people")
def test_the_same_seed_makes_the_same_files_of_the_asked_size(tmp_path: Path) -> None:
    for name in ("a", "b"):
        make_mimic(tmp_path / name, 5, seed=4, labs=20)
    files = sorted(path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*") if path.is_file())
    assert all((tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes() for file in files)
    with gzip.open(tmp_path / "a" / "mimiciv" / "hosp" / "labevents.csv.gz", "rt") as lines:
        assert len(list(csv.reader(lines))) == 1 + 5 * 20
    with pytest.raises(DataSetError, match="not empty"):
        make_mimic(tmp_path / "a", 5)


def test_a_risk_averse_clinician_shuns_a_long_qt_and_a_random_one_does_not() -> None:
    amiodarone = [candidate.drug for candidate in CANDIDATES].index("amiodarone")
    careful = Policy()
    short, long = (careful.probabilities(88.0, qtcf_ms, 160.0)[amiodarone] for qtcf_ms in (390.0, 465.0))
    assert long < 0.5 * short
    assert Policy("random").probabilities(88.0, 465.0, None) == pytest.approx(1 / len(CANDIDATES))
    assert careful.probabilities(70.0, 400.0, 230.0).sum() == pytest.approx(1.0)


def test_choices_come_as_often_as_their_probability() -> None:
    chances = Policy().probabilities(95.0, 430.0, 180.0)
    drawn = [np.random.default_rng((1, n)).choice(len(CANDIDATES), p=chances) for n in range(3000)]
    assert np.bincount(drawn, minlength=len(CANDIDATES)) / 3000 == pytest.approx(chances, abs=0.03)


def test_a_persons_ecg_differs_between_before_and_after_and_between_drugs() -> None:
    (person,) = draw_people(1, seed=2)
    assert person.before.shape == (12, 5000) and person.before.dtype == np.int16
    assert len(person.after) == len(CANDIDATES)
    assert not np.array_equal(person.before, person.after[0])
    assert not np.array_equal(person.after[0], person.after[2])
    # Einthoven's law in counts, to rounding
    assert np.abs(person.before[2] - (person.before[1] - person.before[0])).max() <= 2


def test_a_column_that_is_not_of_the_table_is_a_fault() -> None:
    with pytest.raises(ValueError, match="emar has no column dose"):
        row_of("emar", dose=1)
    with pytest.raises(DataSetError, match=r"episodes\.csv"):
        list(read_truth(Path("nowhere")))
