"""The seconds a user asks for: said in one form, and never read past the end of the recording."""

import numpy as np
import pytest

from tools.window import Window, cut, parse_window
from worldmodel.ecg import Ecg
from worldmodel.errors import EcgFileError


def ecg(seconds: float = 30.0) -> Ecg:
    return Ecg(np.arange(round(seconds * 100), dtype=float)[None], 100.0, ("II",), source="rec.hea")


@pytest.mark.parametrize("text", ["12-22", " 12 - 22 ", "12.0-22s", "12–22"])
def test_start_and_end_in_seconds(text: str) -> None:
    assert parse_window(text) == Window(12, 22)
    assert parse_window(str(Window(12, 22))) == Window(12, 22)


@pytest.mark.parametrize("text", ["", "12", "22-12", "12-12.5", "-3-8", "a-b", "12-22-32", "1e9-nan"])
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="12-22"):
        parse_window(text)


def test_the_part_is_what_was_asked_for() -> None:
    part = cut(ecg(), Window(12, 22))
    assert part.samples_mv[0, 0] == 1200 and part.duration_s == 10
    whole = ecg()
    assert cut(whole, None) is whole


def test_a_window_past_the_end_is_refused_and_rounding_is_not() -> None:
    with pytest.raises(EcgFileError, match=r"rec\.hea ends at 30 s, before the window 25-35 does"):
        cut(ecg(), Window(25, 35))
    assert cut(ecg(29.98), Window(20, 30)).duration_s == pytest.approx(9.98)
