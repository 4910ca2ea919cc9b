"""ECGs of this person on a drug, as a user gives them."""

import json
from pathlib import Path

import numpy as np
import pytest

from knowledge.drugs import load_catalogue
from tools.errors import MissingInputError
from tools.observed import observed_ecgs, read_observed
from worldmodel.readers.stated import Stated
from worldmodel.virtual import demo_ecg

CATALOGUE = load_catalogue()
DOFETILIDE = "dofetilide 500 ug oral"
INTERVALS = {"hr_bpm": 60, "qrs_ms": 95, "jtpeak_ms": 260, "tpeak_tend_ms": 90}


def write(path: Path, *entries: dict[str, object]) -> str:
    path.write_text(json.dumps(list(entries)))
    return str(path)


def test_intervals_of_a_file_are_taken_with_their_hours_and_the_simulated_drug(tmp_path: Path) -> None:
    (seen,) = read_observed([write(tmp_path / "o.json", {"hours": 2.5, **INTERVALS})])
    (ecg,) = observed_ecgs([seen], [DOFETILIDE], CATALOGUE)
    assert (ecg.action.hours, ecg.action.drugs[0].name, ecg.period) == (2.5, "dofetilide", 0)
    assert (ecg.intervals.jtpeak_ms, ecg.intervals.rr_ms) == (260, 1000)


def test_another_period_names_its_own_drug_and_brings_its_baseline(tmp_path: Path) -> None:
    other = {"hours": 1, "action": "verapamil 120 mg oral", "period": 1, **INTERVALS}
    with pytest.raises(MissingInputError, match="Period 1 has no ECG without a drug"):
        observed_ecgs(read_observed([write(tmp_path / "a.json", other)]), [DOFETILIDE], CATALOGUE)
    before = {"hours": 0, "action": "no drug", "period": 1, **INTERVALS}
    ecgs = observed_ecgs(read_observed([write(tmp_path / "b.json", before, other)]), [DOFETILIDE], CATALOGUE)
    assert [ecg.period for ecg in ecgs] == [1, 1]


def test_with_two_drugs_an_observation_has_to_say_whose_it_is(tmp_path: Path) -> None:
    seen = read_observed([write(tmp_path / "o.json", {"hours": 2.5, **INTERVALS})])
    with pytest.raises(MissingInputError, match="not clear which drug"):
        observed_ecgs(seen, [DOFETILIDE, "verapamil 120 mg oral"], CATALOGUE)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[{", "line 1"),
        ('[{"hours": 1}]', "hr_bpm"),
        ('[{"hours": -1, "hr_bpm": 60}]', "hours"),
        ('[{"hours": 1, "hr_bpm": 60, "qt": 400}]', "qt"),
        ('[{"hours": 1, "hr_bpm": 60, "pr_ms": 0}]', "pr_ms"),
        ('[{"hours": 1, "hr_bpm": 60, "jtpeak_ms": 900, "tpeak_tend_ms": 200}]', "longer than a beat"),
        ("[]", "holds no entry"),
        ("[" * 100_000, "nested"),
    ],
)
def test_a_file_that_is_no_observation_is_told_where(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "o.json"
    path.write_text(text)
    with pytest.raises(MissingInputError, match=said) as raised:
        read_observed([str(path)])
    assert raised.value.hint


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(MissingInputError, match="cannot be read"):
        read_observed([str(tmp_path / "none.json")])


@pytest.mark.parametrize("text", ["inf:ecg.hea", "1000:ecg.hea", "2:"])
def test_hours_that_teach_nothing_and_a_file_without_a_name_are_refused(text: str) -> None:
    """Infinite hours made the covariance singular; an empty name is the folder one stands in."""
    with pytest.raises(MissingInputError, match="is no ECG at 0 to 240 hours"):
        read_observed([text])


def test_a_table_is_read_as_the_user_says(tmp_path: Path) -> None:
    """--fs, --unit and --leads are what the error asks for where they are missing, so they have to help."""
    ecg = demo_ecg()
    table = tmp_path / "later.csv"
    np.savetxt(table, ecg.samples_mv.T, delimiter=",", fmt="%.4f")
    (seen,) = read_observed([f"2:{table}"], Stated(ecg.fs_hz, "mV", tuple(ecg.leads)))
    assert seen.intervals.jtpeak_ms is not None
