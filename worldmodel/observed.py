"""Stage one given ECGs of this person: the people that fit to them, instead of people of the population.

How a person reacts cannot be read from the pre-dose ECG, but from the first ECGs on the drug. All that varies is
normal (response.py, population.Day) and effects are smooth in it, so the people given the observations are found as
in non-linear regression: the most likely person by Gauss-Newton steps, and around that person a normal distribution.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from worldmodel.beat import clamp_response
from worldmodel.pharmacology import Action, DrugExposure
from worldmodel.population import PLASMA_FLOOR, N, Population
from worldmodel.response import (
    PER_DRUG,
    Bearing,
    People,
    balanced_normal,
    effects,
    levels,
    with_amplitude_fraction,
    with_log_amplitude,
)

ROUNDS = 6
LARGEST_STEP = 1.5  # in standard deviations of a person; keeps the first steps from leaping over the answer
PLASMA_CV = 0.15  # of assay and of what the course leaves out
FAR = 1e6  # variance of a level of which nothing is known, in units of the population's


@dataclass(frozen=True)
class Series:
    """ECGs of one period, which began with the dose or with nothing: drugs, hours (n,), and what was measured.

    values: (n, 6) in the order of EFFECTS, absolute, T amplitude as a logarithm; NaN where not measured. plasma: (n,)
    by the name of a drug, relative to its reference exposure, NaN where not measured. period: 0 for the period that
    is asked about, any other number for another day.
    """

    drugs: tuple[DrugExposure, ...]
    hours: Tensor
    values: Tensor
    plasma: Mapping[str, Tensor] = field(default_factory=dict)
    period: int = 0


@dataclass(frozen=True)
class Seen:
    """What is known of one person. mean (d,), root (d, d): of the person's normal vector; names: whose parts it holds.

    like_volunteers: see `see`.
    """

    population: Population
    bearing: Bearing
    names: tuple[str, ...]
    series: tuple[Series, ...]
    like_volunteers: bool
    mean: Tensor
    root: Tensor


def see(
    series: Sequence[Series],
    names: Sequence[str],
    population: Population,
    bearing: Bearing,
    *,
    like_volunteers: bool = False,
) -> Seen:
    """The person given their ECGs. names: all drugs that will be asked about.

    like_volunteers: the person's day and levels are those of the trial (see population.Day); else nothing is known
    of the level but what the series say, and the day has no mean course. bearing: of the one person, (1,) each.
    """
    every = tuple(sorted({*names, *(drug.name for one in series for drug in one.drugs)}))
    size = N + PER_DRUG * len(every)
    blank = Seen(
        population,
        bearing,
        every,
        tuple(series),
        like_volunteers,
        torch.zeros(size, dtype=torch.float64),
        torch.eye(size, dtype=torch.float64),
    )
    observed, noise, known = _observations(blank)
    if not known.any():
        return blank
    person = blank.mean
    root_noise = torch.linalg.cholesky(noise[known][:, known])
    for _ in range(ROUNDS):
        expected, slope = _linear(blank, person)
        slope = torch.linalg.solve_triangular(root_noise, slope[known], upper=False)
        left = (observed - expected)[known][:, None]
        left = torch.linalg.solve_triangular(root_noise, left, upper=False)[:, 0]
        information = torch.eye(size, dtype=torch.float64) + slope.T @ slope
        best = torch.linalg.solve(information, slope.T @ (left + slope @ person))
        person = person + (best - person).clamp(-LARGEST_STEP, LARGEST_STEP)
    root = torch.linalg.inv(torch.linalg.cholesky(information)).T
    return Seen(population, bearing, every, tuple(series), like_volunteers, person, root)


def draw(
    seen: Seen, asked: Sequence[Series], normal: Tensor, normal_day: Tensor, *, noisy: bool = False
) -> list[Tensor]:
    """Values (k, n, 6) of the asked series in k people that fit to what was seen.

    normal (k, d), normal_day (k, 6 x all asked hours): standard normal. noisy: with the noise of a measured ECG.
    Values are on the scale of the observations: subtract the baseline's for a change.
    """
    k = len(normal)
    z = seen.mean + normal @ seen.root.T
    _, _, known = _observations(seen)
    values = torch.cat([one.values.flatten() for one in seen.series])
    of_ecg = known[: len(values)]
    by_person = _effects_of(seen, seen.series, z)
    residual = values[of_ecg] - by_person[:, of_ecg] - _level_and_drift(seen, seen.series)[of_ecg]
    both = _day_covariance(seen, [*seen.series, *asked], [True] * len(seen.series) + [noisy] * len(asked))
    n = len(values)
    over, cross, ahead = both[:n, :n][of_ecg][:, of_ecg], both[n:, :n][:, of_ecg], both[n:, n:]
    root = torch.linalg.cholesky(over)
    gain = torch.cholesky_solve(cross.T, root).T
    left = ahead - gain @ cross.T
    left_root = _root(left)
    expected = _effects_of(seen, asked, z) + _level_and_drift(seen, asked)
    whole = expected + residual @ gain.T + normal_day[:, : len(left)] @ left_root.T
    sizes = [N * len(one.hours) for one in asked]
    return [part.reshape(k, -1, N) for part in torch.split(whole, sizes, dim=1)]


def draw_responses(seen: Seen, actions: Sequence[Action], k: int, generator: torch.Generator) -> Tensor:
    """Responses (action, k, 6), in the order and units of EFFECTS, of people that fit to what was seen.

    They are changes from the first ECG of period 0, the pre-dose ECG, which has to be among what was seen.
    """
    nothing = torch.full((1, N), torch.nan, dtype=torch.float64)
    asked = [
        Series(action.drugs, torch.tensor([action.hours], dtype=torch.float64), nothing) for action in actions
    ]
    normal = balanced_normal(k, size_of(seen), generator).double()
    normal_day = balanced_normal(k, N * len(actions), generator).double()
    before = next(one.values[0] for one in seen.series if one.period == 0)
    change = torch.stack(draw(seen, asked, normal, normal_day))[:, :, 0] - before
    return clamp_response(with_amplitude_fraction(change).float())


def size_of(seen: Seen) -> int:
    """Length of a person's vector, for `normal` of `draw`."""
    return len(seen.mean)


def _people(seen: Seen, z: Tensor) -> People:
    """People (k,) of their vectors (k, d)."""
    own = {name: z[:, N + PER_DRUG * i : N + PER_DRUG * (i + 1)] for i, name in enumerate(seen.names)}
    return People(own, z[:, :N])


def _effects_of(seen: Seen, series: Sequence[Series], z: Tensor) -> Tensor:
    """Drug effects on every value of the series in people of vectors (k, d), (k, n)."""
    people = _people(seen, z)
    bearing = Bearing(seen.bearing.potassium_mmol_l.expand(len(z)), seen.bearing.fibrillating.expand(len(z)))
    parts = []
    for one in series:
        change = effects(one.drugs, one.hours, people, bearing, seen.population)
        parts.append(with_log_amplitude(change).flatten(1))
    return torch.cat(parts, dim=1)


def _linear(seen: Seen, z: Tensor) -> tuple[Tensor, Tensor]:
    """What `_observations` should be for a person (d,), (n,), and its slope (n, d) by central differences.

    Effects are smooth in the person, so that in double precision these are exact enough.
    """
    step = 1e-4 * torch.eye(len(z), dtype=z.dtype)
    expected = _predict(seen, torch.cat([z[None], z + step, z - step]))
    above, below = expected[1:].chunk(2)
    return expected[0], ((above - below) / 2e-4).T


def _predict(seen: Seen, z: Tensor) -> Tensor:
    """What `_observations` should be for people (k, d): values of the ECGs, then logarithms of plasma, (k, n)."""
    parts = [_effects_of(seen, seen.series, z) + _level_and_drift(seen, seen.series)]
    people = _people(seen, z)
    for one in seen.series:
        for drug in one.drugs:
            if drug.name in one.plasma:
                plasma, _ = levels(drug, one.hours, people.own[drug.name], seen.population.unseen)
                parts.append(torch.log(plasma + PLASMA_FLOOR))
    return torch.cat(parts, dim=1)


def _observations(seen: Seen) -> tuple[Tensor, Tensor, Tensor]:
    """What was measured, flat, the covariance of what is not the drug's doing, and which of it is known."""
    values = [one.values.flatten() for one in seen.series]
    plasma = [
        torch.log(one.plasma[drug.name] + PLASMA_FLOOR)
        for one in seen.series
        for drug in one.drugs
        if drug.name in one.plasma
    ]
    observed = torch.cat([*values, *plasma])
    day = _day_covariance(seen, seen.series, [True] * len(seen.series))
    noise = PLASMA_CV**2 * torch.eye(len(observed), dtype=torch.float64)
    noise[: len(day), : len(day)] = day
    return observed, noise, observed.isfinite()


def _level_and_drift(seen: Seen, series: Sequence[Series]) -> Tensor:
    day = seen.population.day
    level = day.level_mean
    parts = []
    for one in series:
        drift = day.drift_at(one.hours) if seen.like_volunteers else 0.0
        parts.append((level + drift + torch.zeros(len(one.hours), N, dtype=torch.float64)).flatten())
    return torch.cat(parts)


def _day_covariance(seen: Seen, series: Sequence[Series], noisy: Sequence[bool]) -> Tensor:
    """Covariance of all values of the series, level and all, but for the drugs' effects."""
    hours = torch.cat([one.hours for one in series])
    period = torch.cat([torch.full((len(one.hours),), float(one.period)) for one in series])
    with_noise = torch.cat(
        [torch.full((len(one.hours),), flag) for one, flag in zip(series, noisy, strict=True)]
    )
    day = seen.population.day
    level = day.level_cov
    if not seen.like_volunteers:
        level = FAR * torch.diag(level.diagonal())
    within = day.covariance(hours, period, noisy=with_noise)
    size = N * len(hours)
    covariance = (within + level[None, :, None]).reshape(size, size)
    usual = _effects_of(seen, series, torch.zeros_like(seen.mean)[None])[0] * with_noise.repeat_interleave(N)
    return covariance + torch.diag((usual * day.unsteady.repeat(len(hours))) ** 2)


def _root(covariance: Tensor) -> Tensor:
    """A square root that bears a covariance of no full rank."""
    values, vectors = torch.linalg.eigh(covariance)
    root: Tensor = vectors * values.clamp(min=0.0).sqrt()
    return root
