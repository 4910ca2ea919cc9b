"""Who reacts how: the population that stage one draws people from, fitted to the ecgrdvq trial.

A person is a standard normal vector for each drug (absorption, elimination, exposure, and the sensitivity of the six
effects) and a day, on which intervals wander without any drug. `population_fit.py` fits all of it together.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from worldmodel.errors import WeightsError
from worldmodel.pharmacology import EFFECTS, DrugExposure, EffectProfile

SHIPPED = Path(__file__).parent / "weights" / "population.json"
LAYOUT = 1
N = len(EFFECTS)
PLASMA_FLOOR = 0.1  # of the reference exposure, below which a plasma level says little


@dataclass(frozen=True)
class Day:
    """How the ECGs of one person wander in a day without a drug, in units of EFFECTS.

    A value is the person's level, plus a part that is this person's on every day, plus one of this day alone
    (Ornstein-Uhlenbeck, with person_hours and period_hours as times of decay), plus noise, which is the physiology of
    the minute and the error of measuring. Covariances are (6, 6).
    unsteady: (6,), noise in an ECG on a drug, on top of the other, as a share of the drug's effect: a flat T wave is
    hard to measure.
    hours, drift: the mean course of the trial's placebo arm, (n,) and (n, 6), from 0 at the baseline: a fasting
    morning, then meals. level_mean, level_cov: of the trial's volunteers.
    """

    hours: Tensor
    drift: Tensor
    level_mean: Tensor
    level_cov: Tensor
    person_cov: Tensor
    person_hours: float
    period_cov: Tensor
    period_hours: float
    noise_cov: Tensor
    unsteady: Tensor

    def drift_at(self, hours: Tensor) -> Tensor:
        """Mean change of the trial's placebo arm at `hours` (n,), piecewise linear: (n, 6)."""
        knots = torch.cat([torch.zeros_like(self.hours[:1]), self.hours])
        values = torch.cat([torch.zeros_like(self.drift[:1]), self.drift])
        at = hours.clamp(0.0, float(knots[-1]))
        i = torch.searchsorted(knots, at.contiguous()).clamp(1, len(knots) - 1)
        share = ((at - knots[i - 1]) / (knots[i] - knots[i - 1]))[:, None]
        return values[i - 1] * (1 - share) + values[i] * share

    def covariance(self, hours: Tensor, period: Tensor, *, noisy: Tensor) -> Tensor:
        """Covariance of values at `hours` (n,) in periods (n,), without the person's level: (n, 6, n, 6).

        noisy: (n,) bool, which of them are measured values and so carry noise.
        """
        gap = (hours[:, None] - hours).abs()
        same = (period[:, None] == period).to(hours.dtype)
        return (
            kron(torch.exp(-gap / self.person_hours), self.person_cov)
            + kron(same * torch.exp(-gap / self.period_hours), self.period_cov)
            + kron(torch.diag(noisy.to(hours.dtype)), self.noise_cov)
        )


@dataclass(frozen=True)
class FittedDrug:
    """A drug of the trial: `exposure` is what `dose` gives, relative to cmax_ng_ml."""

    route: str
    dose: float
    unit: str
    cmax_ng_ml: float
    exposure: DrugExposure


@dataclass(frozen=True)
class Population:
    """Everything that is fitted, in double precision. Correlations and shares hold for every drug, fitted or not.

    sensitivity_cholesky: (6, 6), of the correlation of sensitivities. shared: share of the variance of a person's
    sensitivity that is the same for all drugs. unseen: share of the (logarithmic) variation of plasma between people
    that does not reach the heart. subjects: whose measurements it was fitted to, as the source numbers them.
    """

    day: Day
    sensitivity_cholesky: Tensor
    shared: float
    unseen: float
    drugs: dict[str, FittedDrug]
    source: str
    subjects: tuple[str, ...]


def kron(a: Tensor, b: Tensor) -> Tensor:
    """Kronecker product of (n, n) and (m, m), not yet flat: (n, m, n, m)."""
    return torch.einsum("ij,kl->ikjl", a, b)


def to_json(population: Population) -> dict[str, Any]:
    """What `from_json` reads; numbers as they are, rounded to seven digits."""
    found: dict[str, Any] = _plain(asdict(population))
    return {"layout": LAYOUT, **found}


def from_json(document: Mapping[str, Any]) -> Population:
    """The population of a document made by `to_json`. Raises WeightsError on another layout."""
    if document.get("layout") != LAYOUT:
        raise WeightsError(
            f"The population has layout {document.get('layout')}, this version reads layout {LAYOUT}.",
            "Fit it again: ecgwm-agent train --preset population --data DIR --out DIR",
        )
    day: dict[str, Any] = {
        key: torch.tensor(v, dtype=torch.float64) if isinstance(v, list) else v
        for key, v in document["day"].items()
    }
    drugs = {}
    for name, entry in document["drugs"].items():
        facts = dict(entry["exposure"])
        facts["effects"] = EffectProfile(**facts["effects"])
        drugs[name] = FittedDrug(**{**entry, "exposure": DrugExposure(**facts)})
    return Population(
        Day(**day),
        torch.tensor(document["sensitivity_cholesky"], dtype=torch.float64),
        document["shared"],
        document["unseen"],
        drugs,
        document["source"],
        tuple(document["subjects"]),
    )


def load_population(path: Path) -> Population:
    """Read a population's file. Raises WeightsError."""
    try:
        return from_json(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WeightsError(
            f"{path} is not a readable population ({error}).",
            "Reinstall the package, or fit it again: ecgwm-agent train --preset population --data DIR --out DIR",
        ) from error


def save_population(population: Population, folder: Path) -> Path:
    """Write `population.json` to the folder; the file appears whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / SHIPPED.name
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps(to_json(population), indent=1) + "\n", "utf-8")
    partial.replace(path)
    return path


@lru_cache(maxsize=1)
def shipped_population() -> Population:
    """The population that ships with the package, read once."""
    return load_population(SHIPPED)


def fitted_exposure(name: str, route: str, dose: float, unit: str) -> DrugExposure | None:
    """The fitted exposure of a drug of the trial at another dose; None where it was not in the trial.

    Exposure is taken as proportional to dose, which the trial, with one dose of each drug, cannot tell.
    """
    drug = shipped_population().drugs.get(name)
    if drug is None or (drug.route, drug.unit) != (route, unit):
        return None
    return replace(drug.exposure, relative_dose=dose / drug.dose)


def _plain(value: Any) -> Any:
    if isinstance(value, Tensor):
        return _plain(value.tolist())
    if isinstance(value, float):
        return float(f"{value:.7g}")
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
