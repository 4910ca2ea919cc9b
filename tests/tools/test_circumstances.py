"""Tisdale's score from the chart: what is given counts, and what nobody wrote down is neither there nor absent."""

from dataclasses import replace
from typing import Any

import pytest

from knowledge.doses import parse_action
from knowledge.drugs import load_catalogue
from knowledge.patient import Patient, parse_patient
from tools.case import Case
from tools.circumstances import TisdaleGiven, tisdale_given, torsade_of


def score(case: Case, action: str = "no drug") -> TisdaleGiven:
    return tisdale_given(torsade_of(case, parse_action(action, load_catalogue())))


def of(case: Case, healthy: Patient, **entries: Any) -> Case:
    """The healthy man with other entries in his chart; None: not in it."""
    document = healthy.model_dump(exclude_none=True) | entries
    given = {key: value for key, value in document.items() if value is not None}
    return replace(case, patient=parse_patient(given))


def test_a_healthy_man_scores_nothing_and_nothing_is_unknown(case: Case) -> None:
    given = score(case)
    assert (given.points, given.most, given.level, given.lower_bound, given.unknown) == (
        0,
        0,
        "low",
        False,
        (),
    )
    assert set(given.known.values()) == {0}


@pytest.mark.parametrize(
    "action, points",
    [
        ("verapamil 120 mg oral", 0),
        ("dofetilide 500 ug oral", 3),
        ("ranolazine 500 mg oral", 3),
        ("furosemide 40 mg oral", 1),
    ],
)
def test_a_candidate_counts_by_what_it_is(case: Case, action: str, points: int) -> None:
    assert score(case, action).points == points


def test_a_candidate_comes_on_top_of_what_is_taken_but_not_twice(case: Case, healthy: Patient) -> None:
    on_sotalol = of(case, healthy, medications=[{"name": "sotalol"}])
    assert score(on_sotalol).points == 3
    assert score(on_sotalol, "sotalol 80 mg oral").points == 3
    assert score(on_sotalol, "dofetilide 500 ug oral").points == 6


def test_the_chart_is_read_item_by_item(case: Case, healthy: Patient) -> None:
    ill = of(
        case,
        healthy,
        age_years=70,
        sex="female",
        conditions=[{"code": "I50.22"}, {"text": "sepsis"}, {"text": "NSTEMI"}],
        medications=[{"name": "furosemide"}],
        labs=[{"name": "potassium", "value": 3.1, "unit": "mmol/L"}],
    )
    given = score(ill, "dofetilide 500 ug oral")
    assert given.points == 1 + 1 + 3 + 3 + 2 + 1 + 2 + 3
    assert given.level == given.level_at_most == "high"
    assert given.known["qtcf_ms"] == given.known["two_qtc_drugs"] == 0


def test_an_unknown_lab_is_unknown_and_not_nothing(case: Case, healthy: Patient) -> None:
    given = score(of(case, healthy, labs=[]))
    assert given.unknown == ("potassium_mmol_l",)
    assert "potassium_mmol_l" not in given.known
    assert (given.points, given.most, given.lower_bound) == (0, 2, True)


def test_without_lists_diagnoses_and_drugs_are_unknown_but_the_candidate_is_known(
    case: Case, healthy: Patient
) -> None:
    given = score(of(case, healthy, conditions=None, medications=None), "dofetilide 500 ug oral")
    assert given.known["qtc_drug"] == 3
    assert set(given.unknown) == {"loop_diuretic", "acute_mi", "sepsis", "heart_failure", "two_qtc_drugs"}
    assert (given.level, given.level_at_most) == ("low", "high")


def test_a_medication_nobody_can_read_may_be_a_qt_drug(case: Case, healthy: Patient) -> None:
    given = score(of(case, healthy, medications=[{"name": "white pill"}]))
    assert {"qtc_drug", "two_qtc_drugs", "loop_diuretic"} == set(given.unknown)


def test_without_a_patient_only_ecg_and_candidate_are_known(case: Case) -> None:
    given = score(replace(case, patient=None), "dofetilide 500 ug oral")
    assert given.known == {"qtcf_ms": 0, "qtc_drug": 3}
    assert given.most == 19
