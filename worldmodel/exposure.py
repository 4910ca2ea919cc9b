"""Exposure over time: plasma and effect site, in closed form.

One compartment with first-order absorption, or a maintained infusion; where the data ask for it a dose that is
released at a constant rate for some time, a second, slower phase of elimination, and an effect site that lags behind
plasma (Sheiner 1979, doi:10.1002/cpt1979253358). Everything is a sum of exponentials, so nothing is stepped. Rates are
per hour, times in hours, all tensors broadcast.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

_PEAK_GRID = 96  # times at which the peak of a course is looked for
_APART = 0.5  # by how much of itself absorption should be faster than elimination, see _phases


@dataclass(frozen=True)
class Rates:
    """Rates of a course, per hour. absorption is not used by an infusion.

    slow_share: share of the slow phase, whose rate is `slow`; effect: rate of the effect site, inf where it
    follows plasma at once. release: hours in which a dose gets to where it is absorbed, 0 where it is there at once.
    """

    absorption: Tensor
    elimination: Tensor
    slow_share: Tensor
    slow: Tensor
    effect: Tensor
    release: Tensor


def course(hours: Tensor, rates: Rates, infusion: bool = False) -> tuple[Tensor, Tensor]:
    """Plasma and effect-site level, unscaled; 0 before the dose. An infusion's level tends to 1."""
    t = hours.clamp(min=0.0)
    at_once = torch.isinf(rates.effect)
    k = torch.where(at_once, torch.ones_like(rates.effect), rates.effect)
    if infusion:
        plasma = 1.0 - torch.exp(-rates.elimination * t)
        site = plasma - rates.elimination * _difference(rates.elimination, k, t)
    else:
        plasma, site = _released(t, rates, k)
    return plasma, torch.where(at_once, plasma, site)


def _released(t: Tensor, rates: Rates, k: Tensor) -> tuple[Tensor, Tensor]:
    """Levels of one dose: those of a dose given at once, averaged over the hours of its release."""
    plasma, site = _at_once(t, rates, k)
    hours = torch.where(rates.release > 0, rates.release, torch.ones_like(rates.release))
    before = (t - hours).clamp(min=0.0)
    # the effect site obeys site' = k (plasma - site), so its integral is that of plasma less site / k
    area, area_before = _area(t, rates), _area(before, rates)
    _, site_before = _at_once(before, rates, k)
    mean_plasma = (area - area_before) / hours
    mean_site = mean_plasma - (site - site_before) / (k * hours)
    slowly = rates.release > 0
    return torch.where(slowly, mean_plasma, plasma), torch.where(slowly, mean_site, site)


def _at_once(t: Tensor, rates: Rates, k: Tensor) -> tuple[Tensor, Tensor]:
    plasma, site = torch.zeros_like(t), torch.zeros_like(t)
    for share, out, into in _phases(rates):
        plasma = plasma + share * (torch.exp(-out * t) - torch.exp(-into * t))
        site = site + k * share * (_difference(out, k, t) - _difference(into, k, t))
    return plasma, site


def _area(t: Tensor, rates: Rates) -> Tensor:
    """The integral of plasma of a dose given at once, up to t."""
    return sum(
        (
            share * (torch.expm1(-into * t) / into - torch.expm1(-out * t) / out)
            for share, out, into in _phases(rates)
        ),
        torch.zeros_like(t),
    )


def peak(rates: Rates) -> Tensor:
    """Largest plasma level of the unscaled course of one dose."""
    slowest = 1.0 / torch.minimum(rates.absorption, rates.elimination) + rates.release
    grid = torch.linspace(0.0, 1.0, _PEAK_GRID, dtype=slowest.dtype, device=slowest.device) ** 2
    shape = (-1, *[1] * slowest.ndim)
    plasma, _ = course(4.0 * slowest * grid.reshape(shape), rates)
    return plasma.amax(dim=0)


@lru_cache(maxsize=1024)
def absorption_rate(tmax_h: float, half_life_h: float) -> float:
    """The absorption rate, per hour, that puts the peak of a single dose at Tmax.

    Solves ke Tmax = log(r) / (r - 1), r = ka / ke, by bisection. Where Tmax is too late for that (beyond 1/ke),
    absorption and elimination are taken as nearly equal, the latest peak there is.
    """
    ke = math.log(2.0) / half_life_h
    target = min(ke * tmax_h, 0.999)
    low, high = 1e-4, 12.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if middle / math.expm1(middle) > target else (low, middle)
    return ke * math.exp(0.5 * (low + high))


def time_of_peak(absorption: float, elimination: float) -> float:
    """Tmax in hours of a single dose with one phase of elimination."""
    log_r = math.log(absorption / elimination)
    return log_r / (absorption - elimination) if abs(log_r) > 1e-6 else 1.0 / elimination


def _phases(rates: Rates) -> list[tuple[Tensor, Tensor, Tensor]]:
    """Share, elimination and absorption of each phase, which is the difference of the two exponentials.

    That difference vanishes where the rates are equal and is negative where absorption is the slower; a dose does not
    vanish. There the phase is that of a whole dose, ka / (ka - ke) times the difference, by a factor that makes both
    meet where ka is 2 ke.
    """
    found = []
    for share, out in ((1.0 - rates.slow_share, rates.elimination), (rates.slow_share, rates.slow)):
        apart = rates.absorption - out
        apart = torch.where(apart.abs() < 1e-3 * out, 1e-3 * out, apart)
        whole = torch.maximum(apart, _APART * rates.absorption) / apart
        found.append((share * whole, out, out + apart))
    return found


def _difference(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """(exp(-a t) - exp(-b t)) / (b - a), and its limit t exp(-a t) at a = b."""
    x = 0.5 * (b - a) * t
    small = x.abs() < 1e-4
    safe = torch.where(small, torch.ones_like(x), x).clamp(-300.0, 300.0)
    # exp(-(a+b)t/2) sinh(x)/x, written so that nothing overflows for a fast rate
    far = torch.exp(-torch.minimum(a, b) * t) * -torch.expm1(-2.0 * safe.abs()) / (2.0 * safe.abs())
    near = torch.exp(-0.5 * (a + b) * t) * (1.0 + x * x / 6.0)
    return t * torch.where(small, near, far)
