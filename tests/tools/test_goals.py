"""A goal counts only where a simulated ECG can show it; otherwise it is null with a reason."""

import pytest

from tools.goals import judge_goal
from worldmodel.measurement import Intervals, Measurement


def at(*rates_bpm: float | None) -> list[Measurement]:
    return [Measurement(intervals=Intervals(hr_bpm=rate)) for rate in rates_bpm]


@pytest.mark.parametrize(
    ("rates", "expected"),
    [((80, 95, 109.9), 1.0), ((110, 150), 0.0), ((49.9, 50), 0.5), ((100, None, 130), 0.5)],
)
def test_rate_control_is_below_110_and_not_below_50(rates: tuple[float | None, ...], expected: float) -> None:
    """RACE II's lenient target, and no bradycardia for it; samples without a rate are not counted."""
    assert judge_goal("rate-control", at(*rates)).attained_probability == expected


def test_no_measurable_rate_is_null_with_a_reason() -> None:
    judged = judge_goal("rate-control", at(None, None))
    assert judged.attained_probability is None
    assert "measured" in judged.reason


def test_rhythm_control_cannot_be_shown() -> None:
    judged = judge_goal("rhythm-control", at(80, 80))
    assert judged.attained_probability is None
    assert "rhythm-control" in judged.reason
