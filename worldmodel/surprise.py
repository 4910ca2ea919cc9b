"""How far the observed ECGs of a person lie from what the population leads one to expect of them.

The Mahalanobis distance of an ECG's change from the changes of people drawn from the population, compared with the
distances of these people themselves, whose changes are not normal.
"""

from dataclasses import dataclass

import torch

from worldmodel.observed import Seen, Series, draw, see, size_of
from worldmodel.pharmacology import EFFECTS
from worldmodel.population import N

USUAL = 0.99  # of the people drawn lie within `usual`
_PEOPLE, _SEED = 400, 0
_WORDS = dict(zip(EFFECTS, ("its rate", "PR", "QRS", "J-Tpeak", "Tpeak-Tend", "T amplitude"), strict=True))


@dataclass(frozen=True)
class Surprise:
    """Of one ECG, `hours` after its dose. distance, usual: in standard deviations; farthest: by what most."""

    hours: float
    distance: float
    usual: float
    farthest: str

    @property
    def ratio(self) -> float:
        """Above 1 for one person in a hundred."""
        return self.distance / self.usual


def most_surprising(seen: Seen) -> Surprise | None:
    """The observed ECG that the population expects least; None where nothing but baselines was observed.

    Each period is judged from its first ECG without a drug, which for period 0 is the pre-dose ECG.
    """
    baselines: dict[int, Series] = {}
    for one in seen.series:
        if not one.drugs:
            baselines.setdefault(one.period, one)
    asked = [
        one
        for one in seen.series
        if not any(one is first for first in baselines.values()) and one.values.isfinite().any()
    ]
    if not asked:
        return None
    before = list(baselines.values())
    nobody = see(before, seen.names, seen.population, seen.bearing, like_volunteers=seen.like_volunteers)
    generator = torch.Generator().manual_seed(_SEED)
    asked_for = sum(len(one.hours) for one in asked)
    normal, normal_day = (
        torch.randn(_PEOPLE, size, generator=generator, dtype=torch.float64)
        for size in (size_of(nobody), N * asked_for)
    )
    drawn = draw(nobody, asked, normal, normal_day, noisy=True)
    found = [
        _surprise(float(one.hours[i]), one.values[i], people[:, i])
        for one, people in zip(asked, drawn, strict=True)
        for i in range(len(one.hours))
        if one.values[i].isfinite().any()
    ]
    return max(found, key=lambda surprise: surprise.ratio)


def _surprise(hours: float, values: torch.Tensor, people: torch.Tensor) -> Surprise:
    """Of values (6,), NaN where unknown, among those of people (k, 6)."""
    known = values.isfinite()
    drawn, mean = people[:, known], people[:, known].mean(dim=0)
    root = torch.linalg.cholesky(torch.cov(drawn.T).reshape(len(mean), len(mean)))
    apart = torch.stack([values[known], *drawn]) - mean
    distances = torch.linalg.solve_triangular(root, apart.T, upper=False).norm(dim=0)
    by_most = int((apart[0].abs() / drawn.std(dim=0)).argmax())
    name = EFFECTS[int(known.nonzero()[by_most])]
    return Surprise(hours, float(distances[0]), float(torch.quantile(distances[1:], USUAL)), _WORDS[name])
