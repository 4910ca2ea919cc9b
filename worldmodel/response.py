"""Stage one of the dynamics: what an action changes, by how much, and how surely.

Exposure follows its course (exposure.py), effects follow the effect site, several drugs act together (interaction.py).
Between people, rates, exposure and sensitivity vary, and every day has its own wandering: each sample is one person on
one day. With ECGs of this person on a drug at hand (observed.py) the people are those that fit to them.
"""

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from worldmodel.beat import clamp_response
from worldmodel.exposure import Rates, absorption_rate, course, peak
from worldmodel.interaction import combine
from worldmodel.pharmacology import EFFECTS, Action, DrugExposure
from worldmodel.population import Population, shipped_population

# Low potassium enhances block of IKr: prolongation grows by this fraction per mmol/L below 4.0.
# Direction from AHA/ACCF 2010 (doi:10.1161/CIRCULATIONAHA.109.192704), size from memory, needs a clinician.
POTASSIUM_GAIN = 0.3
_REPOLARISATION = [EFFECTS.index(name) for name in ("jtpeakc_ms", "tpeak_tend_ms")]
PER_DRUG = 3 + len(EFFECTS)  # absorption, elimination, exposure; sensitivity of each effect


@dataclass(frozen=True)
class People:
    """k people, standard normal: own (k, PER_DRUG) by the name of a drug, shared (k, 6) the same for all drugs."""

    own: dict[str, Tensor]
    shared: Tensor


@dataclass(frozen=True)
class Bearing:
    """What of k patients bears on a response: potassium (k,) in mmol/L, NaN where unknown, and AF (k,) bool."""

    potassium_mmol_l: Tensor
    fibrillating: Tensor


def levels(drug: DrugExposure, hours: Tensor, own: Tensor, unseen: float) -> tuple[Tensor, Tensor]:
    """Plasma and effect site, relative to the reference exposure, at `hours` (n,): (k, n) each; own (k, PER_DRUG)."""
    ke = math.log(2.0) / drug.half_life_h
    ka = absorption_rate(drug.tmax_h, drug.half_life_h)
    lag = math.inf if drug.effect_half_life_h == 0 else math.log(2.0) / drug.effect_half_life_h
    slow = math.log(2.0) / drug.slow_half_life_h

    def constant(value: float) -> Tensor:
        return torch.full((1, 1), value, dtype=own.dtype)

    def rates(absorption: Tensor, elimination: Tensor) -> Rates:
        return Rates(
            ka * absorption,
            ke * elimination,
            constant(drug.slow_share),
            slow * elimination,
            constant(lag),
            constant(drug.release_h),
        )

    faster = torch.exp(drug.absorption_cv * own[:, :1])
    person = rates(faster, torch.exp(drug.elimination_cv * own[:, 1:2]))
    top = constant(1.0) if drug.infusion else peak(rates(constant(1.0), constant(1.0)))
    plasma, site = course(hours - drug.given_h - drug.lag_h / faster, person, drug.infusion)
    scale = drug.relative_dose / top
    return (
        scale * plasma * _log_normal(own[:, 2:3], drug.exposure_cv),
        scale * site.clamp(min=0.0) * _log_normal(own[:, 2:3], (1.0 - unseen) * drug.exposure_cv),
    )


def effects(
    drugs: Sequence[DrugExposure], hours: Tensor, people: People, bearing: Bearing, population: Population
) -> Tensor:
    """Changes that drugs cause at `hours` (n,), on their own clock: (k, n, 6) in the order and units of EFFECTS."""
    k = len(people.shared)
    if not drugs:
        return torch.zeros(k, len(hours), len(EFFECTS), dtype=people.shared.dtype)
    given: dict[str, DrugExposure] = {}
    at_site: dict[str, Tensor] = {}
    for drug in drugs:  # doses of one drug are one exposure
        _, site = levels(drug, hours, people.own[drug.name], population.unseen)
        given.setdefault(drug.name, drug)
        at_site[drug.name] = at_site[drug.name] + site if drug.name in at_site else site
    found = []
    for name, drug in given.items():
        own, site = people.own[name], at_site[name]
        normal = (
            math.sqrt(population.shared) * people.shared + math.sqrt(1.0 - population.shared) * own[:, 3:]
        )
        sensitivity = normal @ population.sensitivity_cholesky.to(own.dtype).T
        mean, sd = _profile(drug, bearing.fibrillating, own.dtype)
        # the small number keeps the slope of a power finite at no exposure
        found.append(((site + 1e-9) ** drug.effects.power)[..., None] * (mean + sd * sensitivity)[:, None])
    total = combine(list(given.values()), torch.stack(list(at_site.values())), torch.stack(found))
    return total * _potassium_gain(bearing.potassium_mmol_l, total.dtype)[:, None]


def doubts(action: Action, population: Population | None = None) -> dict[str, float]:
    """How much of an action's spread is not knowing its drugs, as SDs by the names of EFFECTS and for QTcF.

    Of the average person, at the action's hours; what several drugs leave open adds in squares, potassium and the
    interaction of drugs aside. The rest of the spread is people and days, which no trial takes away.
    """
    population = population or shipped_population()
    variance = torch.zeros(len(EFFECTS))
    average = torch.zeros(1, PER_DRUG)
    for drug in action.drugs:
        _, site = levels(drug, torch.tensor([action.hours]), average, population.unseen)
        doubt = torch.tensor([drug.effects.doubt.get(name, 0.0) for name in EFFECTS])
        variance = variance + (float(site) ** drug.effects.power * doubt) ** 2
    found = dict(zip(EFFECTS, variance.sqrt().tolist(), strict=True))
    found["qtcf_ms"] = math.sqrt(sum(found[name] ** 2 for name in ("qrs_ms", "jtpeakc_ms", "tpeak_tend_ms")))
    return found


def draw_people(names: Sequence[str], k: int, generator: torch.Generator) -> People:
    """k people, balanced (see `balanced_normal`): under one drug the same, whatever other drugs are asked for."""
    base = int(torch.randint(2**31, (1,), generator=generator))

    def drawn(name: str, columns: int) -> Tensor:
        own = torch.Generator().manual_seed(base + zlib.crc32(name.encode()))
        return balanced_normal(k, columns, own)

    return People({name: drawn(name, PER_DRUG) for name in sorted(set(names))}, drawn("", len(EFFECTS)))


def sample_responses(
    actions: Sequence[Action],
    potassium_mmol_l: Tensor,
    fibrillating: Tensor,
    generator: torch.Generator,
    population: Population | None = None,
) -> Tensor:
    """Responses to each action, (action, k, 6) in the order and units of EFFECTS.

    potassium_mmol_l: (k,), NaN where unknown, which leaves the response as it is; fibrillating: (k,) bool.
    Sample k is the same person on the same day under every action, so that actions differ by what they do.
    """
    population = population or shipped_population()
    bearing = Bearing(potassium_mmol_l, fibrillating)
    k = len(potassium_mmol_l)
    people = draw_people([drug.name for action in actions for drug in action.drugs], k, generator)
    day = _draw_day([action.hours for action in actions], k, population, generator)
    rows = [
        day[:, i]
        + with_log_amplitude(
            effects(action.drugs, torch.tensor([action.hours]), people, bearing, population)[:, 0]
        )
        for i, action in enumerate(actions)
    ]
    return clamp_response(with_amplitude_fraction(torch.stack(rows)))


def with_log_amplitude(change: Tensor) -> Tensor:
    """Effects (.., 6) with the T amplitude's fraction as a logarithm: the scale of the day and of measurements."""
    return torch.cat([change[..., :-1], torch.log1p(change[..., -1:].clamp(min=-0.9))], dim=-1)


def with_amplitude_fraction(change: Tensor) -> Tensor:
    """The inverse of `with_log_amplitude`."""
    return torch.cat([change[..., :-1], torch.expm1(change[..., -1:])], dim=-1)


def _draw_day(hours: Sequence[float], k: int, population: Population, generator: torch.Generator) -> Tensor:
    """How k people have wandered since the pre-dose ECG at 0 after each of `hours`, (k, n, 6)."""
    times = sorted({0.0, *hours})
    at = torch.tensor(times, dtype=torch.float64)
    of_day = population.day.covariance(at, torch.zeros(len(at)), noisy=torch.zeros(len(at), dtype=torch.bool))
    size = len(times) * len(EFFECTS)
    root = torch.linalg.cholesky(of_day.reshape(size, size) + 1e-9 * torch.eye(size))
    path = (balanced_normal(k, size, generator).double() @ root.T).reshape(k, len(times), len(EFFECTS))
    change: Tensor = (path - path[:, :1]).float()
    return change[:, [times.index(hour) for hour in hours]]


def balanced_normal(k: int, n: int, generator: torch.Generator) -> Tensor:
    """(k, n) normal draws with mean 0 over the k samples and sample variance (over k - 1) of 1 on average.

    With the paper's K = 3 the mean effect would else be off by more than half of the spread between people.
    """
    draws = torch.randn(k, n, generator=generator)
    return draws if k == 1 else draws - draws.mean(dim=0)


def _log_normal(normal: Tensor, cv: float) -> Tensor:
    """Of mean 1 and (logarithmic) spread cv."""
    return torch.exp(cv * normal - 0.5 * cv**2)


def _profile(drug: DrugExposure, fibrillating: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Mean (k, 6) and SD (6,) of a drug's effects at the reference exposure, for the rhythm of each person."""
    mean = torch.tensor([drug.effects.mean.get(name, 0.0) for name in EFFECTS], dtype=dtype)
    mean = mean.repeat(len(fibrillating), 1)
    if drug.effects.hr_bpm_af is not None:
        mean[fibrillating, EFFECTS.index("hr_bpm")] = drug.effects.hr_bpm_af
    return mean, torch.tensor([drug.effects.sd.get(name, 0.0) for name in EFFECTS], dtype=dtype)


def _potassium_gain(potassium_mmol_l: Tensor, dtype: torch.dtype) -> Tensor:
    """Factor on each effect, (k, 6)."""
    gain = torch.ones(len(potassium_mmol_l), len(EFFECTS), dtype=dtype)
    lack = (4.0 - potassium_mmol_l).clamp(min=0.0).nan_to_num(0.0).to(dtype)
    gain[:, _REPOLARISATION] += POTASSIUM_GAIN * lack[:, None]
    return gain
