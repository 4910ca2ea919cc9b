"""The people that fit to what was seen of one person."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from worldmodel.observed import Seen, Series, draw, see, size_of
from worldmodel.pharmacology import EFFECTS, DrugExposure
from worldmodel.population import N, shipped_population
from worldmodel.response import Bearing, balanced_normal

POPULATION = shipped_population()
NOBODY = Bearing(torch.full((1,), torch.nan), torch.zeros(1, dtype=torch.bool))
DOFETILIDE = POPULATION.drugs["dofetilide"].exposure
JT, PR = EFFECTS.index("jtpeakc_ms"), EFFECTS.index("pr_ms")
LEVEL = POPULATION.day.level_mean
K = 400


def series(
    hours: list[float], values: Tensor, drugs: tuple[DrugExposure, ...] = (), period: int = 0
) -> Series:
    return Series(drugs, torch.tensor(hours, dtype=torch.float64), values.double(), period=period)


def unknown(hours: list[float], drugs: tuple[DrugExposure, ...] = (), period: int = 0) -> Series:
    return series(hours, torch.full((len(hours), N), torch.nan), drugs, period)


def drawn(seen: Seen, asked: Series, noisy: bool = False) -> Tensor:
    """(K, n, 6) values of the asked series."""
    generator = torch.Generator().manual_seed(0)
    normal = balanced_normal(K, size_of(seen), generator).double()
    normal_day = balanced_normal(K, N * len(asked.hours), generator).double()
    (values,) = draw(seen, [asked], normal, normal_day, noisy=noisy)
    return values


def test_with_a_baseline_alone_the_change_is_that_of_the_population() -> None:
    seen = see([series([0.0], LEVEL[None])], ["dofetilide"], POPULATION, NOBODY)
    change = drawn(seen, unknown([2.5], (DOFETILIDE,)))[:, 0, JT] - LEVEL[JT]
    assert 20.0 < float(change.mean()) < 60.0
    assert 5.0 < float(change.std()) < 25.0


def test_without_a_drug_it_is_conditioning_of_a_normal() -> None:
    """Closed form: the day's kernel alone decides how a deviation at 2 h speaks of 3 h."""
    lean = replace(
        POPULATION,
        day=replace(POPULATION.day, person_cov=1e-12 * torch.eye(N, dtype=torch.float64)),
    )
    values = LEVEL.repeat(2, 1)
    values[1, PR] += 20.0
    found = drawn(see([series([0.0, 2.0], values)], [], lean, NOBODY), unknown([3.0]))[:, 0]
    day = lean.day
    hours = torch.tensor([0.0, 2.0, 3.0], dtype=torch.float64)
    kernel = torch.exp(-(hours[:, None] - hours).abs() / day.period_hours)
    # all six intervals together, with a level of which nothing is known
    whole = torch.kron(kernel, day.period_cov) + torch.kron(
        torch.ones(3, 3), 1e6 * torch.diag(day.level_cov.diagonal())
    )
    seen, ahead = slice(0, 2 * N), slice(2 * N, 3 * N)
    over = whole[seen, seen] + torch.kron(torch.eye(2), day.noise_cov)
    expected = whole[ahead, seen] @ torch.linalg.solve(over, (values - LEVEL).flatten())
    assert (found.mean(0) - LEVEL).tolist() == pytest.approx(expected.tolist(), abs=0.05)


def test_someone_who_reacted_strongly_early_is_expected_to_later_and_with_less_doubt() -> None:
    base = LEVEL.repeat(2, 1)
    strong, weak = base.clone(), base.clone()
    strong[1, JT] += 60.0
    weak[1, JT] += 5.0
    later = unknown([5.0], (DOFETILIDE,))
    before = drawn(see([series([0.0], LEVEL[None])], ["dofetilide"], POPULATION, NOBODY), later)[:, 0, JT]
    after_strong, after_weak = (
        drawn(see([series([0.0, 2.5], values, (DOFETILIDE,))], [], POPULATION, NOBODY), later)[:, 0, JT]
        for values in (strong, weak)
    )
    assert float(after_weak.mean()) + 2.0 < float(before.mean()) < float(after_strong.mean()) - 2.0
    assert float(after_strong.std()) < float(before.std())


def test_another_day_speaks_of_the_person_but_less_than_the_same_day() -> None:
    values = LEVEL.repeat(2, 1)
    values[1, JT] += 70.0
    later = unknown([2.5], (DOFETILIDE,))
    of_day = series([0.0], LEVEL[None])
    same = see([series([0.0, 2.0], values, (DOFETILIDE,))], [], POPULATION, NOBODY)
    other = see([of_day, series([0.0, 2.0], values, (DOFETILIDE,), period=1)], [], POPULATION, NOBODY)
    nothing = see([of_day], ["dofetilide"], POPULATION, NOBODY)
    today, once, never = (float(drawn(seen, later)[:, 0, JT].mean()) for seen in (same, other, nothing))
    assert today > once > never + 1.0


def test_a_high_concentration_raises_what_is_expected() -> None:
    hours = torch.tensor([0.0, 2.0], dtype=torch.float64)
    values = torch.cat([LEVEL[None], torch.full((1, N), torch.nan)])
    found = []
    for level in (0.5, 1.5):
        plasma = {"dofetilide": torch.tensor([torch.nan, level], dtype=torch.float64)}
        seen = see([Series((DOFETILIDE,), hours, values, plasma)], [], POPULATION, NOBODY)
        found.append(float(drawn(seen, unknown([2.0], (DOFETILIDE,)))[:, 0, JT].mean()))
    assert found[0] + 5.0 < found[1]


def test_intervals_cover_virtual_people() -> None:
    """80 % intervals for people of the same population, early ECGs seen: calibrated, if the sums are right."""
    from worldmodel.response import PER_DRUG, People, effects

    generator = torch.Generator().manual_seed(4)
    hours = [0.0, 1.0, 2.0, 6.0]
    at = torch.tensor(hours, dtype=torch.float64)
    inside, n = 0, 24
    for _ in range(n):
        people = People(
            {"dofetilide": torch.randn(1, PER_DRUG, generator=generator).double()},
            torch.randn(1, N, generator=generator).double(),
        )
        cause = effects((DOFETILIDE,), at, people, NOBODY, POPULATION)[0]
        cause[:, -1] = torch.log1p(cause[:, -1])
        day = POPULATION.day.covariance(at, torch.zeros(4), noisy=torch.ones(4, dtype=torch.bool))
        root = torch.linalg.cholesky(day.reshape(4 * N, 4 * N) + 1e-9 * torch.eye(4 * N))
        wandering = (root @ torch.randn(4 * N, generator=generator).double()).reshape(4, N)
        truth = LEVEL + cause + wandering
        values = truth.clone()
        values[3] = torch.nan
        seen = see([series(hours, values, (DOFETILIDE,))], [], POPULATION, NOBODY)
        ahead = drawn(seen, unknown([6.0], (DOFETILIDE,)), noisy=True)[:, 0, JT]
        low, high = torch.quantile(ahead, torch.tensor([0.1, 0.9], dtype=torch.float64))
        inside += int(low <= truth[3, JT] <= high)
    assert 0.6 <= inside / n <= 0.97
