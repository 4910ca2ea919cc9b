"""The interval risk: its anchors, that it is monotone, and that the unmeasured never passes for normal."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from worldmodel.measurement import Intervals
from worldmodel.risk import (
    HAZARDS,
    JUDGED_INTERVALS,
    Hazard,
    combined_risk,
    combined_risk_torch,
    interval_risk,
    interval_risk_torch,
)

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


def tensors(rows: list[Intervals]) -> dict[str, torch.Tensor]:
    """Columns of the judged intervals, NaN where not measured."""
    return {
        name: torch.tensor(
            [float("nan") if getattr(row, name) is None else getattr(row, name) for row in rows],
            dtype=torch.float64,
        )
        for name in JUDGED_INTERVALS
    }


@pytest.mark.parametrize("female", [True, False, None])
@pytest.mark.parametrize("with_before", [True, False])
def test_the_risk_on_tensors_is_the_risk(female: bool | None, with_before: bool) -> None:
    """Normal, alarming, half measured and blind ones; with and without an ECG from before."""
    rows = [
        NORMAL,
        replace(NORMAL, qtcf_ms=512, hr_bpm=44),
        replace(NORMAL, qrs_ms=150, pr_ms=None, tpeak_tend_ms=120),
        replace(NORMAL, qtcf_ms=None, hr_bpm=140),
        Intervals(pr_ms=320),
    ]
    before = [NORMAL, replace(NORMAL, qtcf_ms=None), NORMAL, NORMAL, NORMAL]
    of_tensors = interval_risk_torch(tensors(rows), tensors(before) if with_before else None, female=female)
    for row, then, value in zip(rows, before, of_tensors.tolist(), strict=True):
        expected = interval_risk(row, then if with_before else None, female=female).value
        assert value == pytest.approx(expected if expected is not None else float("nan"), nan_ok=True)


def test_gradients_flow_through_the_risk_and_around_what_was_not_measured() -> None:
    """A drug that lengthens the QTc is felt; what was not measured, before or after, makes no gradient NaN."""
    after = tensors([replace(NORMAL, qtcf_ms=480, pr_ms=None)])
    for column in after.values():
        column.requires_grad_()
    interval_risk_torch(after, tensors([replace(NORMAL, qrs_ms=None)])).sum().backward()
    assert all(column.grad is not None and column.grad.isfinite().all() for column in after.values())
    slope = after["qtcf_ms"].grad
    assert slope is not None
    nearly = [
        interval_risk(replace(NORMAL, qtcf_ms=480 + step, pr_ms=None), NORMAL).value for step in (-0.01, 0.01)
    ]
    assert slope.item() == pytest.approx((nearly[1] - nearly[0]) / 0.02, rel=1e-4)


def test_combined_risks_add_as_hazards_do() -> None:
    """Two alarms of one half are 1 - 2^-2, as in one interval risk; nothing is averaged away."""
    assert combined_risk({"intervals": 0.5, "labels": 0.5}).value == pytest.approx(0.75)
    assert combined_risk({"intervals": 0.3, "labels": 0.0}).value == pytest.approx(0.3)


def test_a_part_that_could_not_be_judged_is_named_and_not_zero() -> None:
    risk = combined_risk({"intervals": 0.3, "labels": None})
    assert (risk.value, risk.parts, risk.unknown) == (pytest.approx(0.3), {"intervals": 0.3}, ("labels",))
    assert combined_risk({"labels": None}).value is None


def test_combined_risk_on_tensors_is_the_combined_risk() -> None:
    a = torch.tensor([0.5, 0.3, float("nan")])
    b = torch.tensor([0.5, float("nan"), float("nan")])
    values = combined_risk_torch(a, b).tolist()
    assert values == pytest.approx([0.75, 0.3, float("nan")], nan_ok=True)
