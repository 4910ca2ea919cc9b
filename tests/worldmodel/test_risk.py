"""The interval risk: its anchors, that it is monotone, and that the unmeasured never passes for normal."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worldmodel.measurement import Intervals
from worldmodel.risk import HAZARDS, Hazard, interval_risk

NORMAL = Intervals(hr_bpm=68, pr_ms=160, qrs_ms=92, qt_ms=400, qtcf_ms=417, tpeak_tend_ms=80)


def risk_of(after: Intervals, before: Intervals | None = None, female: bool | None = False) -> float:
    value = interval_risk(after, before, female=female).value
    assert value is not None
    return value


def test_normal_and_unchanged_is_no_risk() -> None:
    assert risk_of(NORMAL, NORMAL) == 0.0


@pytest.mark.parametrize("hazard", HAZARDS, ids=lambda hazard: hazard.name)
def test_every_hazard_is_zero_at_its_limit_and_one_half_at_its_alarm(hazard: Hazard) -> None:
    """These anchors are what the sources say; the rest of the curve is ours."""
    assert hazard.at(hazard.limit) == 0.0
    assert 1 - 2 ** -hazard.at(hazard.alarm) == pytest.approx(0.5)
    assert hazard.source


@given(st.floats(430, 600), st.floats(0.1, 50))
def test_longer_qtc_is_never_safer(qtcf_ms: float, longer_ms: float) -> None:
    shorter, longer = (replace(NORMAL, qtcf_ms=x) for x in (qtcf_ms, qtcf_ms + longer_ms))
    assert risk_of(longer, NORMAL) >= risk_of(shorter, NORMAL)


@given(st.floats(15, 60), st.floats(0.1, 20))
def test_slower_below_sixty_is_never_safer(hr_bpm: float, slower_bpm: float) -> None:
    assert risk_of(replace(NORMAL, hr_bpm=hr_bpm - slower_bpm)) >= risk_of(replace(NORMAL, hr_bpm=hr_bpm))


def test_qtc_of_500_after_plus_60_is_two_alarms() -> None:
    """Hazards add: 1 - 2^-2."""
    before = replace(NORMAL, qtcf_ms=440)
    assert risk_of(replace(NORMAL, qtcf_ms=500), before) == pytest.approx(0.75)


def test_fast_atrial_fibrillation_is_a_risk_that_rate_control_lowers() -> None:
    """Otherwise the best drug would always be the one that does nothing."""
    fast, slower = replace(NORMAL, hr_bpm=150, pr_ms=None), replace(NORMAL, hr_bpm=95, pr_ms=None)
    assert risk_of(slower, fast) < risk_of(fast, fast)


def test_absent_pr_is_natural_in_atrial_fibrillation_and_unknown_in_sinus_rhythm() -> None:
    no_pr = replace(NORMAL, pr_ms=None)
    assert "pr" in interval_risk(no_pr, rhythm="atrial_fibrillation").not_applicable
    assert interval_risk(no_pr, not_measurable={"pr_ms": "no P wave found"}).unknown == {
        "pr": "no P wave found"
    }


def test_unmeasured_qt_is_named_and_never_counted_as_normal() -> None:
    risk = interval_risk(replace(NORMAL, qt_ms=None, qtcf_ms=None), NORMAL)
    assert set(risk.unknown) == {"qtc", "qtc_change"}
    assert risk.value == 0.0  # a lower bound: `unknown` is not empty


def test_neither_qt_nor_rate_gives_no_number() -> None:
    assert interval_risk(Intervals(pr_ms=160)).value is None


def test_unknown_pre_dose_qt_leaves_the_change_unknown() -> None:
    assert "qtc_change" in interval_risk(NORMAL, replace(NORMAL, qtcf_ms=None)).unknown


def test_without_a_pre_dose_ecg_nothing_is_said_about_change() -> None:
    risk = interval_risk(NORMAL)
    assert not risk.unknown
    assert not {"qtc_change", "qrs_change"} & {component.name for component in risk.components}


def test_unknown_sex_is_held_to_the_stricter_qtc_limit() -> None:
    at_455 = replace(NORMAL, qtcf_ms=455)
    assert interval_risk(at_455, female=None).value == risk_of(at_455, female=False)
    assert risk_of(at_455, female=True) == 0.0


def test_components_say_why() -> None:
    risk = interval_risk(replace(NORMAL, qtcf_ms=512), NORMAL, female=True)
    (qtc,) = (component for component in risk.components if component.name == "qtc")
    assert qtc.text == "QTcF 512 ms (limit 460, alarm 500)"
    assert qtc.risk > 0.5
