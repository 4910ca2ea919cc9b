"""From mechanism to effect: the rule-based prior of stage one, and what data make of it.

Effects of a drug at its reference exposure are normal around the sum of what each of its channels does, with a
deviation of the drug's own; what a channel does is normal around a rule of thumb. So everything is one linear Gaussian
model: drugs with known effects teach the channels, trials teach the drugs, and a drug that nobody has measured gets
its mechanism's effects, with a width that says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from worldmodel.pharmacology import EFFECTS, EffectProfile

N = len(EFFECTS)
# At full block or drive, in the order of EFFECTS. Directions and sizes are those of textbooks and of the drugs of the
# ecgrdvq trial (doi:10.1038/clpt.2014.155); from memory where no drug of the trial shows it, needs a clinician.
RULES: dict[str, tuple[float, float, float, float, float, float]] = {
    "ikr_block": (0.0, 0.0, 0.0, 38.0, 38.0, -0.20),
    "iks_block": (0.0, 0.0, 0.0, 15.0, 10.0, -0.05),
    "ina_block": (0.0, 35.0, 20.0, 0.0, 0.0, 0.0),
    "late_ina_block": (0.0, 0.0, 0.0, -12.0, 0.0, 0.0),
    "late_ina_agonist": (0.0, 0.0, 0.0, 25.0, 15.0, 0.0),
    "ical_block": (-8.0, 28.0, 0.0, -5.0, 0.0, 0.0),
    "vasodilation": (15.0, 0.0, 0.0, 0.0, 0.0, 0.0),  # by reflex, in sinus rhythm
    "if_block": (-10.0, 2.0, 0.0, 0.0, 0.0, 0.0),
    "beta_block": (-17.0, 10.0, 0.0, 0.0, 0.0, 0.05),
    "beta_agonist": (22.0, -8.0, 0.0, 0.0, 0.0, -0.10),
    "alpha_agonist": (-4.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    "alpha2_agonist": (-15.0, 8.0, 0.0, 0.0, 0.0, 0.0),
    "m2_block": (25.0, -12.0, 0.0, 0.0, 0.0, -0.10),
    "vagolytic": (12.0, -4.0, 0.0, 0.0, 0.0, -0.05),
    "vagal": (-8.0, 12.0, 0.0, 0.0, 0.0, 0.0),
    "vagotonic": (-10.0, 4.0, 0.0, 0.0, 0.0, 0.0),
    "a1_agonist": (-20.0, 60.0, 0.0, 0.0, 0.0, 0.0),
    "na_k_atpase_block": (0.0, 6.0, 0.0, -8.0, -2.0, -0.20),
    "potassium": (0.0, 0.0, 0.0, -8.0, -5.0, 0.20),
}
CHANNELS = tuple(RULES)
RULE_SD = torch.tensor([5.0, 8.0, 3.0, 10.0, 10.0, 0.10], dtype=torch.float64)  # of what one channel does
OWN_SD = torch.tensor(
    [4.0, 6.0, 2.5, 8.0, 8.0, 0.08], dtype=torch.float64
)  # a drug's deviation from its mechanism
BETWEEN_PEOPLE = 0.3  # SD of an effect between people as a share of it; of the trial's four drugs 0.1 to 0.4


@dataclass(frozen=True)
class KnownEffect:
    """Effects (6,) of a drug of that mechanism at its reference exposure, and how surely they are known."""

    mechanism: Mapping[str, float]
    mean: Tensor
    standard_error: Tensor


@dataclass(frozen=True)
class ChannelEffects:
    """What the channels do: mean (channel, 6) and covariance (6, channel, channel), effect by effect."""

    mean: Tensor
    covariance: Tensor

    def expect(self, mechanism: Mapping[str, float]) -> tuple[Tensor, Tensor]:
        """Mean and SD, (6,) each, of the effects of a drug of that mechanism that nobody has measured."""
        share = shares(mechanism)
        variance = torch.einsum("i,eij,j->e", share, self.covariance, share) + OWN_SD**2
        return share @ self.mean, variance.sqrt()

    def learn_drug(self, known: KnownEffect) -> tuple[Tensor, Tensor]:
        """Mean and SD, (6,) each, of a drug's effects, from its mechanism and from what was measured of it.

        The drug must not be among those that the channels were learned from: its trial would count twice.
        """
        mean, sd = self.expect(known.mechanism)
        weight = sd**2 / (sd**2 + known.standard_error**2)
        return mean + weight * (known.mean - mean), sd * (1.0 - weight).sqrt()


def learn_channels(drugs: Sequence[KnownEffect], rules_factor: float = 1.0) -> ChannelEffects:
    """What the channels do, from the rules and from drugs of known effects.

    rules_factor multiplies the rules: 0.5, 2 and -1 are the tests of a prior that is wrong.
    """
    rules = rules_factor * torch.tensor([RULES[name] for name in CHANNELS], dtype=torch.float64)
    if not drugs:
        return ChannelEffects(rules, torch.diag_embed((RULE_SD**2)[:, None].expand(N, len(CHANNELS))))
    share = torch.stack([shares(drug.mechanism) for drug in drugs])
    left = torch.stack([drug.mean for drug in drugs]) - share @ rules
    error = torch.stack([drug.standard_error for drug in drugs])
    means, covariances = [], []
    for effect in range(N):
        weight = 1.0 / (error[:, effect] ** 2 + OWN_SD[effect] ** 2)
        information = share.T @ (weight[:, None] * share) + torch.eye(len(CHANNELS)) / RULE_SD[effect] ** 2
        covariances.append(torch.linalg.inv(information))
        means.append(rules[:, effect] + covariances[-1] @ share.T @ (weight * left[:, effect]))
    return ChannelEffects(torch.stack(means, dim=1), torch.stack(covariances))


def shares(mechanism: Mapping[str, float]) -> Tensor:
    """Block or drive of each channel of CHANNELS, (channel,). What the rules do not know is left out."""
    return torch.tensor([mechanism.get(name, 0.0) for name in CHANNELS], dtype=torch.float64)


def as_profile(mean: Tensor, sd: Tensor, doubt: Tensor) -> EffectProfile:
    """Effects (6,) as a profile."""

    def named(column: Tensor) -> dict[str, float]:
        return dict(zip(EFFECTS, column.tolist(), strict=True))

    return EffectProfile(named(mean), named(sd), named(doubt))


def profile_by_mechanism(mechanism: Mapping[str, float], taught_by: Sequence[KnownEffect]) -> EffectProfile:
    """What is believed of a drug that nobody has measured, from its mechanism and from drugs that were."""
    mean, doubt = learn_channels(taught_by).expect(mechanism)
    return as_profile(mean, (doubt**2 + (BETWEEN_PEOPLE * mean) ** 2).sqrt(), doubt)
