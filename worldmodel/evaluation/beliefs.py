"""What stage one would believe of a drug with a mistaken prior, or without any trial of that drug.

Drugs are "measured" in virtual trials of their true effects; what is learned from them goes through mechanism.py.
"""

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from worldmodel.mechanism import ChannelEffects, KnownEffect, as_profile, learn_channels
from worldmodel.pharmacology import EFFECTS, DrugExposure, EffectProfile

SUBJECTS = 20  # of each drug's virtual trial
# SD of measuring one change, of means of three ECGs; from the trial's spread within triplicates.
MEASURING_SD = torch.tensor([2.0, 4.5, 3.2, 4.3, 3.0, 0.06], dtype=torch.float64)


def mistaken_profiles(
    drugs: Mapping[str, DrugExposure], factor: float, seed: int
) -> dict[str, EffectProfile]:
    """Profiles of all drugs, learned from virtual trials with rules of mechanism `factor` times as large."""
    known = _trials(drugs, seed)
    return {
        name: _profile(drugs[name], *_learn_without(known, name, factor).learn_drug(one))
        for name, one in known.items()
    }


def left_out_profiles(
    drugs: Mapping[str, DrugExposure], left_out: list[str], seed: int
) -> dict[str, EffectProfile]:
    """The profile of each drug of left_out, learned from the trials of all drugs but that one."""
    known = _trials(drugs, seed)
    return {
        name: _profile(drugs[name], *_learn_without(known, name).expect(drugs[name].mechanism))
        for name in left_out
    }


def wrong_signs(
    believed: Mapping[str, EffectProfile], drugs: Mapping[str, DrugExposure], least: float
) -> list[str]:
    """The effects of over `least` (ms, bpm) whose sign is wrong, as "drug effect"."""
    return [
        f"{name} {effect}"
        for name, profile in believed.items()
        for effect in EFFECTS[:-1]
        if abs(true := drugs[name].effects.mean.get(effect, 0.0)) > least and true * profile.mean[effect] <= 0
    ]


def _learn_without(
    known: Mapping[str, KnownEffect], left_out: str, rules_factor: float = 1.0
) -> ChannelEffects:
    """What all drugs but one teach of the channels; that one's own trial must not count twice."""
    return learn_channels([one for name, one in known.items() if name != left_out], rules_factor)


def _trials(drugs: Mapping[str, DrugExposure], seed: int) -> dict[str, KnownEffect]:
    """What a virtual trial of each drug with a mechanism finds: its true effects and the error of SUBJECTS people."""
    generator = torch.Generator().manual_seed(seed)
    found = {}
    for name, drug in sorted(drugs.items()):
        noise = torch.randn(len(EFFECTS), generator=generator).double()
        if drug.mechanism:
            error = ((_column(drug.effects.sd) ** 2 + MEASURING_SD**2) / SUBJECTS).sqrt()
            found[name] = KnownEffect(drug.mechanism, _column(drug.effects.mean) + error * noise, error)
    return found


def _profile(drug: DrugExposure, mean: Tensor, sd: Tensor) -> EffectProfile:
    """The believed effects, as wide between people as the true ones and as the doubt makes them."""
    wide = (sd**2 + _column(drug.effects.sd) ** 2).sqrt()
    return replace(as_profile(mean, wide, sd), hr_bpm_af=drug.effects.hr_bpm_af, power=drug.effects.power)


def _column(by_name: Mapping[str, float]) -> Tensor:
    return torch.tensor([by_name.get(name, 0.0) for name in EFFECTS], dtype=torch.float64)
