"""Doses are read as written, converted within their kind, and refused between kinds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.doses import convert_dose, parse_action, read_doses
from knowledge.drugs import Catalogue
from knowledge.errors import DoseError, UnknownDrugError


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("dofetilide 500 ug", "dofetilide 500 ug oral"),
        ("0.5 mg dofetilide po", "dofetilide 500 ug oral"),
        ("dofetilide 0.5mg", "dofetilide 500 ug oral"),
        ("verapamil 120 mg oral", "verapamil 120 mg oral"),
        ("Lopressor 5 mg IV push", "metoprolol 5 mg iv"),
        ("AMIODARONE 150 MG/100 ML D5W", "amiodarone 150 mg iv"),
        (
            "amiodarone 150 mg IV over 10 min, then 1 mg/min",
            "amiodarone 150 mg iv + amiodarone 1 mg/min iv infusion",
        ),
        ("esmolol 50 mcg/kg/min", "esmolol 50 ug/kg/min iv infusion"),
        ("esmolol 3 mg/kg/h", "esmolol 50 ug/kg/min iv infusion"),
        ("heparin 5,000 units sc", "heparin 5000 IU sc"),
        ("KCl 20 mEq po", "potassium chloride 20 mEq oral"),
        ("magnesium sulfate 2000 mg iv", "magnesium sulfate 2 g iv"),
        ("digoxin 250 µg oral", "digoxin 0.25 mg oral"),
        ("verapamil 5 mg iv + metoprolol 25 mg oral", "verapamil 5 mg iv + metoprolol 25 mg oral"),
        ("dofetilide 0,5 mg", "dofetilide 500 ug oral"),
        ("dofetilide 500 \u00b5g oral", "dofetilide 500 ug oral"),
        ("dofetilide 500 \u03bcg oral", "dofetilide 500 ug oral"),
        ("digoxin 0.250 mg oral", "digoxin 0.25 mg oral"),
        ("heparin 5'000 IU sc", "heparin 5000 IU sc"),
        ("insulin 5 international units iv", "insulin regular 5 IU iv"),
        ("Insulin - Regular 5 units iv", "insulin regular 5 IU iv"),
        ("metoprolol tartrate (LOPRESSOR) tablet 25 mg", "metoprolol 25 mg oral"),
        ("azithromycin 500 mg in NS 250 mL IV", "azithromycin 500 mg iv infusion"),
        ("no drug", "no drug"),
        ("", "no drug"),
    ],
)
def test_an_action_is_read(catalogue: Catalogue, text: str, said: str) -> None:
    assert str(parse_action(text, catalogue)) == said


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("verapamil", "no dose"),
        ("potassium chloride 10-20 mEq po", "range"),
        ("atropine 1 amp", "does not say how much"),
        ("potassium chloride 20 mg po", "is not given as"),
        ("heparin 5000 mg sc", "is not given as"),
        ("esmolol 50 mg", "is not given as"),
        ("dofetilide 500 ug iv", "is not given as"),
        ("metoprolol 5 mg iv oral", "several routes"),
        ("amiodarone 300 mg", "by which route"),
        ("verapamil 1e3 mg po", "no plain number"),
        ("verapamil 1e400 mg", "no plain number"),
        ("verapamil 999999999999 mg po", "is no dose"),
        ("heparin 5.000 IU sc", "several numbers"),
        ("heparin 5 000 IU sc", "one number or two"),
        ("metoprolol 1,125 mg po", "several numbers"),
        ("metoprolol 5.0.0 mg iv", "several numbers"),
        ("metoprolol 25 mg half a tablet", "how much is that in all"),
        ("metoprolol 2 tablets of 25 mg", "how much is that in all"),
        ("metoprolol \u00bd tablet", "does not say how much"),
        ("metoprolol 5 mg iv x 3", "how much at once"),
        ("metoprolol 1 mg/mL iv", "concentration"),
        ("metoprolol up to 100 mg po", "bound"),
        ("metoprolol >100 mg po", "bound"),
        ("metoprolol 100-25 mg po", "runs backwards"),
        ("metoprolol 25 mg to 50 mg po", "range"),
        ("metoprolol between 25 and 50 mg po", "range"),
        ("metoprolol 25 mg PO/IV", "several routes"),
        ("metoprolol 10 mg/m2 iv", "is not given as"),
        ("KCl 20 mEq PB", "is not given as 20 mEq iv"),
        ("KCl 20 mEq", "by which route"),
        ("diltiazem 0.25 mg/kg iv", "which body weight"),
        ("norepinephrine 5 mcg/min", "which body weight"),
        ("MS 2 mg iv", "can be several drugs"),
        ("magnesium 2 g iv", "can be several drugs"),
    ],
)
def test_what_cannot_be_read_says_why(catalogue: Catalogue, text: str, why: str) -> None:
    with pytest.raises((DoseError, UnknownDrugError)) as refused:
        parse_action(text, catalogue)
    assert why in refused.value.message
    assert refused.value.hint


@pytest.mark.parametrize(
    "text", ["frobnicate 5 mg", "lisinopril 5 mg po", "insulin detemir 5 units sc", "5 mg"]
)
def test_what_is_no_candidate_is_refused(catalogue: Catalogue, text: str) -> None:
    with pytest.raises(UnknownDrugError):
        parse_action(text, catalogue)


@pytest.mark.parametrize(
    ("unit", "target"), [("mg", "mEq"), ("IU", "mg"), ("mmol", "mEq"), ("mg", "mg/kg"), ("mg/h", "mg")]
)
def test_kinds_never_mix(unit: str, target: str) -> None:
    with pytest.raises(DoseError, match="cannot be turned into"):
        convert_dose(1, unit, target)


@given(
    st.floats(1e-3, 1e6),
    st.sampled_from([("mg", "ug"), ("g", "mg"), ("mg/kg/h", "ug/kg/min"), ("IU/h", "IU/min")]),
)
def test_converting_there_and_back_changes_nothing(dose: float, units: tuple[str, str]) -> None:
    there, back = units
    assert convert_dose(convert_dose(dose, there, back), back, there) == pytest.approx(dose, rel=1e-9)


def test_a_range_keeps_both_its_ends() -> None:
    (dose,) = read_doses("10-20 mEq")
    assert (dose.low, dose.high, dose.unit) == (10, 20, "mEq")


def test_a_limit_is_not_passed_by_rounding() -> None:
    assert convert_dose(0.5, "mg", "ug") == 500


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1250 mg", 1250),
        ("1,250 mg", 1250),
        ("1,250.5 mg", 1250.5),
        ("1.250,5 mg", 1250.5),
        ("1.250.000 IU", 1250000),
        ("1,25 mg", 1.25),
        ("0,125 mg", 0.125),
        ("3.125 mg", 3.125),
        (".5 mg", 0.5),
        ("\uff11\uff10 mg", 10),
    ],
)
def test_a_number_is_read_with_its_point_or_comma(text: str, number: float) -> None:
    """A comma read as nothing is a tenfold dose."""
    assert [(dose.low, dose.high) for dose in read_doses(text)] == [(number, number)]


@given(st.integers(1, 999_999), st.sampled_from(["mg", "ug", "IU", "mEq", "g", "mg/kg", "ug/kg/min"]))
def test_a_dose_is_read_as_it_was_written(thousandths: int, unit: str) -> None:
    (read,) = read_doses(f"{thousandths / 1000:.9g} {unit}")
    assert (read.low, read.high, read.unit) == (thousandths / 1000, thousandths / 1000, unit)


@pytest.mark.parametrize("text", ["dofetilide -500 ug", "dofetilide −0.5 mg", "dofetilide 0 ug oral"])
def test_what_is_not_above_zero_is_no_dose(text: str, catalogue: Catalogue) -> None:
    """A sign that is read over would turn a slip of the pen into a dose."""
    with pytest.raises(DoseError):
        parse_action(text, catalogue)
