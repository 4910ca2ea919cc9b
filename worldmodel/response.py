"""Stage one of the dynamics: what an action changes, by how much, and how surely.

Exposure follows a one-compartment course relative to the reference exposure; the effect is linear in it
(the concentration-effect models of the ecgrdvq trial are, doi:10.1038/clpt.2014.155). Between people,
exposure, sensitivity and the day itself vary; each sample is one such person on one such day.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from worldmodel.beat import clamp_response
from worldmodel.pharmacology import EFFECTS, Action, DrugExposure

# Change between two drug-free ECGs of one person some hours apart, SD in units of EFFECTS. The trial's
# within-triplicate SDs (rate 2.8 bpm, PR 5.5, QRS 3.9, J-Tpeak 5.3, Tpeak-Tend 3.7 ms) hold measurement
# noise too, and hours add to it; the figures here are a policy between the two.
DAY_SD = {
    "hr_bpm": 3.0,
    "pr_ms": 3.0,
    "qrs_ms": 1.0,
    "jtpeakc_ms": 4.0,
    "tpeak_tend_ms": 2.5,
    "t_amplitude_fraction": 0.06,
}
PK_TIME_CV = 0.2  # of Tmax and half-life between people; from memory, needs a clinician
# Low potassium enhances block of IKr: prolongation grows by this fraction per mmol/L below 4.0.
# Direction from AHA/ACCF 2010 (doi:10.1161/CIRCULATIONAHA.109.192704), size from memory, needs a clinician.
POTASSIUM_GAIN = 0.3
_REPOLARISATION = [EFFECTS.index(name) for name in ("jtpeakc_ms", "tpeak_tend_ms")]


def exposure(hours: Tensor, drug: DrugExposure, tmax_h: Tensor, half_life_h: Tensor) -> Tensor:
    """Exposure relative to the peak (bolus, oral) or the plateau (infusion); 0 before the dose.

    Oral: Bateman curve scaled to 1 at Tmax, with the absorption rate that puts its peak there. Where Tmax is
    too late for that (beyond 1/ke), absorption and elimination are taken as equal, the latest peak there is.
    """
    ke = math.log(2.0) / half_life_h
    t = hours.clamp(min=0.0)
    if drug.infusion:
        return 1.0 - torch.exp(-ke * t)
    ratio = (ke * tmax_h).clamp(max=0.999)
    log_r = _log_absorption_ratio(ratio)
    ka = ke * torch.exp(log_r)
    t_peak = log_r / (ka - ke)
    curve = torch.exp(-ke * t) - torch.exp(-ka * t)
    return curve / (torch.exp(-ke * t_peak) - torch.exp(-ka * t_peak))


def _log_absorption_ratio(ke_tmax: Tensor) -> Tensor:
    """log(ka/ke) that solves ke Tmax = log(r) / (r - 1), by bisection; ke_tmax in (0, 1)."""
    low, high = torch.full_like(ke_tmax, 1e-4), torch.full_like(ke_tmax, 12.0)
    for _ in range(40):
        middle = 0.5 * (low + high)
        later = middle / torch.expm1(middle) > ke_tmax
        low, high = torch.where(later, middle, low), torch.where(later, high, middle)
    return 0.5 * (low + high)


def sample_responses(
    actions: Sequence[Action], potassium_mmol_l: Tensor, fibrillating: Tensor, generator: torch.Generator
) -> Tensor:
    """Responses to each action, (action, k, 6) in the order and units of EFFECTS.

    potassium_mmol_l: (k,), NaN where unknown, which leaves the response as it is; fibrillating: (k,) bool.
    Sample k is the same person on the same day under every action, so that actions differ by what they do.
    """
    k = potassium_mmol_l.shape[0]
    day = _balanced_normal(k, len(EFFECTS), generator) * torch.tensor([DAY_SD[name] for name in EFFECTS])
    person = _balanced_normal(k, 3, generator)
    sensitivity = _balanced_normal(k, len(EFFECTS), generator)
    gain = torch.ones(k, len(EFFECTS))
    lack = (4.0 - potassium_mmol_l).clamp(min=0.0).nan_to_num(0.0)
    gain[:, _REPOLARISATION] += POTASSIUM_GAIN * lack[:, None]
    rows = []
    for action in actions:
        hours = torch.full((k,), action.hours)
        total = day.clone()
        for drug in action.drugs:
            level = drug.relative_dose * exposure(
                hours,
                drug,
                drug.tmax_h * torch.exp(PK_TIME_CV * person[:, 0]),
                drug.half_life_h * torch.exp(PK_TIME_CV * person[:, 1]),
            )
            cv = math.sqrt(math.log1p(drug.exposure_cv**2))
            level = level * torch.exp(cv * person[:, 2] - 0.5 * cv**2)
            mean, sd = _profile(drug, fibrillating)
            total = total + level[:, None] * (mean + sd * sensitivity) * gain
        rows.append(total)
    return clamp_response(torch.stack(rows))


def _balanced_normal(k: int, n: int, generator: torch.Generator) -> Tensor:
    """(k, n) normal draws with mean 0 over the k samples and sample variance (over k - 1) of 1 on average.

    With the paper's K = 3 the mean effect would else be off by more than half of the spread between people.
    """
    draws = torch.randn(k, n, generator=generator)
    return draws if k == 1 else draws - draws.mean(dim=0)


def _profile(drug: DrugExposure, fibrillating: Tensor) -> tuple[Tensor, Tensor]:
    """Mean (k, 6) and SD (6,) of a drug's effects at the reference exposure, for the rhythm of each sample."""
    mean = torch.tensor([drug.effects.mean.get(name, 0.0) for name in EFFECTS]).repeat(len(fibrillating), 1)
    if drug.effects.hr_bpm_af is not None:
        mean[fibrillating, EFFECTS.index("hr_bpm")] = drug.effects.hr_bpm_af
    return mean, torch.tensor([drug.effects.sd.get(name, 0.0) for name in EFFECTS])
