"""Every number in an answer is traced to a result, with its unit and its sign, up to the rounding shown."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.grounding import numbers_in, untraced

RESULT = {
    "pre": {"intervals": {"qtcf_ms": 412.3, "hr_bpm": 74.6}},
    "delta": {"qtcf_ms": {"mean": -12.4, "sd": 3.0}},
    "action": {"text": "dofetilide 500 ug oral"},
    "hours": 2.5,
    "goal": {"attained_probability": 0.67},
    "rules": [{"id": "R54", "text": "No drug of this class at a potassium below 3.5 mmol/L"}],
    "evidence": {"potassium_mmol_l": 3.1},
    "ok": True,
}


@pytest.mark.parametrize(
    "answer",
    [
        "QTcF 412 ms.",
        "QTcF is 412.3 ms, a rate of 75 bpm.",
        "It shortens by 12 ms, or -12.4 ms, \u221212 ms.",
        "dofetilide 500 µg at 2.5 h",
        "potassium 3.1 mmol/L, below 3.5 mmol/L [R54]",
        "The goal is reached in 67 %.",
        "1. First\n2. Second",
        "The leads V2 to V5 and aVF are not shown.",
        "No number at all.",
    ],
)
def test_what_a_result_holds_passes(answer: str) -> None:
    assert untraced(answer, [RESULT]) == []


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("QTcF 413 ms.", ["413 ms"]),
        ("QTcF 412.4 ms.", ["412.4 ms"]),
        ("It lengthens by +12 ms.", ["+12 ms"]),
        ("QTcF 75 ms.", ["75 ms"]),  # the rate, taken for an interval
        ("QTcF 500 ms.", ["500 ms"]),  # the dose, taken for an interval
        ("dofetilide 500 mg", ["500 mg"]),
        ("potassium 2.5 mmol/L", ["2.5 mmol/L"]),  # the hours, taken for a potassium
        ("The goal is reached in 97 %.", ["97 %"]),
        ("See rule R99.", ["R99"]),
        ("about twenty milliseconds longer", ["twenty milliseconds"]),
        ("1,412 ms", ["1,412 ms"]),
        ("QTcF 612ms and 613ms", ["612ms", "613ms"]),
    ],
)
def test_what_no_result_holds_is_named(answer: str, expected: list[str]) -> None:
    assert untraced(answer, [RESULT]) == expected


def test_a_name_with_digits_may_be_quoted_from_the_question_but_a_number_may_not() -> None:
    assert untraced("What is CYP3A4?", [], ["CYP3A4"]) == []
    assert untraced("You said 20 mg.", [], ["20 mg"]) == ["20 mg"]


def test_without_results_every_number_is_untraced() -> None:
    assert untraced("QTcF 412 ms and 3 others", []) == ["412 ms", "3"]


@settings(derandomize=True, deadline=None)
@given(st.floats(-2000, 2000, allow_nan=False), st.integers(0, 2))
def test_any_value_is_traced_however_it_is_rounded(value: float, decimals: int) -> None:
    assert untraced(f"{value:.{decimals}f} ms", [{"qtcf_ms": value}]) == []


@settings(derandomize=True, deadline=None)
@given(st.integers(0, 3000), st.integers(1, 3000))
def test_a_whole_number_off_by_one_or_more_is_never_traced(value: int, off: int) -> None:
    assert untraced(f"{value + off} ms", [{"qtcf_ms": value}]) != []


@settings(derandomize=True, deadline=None)
@given(st.text(max_size=80))
def test_no_text_breaks_the_reading_of_numbers(text: str) -> None:
    assert all(number.text for number in numbers_in(text))
