"""Courses in closed form against integrating the same equations, and the rates that put a peak where it is told."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from worldmodel.exposure import Rates, absorption_rate, course, peak, time_of_peak

STEP_H = 0.002
HOURS = torch.arange(0.0, 30.0, STEP_H, dtype=torch.float64)


def rates(
    absorption: float = 1.5,
    elimination: float = 0.12,
    slow_share: float = 0.0,
    slow: float = 0.03,
    effect: float = math.inf,
    release: float = 0.0,
) -> Rates:
    values = (absorption, elimination, slow_share, slow, effect, release)
    return Rates(*(torch.tensor(value, dtype=torch.float64) for value in values))


def integrated(drive: Tensor, rate: float) -> Tensor:
    """y' = rate (drive - y) from 0 over HOURS: the drive against its memory, by the trapezoidal rule."""
    grown = torch.exp(rate * HOURS) * drive
    area = torch.cat([torch.zeros(1, dtype=torch.float64), torch.cumulative_trapezoid(grown, dx=STEP_H)])
    return rate * torch.exp(-rate * HOURS) * area


def one_compartment(absorption: float, elimination: float) -> Tensor:
    """Level after a dose of 1, absorbed from a depot: y' = ka exp(-ka t) - ke y."""
    return integrated(absorption / elimination * torch.exp(-absorption * HOURS), elimination)


def test_an_oral_dose_is_one_compartment_fed_from_a_depot() -> None:
    plasma, site = course(HOURS, rates())
    whole = 1.5 / (1.5 - 0.12)  # what the course leaves to its scale
    assert (whole * plasma - one_compartment(1.5, 0.12)).abs().max() < 1e-5
    assert torch.equal(site, plasma)


def test_a_second_phase_adds_to_the_first_by_its_share() -> None:
    plasma, _ = course(HOURS, rates(slow_share=0.3))
    fast = one_compartment(1.5, 0.12) * (1.5 - 0.12) / 1.5
    slow = one_compartment(1.5, 0.03) * (1.5 - 0.03) / 1.5
    assert (plasma - 0.7 * fast - 0.3 * slow).abs().max() < 1e-5


@pytest.mark.parametrize("effect", [0.05, 0.12, 1.5, 6.0])
@pytest.mark.parametrize("slow_share", [0.0, 0.3])
def test_the_effect_site_follows_plasma_at_its_rate_even_where_two_rates_are_equal(
    effect: float, slow_share: float
) -> None:
    plasma, site = course(HOURS, rates(slow_share=slow_share, effect=effect))
    assert (site - integrated(plasma, effect)).abs().max() < 1e-4


@pytest.mark.parametrize("release", [0.1, 1.5, 8.0])
def test_a_dose_that_is_released_slowly_is_many_small_doses_one_after_the_other(release: float) -> None:
    at = HOURS[::50]
    plasma, _ = course(at, rates(slow_share=0.3, release=release))
    given = release * (torch.arange(1000, dtype=torch.float64) + 0.5) / 1000
    small, _ = course(at - given[:, None], rates(slow_share=0.3))
    assert (plasma - small.mean(dim=0)).abs().max() < 1e-5


@pytest.mark.parametrize("release", [0.1, 8.0])
@pytest.mark.parametrize("effect", [0.12, 3.0])
def test_the_effect_site_follows_a_released_dose_as_any_other(release: float, effect: float) -> None:
    plasma, site = course(HOURS, rates(slow_share=0.3, effect=effect, release=release))
    assert (site - integrated(plasma, effect)).abs().max() < 1e-4


def test_a_released_dose_is_the_same_in_single_precision() -> None:
    of = rates(slow_share=0.3, effect=3.0, release=1.0)
    single = Rates(*(x.float() for x in vars(of).values()))
    for exact, rough in zip(course(HOURS, of), course(HOURS.float(), single), strict=True):
        assert (exact - rough).abs().max() < 1e-5


@pytest.mark.parametrize("effect", [0.05, 0.12, 3.0])
def test_an_infusion_rises_to_one_and_its_effect_follows(effect: float) -> None:
    plasma, site = course(HOURS, rates(effect=effect), infusion=True)
    assert (plasma - integrated(torch.ones_like(HOURS), 0.12)).abs().max() < 1e-5
    assert (site - integrated(plasma, effect)).abs().max() < 1e-5


def test_before_the_dose_there_is_nothing() -> None:
    before = torch.tensor([-3.0, 0.0], dtype=torch.float64)
    for infusion in (False, True):
        plasma, site = course(before, rates(slow_share=0.2, effect=0.5), infusion)
        assert plasma.tolist() == pytest.approx([0.0, 0.0], abs=1e-12)
        assert site.tolist() == pytest.approx([0.0, 0.0], abs=1e-12)


@pytest.mark.parametrize("absorption", [0.03, 0.06, 0.12, 0.1201, 0.18])
def test_where_absorption_is_as_slow_as_elimination_the_dose_is_still_there(absorption: float) -> None:
    """A person whose two rates meet, or change places, has a flat course, not none and not a negative one."""
    plasma, site = course(HOURS, rates(absorption, effect=0.5))
    assert (plasma - 0.5 * one_compartment(absorption, 0.12)).abs().max() < 1e-3
    assert (site - integrated(plasma, 0.5)).abs().max() < 1e-4
    single = Rates(*(x.float() for x in vars(rates(absorption, effect=0.5)).values()))
    assert (course(HOURS.float(), single)[1] - site).abs().max() < 1e-3


@pytest.mark.parametrize("effect", [math.inf, 0.12])
@pytest.mark.parametrize("infusion", [False, True])
def test_gradients_are_finite_where_the_effect_is_at_once_and_where_rates_are_equal(
    effect: float, infusion: bool
) -> None:
    elimination = torch.tensor(0.12, dtype=torch.float64, requires_grad=True)
    of = rates(effect=effect)
    _, site = course(HOURS[::500], replace(of, elimination=elimination), infusion)
    (slope,) = torch.autograd.grad(site.sum(), elimination)
    assert slope.isfinite() and float(slope) != 0.0


@pytest.mark.parametrize(("slow_share", "release"), [(0.0, 0.0), (0.3, 0.0), (0.0, 1.5)])
def test_the_peak_is_the_largest_level(slow_share: float, release: float) -> None:
    of = rates(slow_share=slow_share, release=release)
    assert float(peak(of)) == pytest.approx(float(course(HOURS, of)[0].max()), rel=2e-3)


@pytest.mark.parametrize(("tmax_h", "half_life_h"), [(2.5, 10.0), (0.25, 4.0), (3.0, 3.8)])
def test_the_absorption_rate_puts_the_peak_at_tmax(tmax_h: float, half_life_h: float) -> None:
    elimination = math.log(2.0) / half_life_h
    absorption = absorption_rate(tmax_h, half_life_h)
    assert time_of_peak(absorption, elimination) == pytest.approx(tmax_h, rel=1e-6)
    plasma, _ = course(HOURS, rates(absorption, elimination))
    assert float(HOURS[plasma.argmax()]) == pytest.approx(tmax_h, abs=2 * STEP_H)


def test_a_peak_later_than_elimination_allows_comes_as_late_as_it_can() -> None:
    assert time_of_peak(absorption_rate(5.0, 0.15), math.log(2.0) / 0.15) == pytest.approx(
        0.15 / math.log(2.0), rel=0.01
    )
    assert time_of_peak(0.5, 0.5) == 2.0
