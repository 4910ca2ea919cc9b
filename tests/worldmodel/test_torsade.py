"""The score of Tisdale: its published points, and that what is unknown is named and never assumed."""

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worldmodel.torsade import TorsadeContext, level_of, torsade_risk

HEALTHY = TorsadeContext(
    age_years=40,
    female=False,
    loop_diuretic=False,
    potassium_mmol_l=4.4,
    qtcf_ms=400,
    acute_mi=False,
    sepsis=False,
    heart_failure=False,
    qtc_drug=False,
    two_qtc_drugs=False,
)


@pytest.mark.parametrize(
    "change, points",
    [
        ({"age_years": 68}, 1),
        ({"female": True}, 1),
        ({"loop_diuretic": True}, 1),
        ({"potassium_mmol_l": 3.5}, 2),
        ({"qtcf_ms": 450}, 2),
        ({"acute_mi": True}, 2),
        ({"sepsis": True}, 3),
        ({"heart_failure": True}, 3),
        ({"qtc_drug": True}, 3),
        ({"qtc_drug": True, "two_qtc_drugs": True}, 6),
    ],
)
def test_each_item_gives_its_published_points(change, points) -> None:
    assert torsade_risk(HEALTHY).points == 0
    assert torsade_risk(replace(HEALTHY, **change)).points == points


def test_everything_at_once_is_the_published_maximum_and_a_high_risk() -> None:
    worst = torsade_risk(TorsadeContext(80, True, True, 3.0, 480, True, True, True, True, True))
    assert (worst.points, worst.most, level_of(worst.points)) == (21, 21, "high")
    assert worst.risk > 0.9


def test_nothing_known_is_no_risk_to_speak_of_and_names_every_input() -> None:
    nothing = torsade_risk(TorsadeContext())
    assert nothing.risk is None
    assert nothing.most == 21
    assert set(nothing.unknown) == {f.name for f in fields(TorsadeContext)}


def test_an_unknown_input_is_named_and_leaves_a_lower_bound() -> None:
    known = torsade_risk(replace(HEALTHY, qtc_drug=True, two_qtc_drugs=True, heart_failure=True))
    less = torsade_risk(replace(HEALTHY, qtc_drug=True, two_qtc_drugs=True, heart_failure=None))
    assert less.unknown == ("heart_failure",)
    assert less.most == known.most == 9
    assert less.risk < known.risk


def test_a_second_drug_may_be_unknown_where_the_first_is_known() -> None:
    """A candidate that prolongs the QTc, in a patient whose medications nobody listed."""
    risk = torsade_risk(replace(HEALTHY, qtc_drug=True, two_qtc_drugs=None))
    assert (risk.points, risk.most, risk.unknown) == (3, 6, ("two_qtc_drugs",))
    assert risk.items["qtc_drug"] == 3


@pytest.mark.parametrize("points, level", [(6, "low"), (7, "moderate"), (10, "moderate"), (11, "high")])
def test_categories_are_the_published_ones(points: int, level: str) -> None:
    assert level_of(points) == level


def test_high_is_an_alarm_of_one_half_and_low_is_none() -> None:
    """Away from the ramps: 11 points by yes and no alone."""
    eleven = torsade_risk(replace(HEALTHY, sepsis=True, acute_mi=True, qtc_drug=True, two_qtc_drugs=True))
    assert eleven.points == 11
    assert eleven.risk == pytest.approx(0.5, abs=0.01)
    assert torsade_risk(replace(HEALTHY, sepsis=True, qtc_drug=True)).risk == pytest.approx(0.0, abs=0.001)


@given(st.floats(2.5, 5.5), st.floats(0.001, 0.02))
def test_the_risk_does_not_jump_with_potassium(potassium: float, step: float) -> None:
    """The score does, by two points at 3.5."""
    prone = replace(HEALTHY, sepsis=True, heart_failure=True, qtc_drug=True)
    a, b = (torsade_risk(replace(prone, potassium_mmol_l=potassium + x)).risk for x in (0.0, step))
    assert 0 <= a - b < 5 * step
