"""What the energy's weight does to a network: short trainings that differ in it alone, on the same latents."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from worldmodel.checkpoint import (
    load_tensors,
    optimiser_tensors,
    part,
    restore_optimiser,
    save_tensors,
    under,
)
from worldmodel.conditioning import CONTEXT
from worldmodel.denoiser import Denoiser
from worldmodel.diffusion import ENERGY_EPS, add_noise, cosine_alpha_bars
from worldmodel.errors import WorldModelError
from worldmodel.pharmacology import Action
from worldmodel.sampling import dpmpp_2m, karras_alpha_bars
from worldmodel.train import encode_transitions
from worldmodel.vae import Vae
from worldmodel.virtual.trial import sample_transitions

PAIRS, HELD_OUT, CHUNK = 480, 48, 48
BATCH = 16
WIDTH, DEPTH, HEADS = 64, 3, 4  # a small network, so that four of them take minutes
LEARNING_RATE = 1e-3
SAVE_EVERY = 50
SAMPLER_STEPS = 14


@dataclass(frozen=True)
class Weighting:
    """lambda_EPK and the largest w_tau; as written (eq. 28) it reaches 1 / ENERGY_EPS."""

    name: str
    energy_lambda: float
    largest: float = 1.0 / ENERGY_EPS


WEIGHTINGS = (
    Weighting("no energy", 0.0),
    Weighting("0.05, clamped at 5", 0.05, 5.0),
    Weighting("0.25, clamped at 5", 0.25, 5.0),
    Weighting("0.25 as written", 0.25),
)


@dataclass(frozen=True)
class Pairs:
    """Encoded transitions: target (n, 64, 125), conditions (n, 3, 64, 125), context (n, CONTEXT)."""

    target: Tensor
    conditions: Tensor
    context: Tensor


@dataclass(frozen=True)
class Distances:
    """Mean squares per element, from sampled next latents of held-out pairs to truth, prior and anchor."""

    to_truth: float
    to_prior: float
    to_anchor: float


@torch.no_grad()
def encode_pairs(vae: Vae, actions: Sequence[Action], seed: int, pairs: int = PAIRS) -> Pairs:
    """Pairs of the virtual trial through the frozen VAE."""
    generator = torch.Generator().manual_seed(10_000 * seed + 7)
    target, conditions, context = [], [], []
    for _ in range(0, pairs, CHUNK):
        trial = sample_transitions(CHUNK, actions, generator)
        z_next, z_conditions = encode_transitions(vae, trial)
        target.append(z_next)
        conditions.append(z_conditions)
        context.append(trial.context)
    return Pairs(torch.cat(target), torch.cat(conditions), torch.cat(context))


def train_weighted(
    pairs: Pairs, weighting: Weighting, steps: int, path: Path, seed: int, report: Callable[[str], None]
) -> Denoiser:
    """A denoiser after `steps`; goes on from `path` where it holds a part of the same run. Raises WorldModelError."""
    torch.manual_seed(seed)
    denoiser = Denoiser(CONTEXT, WIDTH, DEPTH, HEADS)
    denoiser.fit_scale(pairs.target, pairs.conditions[:, 1])
    optimiser = torch.optim.AdamW(denoiser.parameters(), lr=LEARNING_RATE, weight_decay=1e-3)
    generator = torch.Generator().manual_seed(seed)
    run = {"weighting": weighting.name, "steps": steps, "seed": seed}
    for step in range(_restore(path, run, denoiser, optimiser, generator), steps):
        rows = torch.randint(len(pairs.target), (BATCH,), generator=generator)
        loss = _loss(denoiser, pairs, rows, weighting, generator)
        for group in optimiser.param_groups:
            warm = min(1.0, (step + 1) / 50)
            group["lr"] = LEARNING_RATE * warm * (0.02 + 0.49 * (1 + math.cos(math.pi * step / steps)))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(denoiser.parameters(), 1.0)
        optimiser.step()
        if (step + 1) % SAVE_EVERY == 0 or step + 1 == steps:
            tensors = under("model", denoiser.state_dict()) | under("optimiser", optimiser_tensors(optimiser))
            save_tensors(path, tensors | {"generator": generator.get_state()}, {**run, "step": step + 1})
            report(f"{weighting.name}: {step + 1}/{steps} loss {float(loss.detach()):.3g}")
    return denoiser.eval()


@torch.inference_mode()
def measure_distances(denoiser: Denoiser, held_out: Pairs, seed: int) -> Distances:
    """Sampled from the noise of one seed, so that networks are compared on the same noise."""
    noise = torch.randn(held_out.target.shape, generator=torch.Generator().manual_seed(seed))
    residual = dpmpp_2m(
        lambda z, alpha_bar: denoiser(z, alpha_bar, held_out.conditions, held_out.context),
        noise,
        karras_alpha_bars(SAMPLER_STEPS),
    )
    anchor, prior = held_out.conditions[:, 1], held_out.conditions[:, 2]
    sampled = denoiser.next_latent(residual, anchor)
    return Distances(*(float((sampled - other).pow(2).mean()) for other in (held_out.target, prior, anchor)))


def _loss(
    denoiser: Denoiser, pairs: Pairs, rows: Tensor, weighting: Weighting, generator: torch.Generator
) -> Tensor:
    """Eq. 30 in clean-prediction, its w_tau (eq. 28) clamped at `largest`; the prior from the frozen encoder."""
    conditions = pairs.conditions[rows]
    residual = denoiser.residual(pairs.target[rows], conditions[:, 1])
    levels = cosine_alpha_bars().float()
    alpha_bar = levels[torch.randint(len(levels), (len(rows),), generator=generator)]
    noise = torch.randn(residual.shape, generator=generator)
    predicted = denoiser(add_noise(residual, alpha_bar, noise), alpha_bar, conditions, pairs.context[rows])
    data = (predicted - residual).pow(2).flatten(1).mean(1)
    energy = (denoiser.next_latent(predicted, conditions[:, 1]) - conditions[:, 2]).pow(2).flatten(1).mean(1)
    weight = (1.0 / ((1.0 - alpha_bar) + ENERGY_EPS)).clamp(max=weighting.largest)
    loss: Tensor = (data + weighting.energy_lambda * weight * energy).mean()
    return loss


def _restore(
    path: Path,
    run: Mapping[str, object],
    denoiser: Denoiser,
    optimiser: torch.optim.Optimizer,
    generator: torch.Generator,
) -> int:
    """The steps that are done."""
    if not path.exists():
        return 0
    tensors, header = load_tensors(path)
    if any(header.get(key) != value for key, value in run.items()):
        raise WorldModelError(f"{path} is of another run than {run}.", "Choose another folder with --out.")
    denoiser.load_state_dict(part(tensors, "model"))
    restore_optimiser(optimiser, part(tensors, "optimiser"))
    generator.set_state(tensors["generator"])
    return int(header["step"])
