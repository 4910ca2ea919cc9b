"""How far samples lie apart when the prior is wrong (the paper's fig. 9), by the weight the prior is given."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from torch import Tensor

from worldmodel.denoiser import Denoiser
from worldmodel.ecg import INDEPENDENT_LEADS, LEADS
from worldmodel.evaluation.rivals import anchor_alone, replaced
from worldmodel.evaluation.unseen import Unseen, unseen_patients
from worldmodel.model import WorldModel
from worldmodel.pharmacology import Action

REGIMES = ("healthy", "heavy jitter", "Gaussian latent")
SCALES = (1.0, 0.25, 0.0)
JITTER_STEPS = 3  # latent steps of 80 ms


@dataclass(frozen=True)
class Dispersion:
    """Of the latents of K samples less their anchors: RMS over elements, means over patients.

    pairwise: mean distance of two samples; to_centroid: to their mean; latent_sd: SD over samples and elements.
    """

    regime: str
    scale: float
    pairwise: float
    to_centroid: float
    latent_sd: float


def disperse(model: WorldModel, action: Action, patients: int, k: int, seed: int) -> list[Dispersion]:
    """A row for each regime and scale. The paper does not say what its regimes are; these are ours:

    healthy: the prior as it is; heavy jitter: moved in time by up to JITTER_STEPS latent steps, each sample by its
    own; Gaussian latent: noise in its place. Scale 0.25 and 0 (off) move it towards the anchor. Responses and rhythms
    are the same in all of them and carried by the anchor, which is subtracted: the network's own spread is left.
    """
    people = list(islice(unseen_patients(seed), patients))
    anchors = [_latents(anchor_alone(model), one, action, k, seed) for one in people]
    rows = []
    for regime in REGIMES:
        for scale in SCALES:
            variant = _mistaken(model, regime, scale, seed)
            own = [
                _latents(variant, one, action, k, seed) - a for one, a in zip(people, anchors, strict=True)
            ]
            rows.append(Dispersion(regime, scale, *np.mean([_spread(z) for z in own], axis=0).tolist()))
    return rows


def _mistaken(model: WorldModel, regime: str, scale: float, seed: int) -> WorldModel:
    def predict(of: Denoiser, z: Tensor, alpha_bar: Tensor, conditions: Tensor, context: Tensor) -> Tensor:
        z_k, z_anchor, z_epk = conditions.unbind(1)
        generator = torch.Generator().manual_seed(seed)  # the same mistake at every step of the sampler
        if regime == "heavy jitter":
            moves = torch.randint(-JITTER_STEPS, JITTER_STEPS + 1, (len(z_epk),), generator=generator)
            z_epk = torch.stack([one.roll(int(by), -1) for one, by in zip(z_epk, moves, strict=True)])
        elif regime == "Gaussian latent":
            z_epk = torch.randn(z_epk.shape, generator=generator)
        seen = torch.stack([z_k, z_anchor, z_anchor + scale * (z_epk - z_anchor)], dim=1)
        out: Tensor = of(z, alpha_bar, seen, context)
        return out

    return replaced(model, predict)


@torch.inference_mode()
def _latents(model: WorldModel, one: Unseen, action: Action, k: int, seed: int) -> Tensor:
    """(k, 64, 125) of the simulated ECGs, encoded."""
    samples = model.simulate(one.before, one.measured, [action], one.context, k, seed).samples_mv[0]
    eight = samples[:, [LEADS.index(name) for name in INDEPENDENT_LEADS]]
    return model.vae.encode(torch.from_numpy(np.ascontiguousarray(eight)))


def _spread(z: Tensor) -> Sequence[float]:
    flat = z.flatten(1)
    size = flat.shape[1] ** 0.5
    pairs = torch.pdist(flat).mean() / size
    centred = flat - flat.mean(dim=0)
    return [float(pairs), float(centred.norm(dim=1).mean() / size), float(centred.std())]
