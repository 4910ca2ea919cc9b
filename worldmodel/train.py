"""Training on the virtual trial: first the VAE, then, on its latents, the denoiser.

Everything is drawn from one seed. A run writes checkpoints into its folder and picks up from the newest one.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from worldmodel.checkpoint import (
    load_tensors,
    optimiser_tensors,
    part,
    restore_optimiser,
    save_tensors,
    under,
)
from worldmodel.conditioning import CONTEXT, render_conditions
from worldmodel.denoiser import Denoiser
from worldmodel.diffusion import training_loss
from worldmodel.errors import WorldModelError
from worldmodel.pharmacology import Action
from worldmodel.preprocessing import VERSION as PREPROCESSING
from worldmodel.vae import Vae, vae_loss
from worldmodel.virtual.trial import Transitions, sample_transitions

Report = Callable[[str], None]
SAVE_EVERY_S = 60.0
REPORT_EVERY = 50
DATASET_CHUNK = 48
VAE_LEARNING_RATE = 5e-4


@dataclass(frozen=True)
class Preset:
    """What one training run does. energy_lambda and largest_weight: see diffusion.training_loss."""

    vae_steps: int
    vae_batch: int
    pairs: int
    denoiser_steps: int
    denoiser_batch: int
    learning_rate: float
    energy_lambda: float
    largest_weight: float


PRESETS = {
    # The energy is kept small: clamped at 5 with the paper's 0.25 it is known to leave the mean effect alone but to
    # take away more than half of the samples' spread, which is what the score needs.
    "small": Preset(300, 24, 4800, 2500, 24, 1e-3, energy_lambda=0.05, largest_weight=5.0),
    # Minutes of nothing but plumbing: for tests.
    "tiny": Preset(4, 8, 16, 4, 8, 8e-4, energy_lambda=0.05, largest_weight=5.0),
}


def train(actions: Sequence[Action], preset: str, out: Path, seed: int, resume: bool, report: Report) -> Path:
    """Train a world model and write `out`/weights.safetensors; returns its path.

    actions: what the virtual trial gives, with the hours at which it looks. With `resume` a run in `out` goes on
    from its checkpoints; without it, `out` must hold none. Raises WorldModelError.
    """
    if preset not in PRESETS:
        raise WorldModelError(f"There is no preset {preset!r}.", f"Presets: {', '.join(PRESETS)}.")
    if not resume and any(out.glob("*.checkpoint.safetensors")):
        raise WorldModelError(
            f"{out} already holds a run.", "Add --resume to go on with it, or choose another folder."
        )
    settings = PRESETS[preset]
    started = time.monotonic()
    torch.manual_seed(seed)
    vae = Vae()
    denoiser = Denoiser(CONTEXT)
    _train_vae(vae, actions, settings, out, seed, report)
    latents = _encode_pairs(vae, actions, settings, out, seed, report)
    average = _train_denoiser(denoiser, latents, settings, out, seed, report)
    weights = out / "weights.safetensors"
    header = {
        "preset": preset,
        "seed": seed,
        "settings": asdict(settings),
        "preprocessing": PREPROCESSING,
        "trained_on": f"virtual trial, {settings.pairs} pre/post pairs, {len(actions)} actions",
        "synthetic": True,
    }
    save_tensors(
        weights, under("vae", vae.state_dict(), half=True) | under("denoiser", average, half=True), header
    )
    report(
        f"weights: {weights} ({weights.stat().st_size / 1e6:.1f} MB) after {time.monotonic() - started:.0f} s"
    )
    return weights


def _generator(seed: int, stage: int) -> torch.Generator:
    return torch.Generator().manual_seed(1000 * seed + stage)


def _cosine(step: int, steps: int) -> float:
    """Learning-rate factor: 100 steps of warm-up, then a cosine to 2 %."""
    return min(1.0, (step + 1) / 100) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / steps)))


def _train_vae(
    vae: Vae, actions: Sequence[Action], settings: Preset, out: Path, seed: int, report: Report
) -> None:
    """Train in place on recordings, warped beats and priors alike, since the VAE will encode all three."""
    optimiser = torch.optim.AdamW(vae.parameters(), lr=VAE_LEARNING_RATE, weight_decay=1e-4)
    generator = _generator(seed, 1)
    checkpoint = _Checkpoint(out / "vae.checkpoint.safetensors", vae, optimiser, generator)
    start = checkpoint.restore()
    if start == 0:
        vae.start_from_patches(
            torch.cat([sample_transitions(DATASET_CHUNK, actions, generator).after for _ in range(4)])
        )
    for step in range(start, settings.vae_steps):
        trial = sample_transitions(max(2, settings.vae_batch // 4), actions, generator)
        warped, prior = render_conditions(trial.beat, trial.response, trial.r_times_s)
        x = torch.cat([trial.before, trial.after, warped, prior])
        loss, mse = vae_loss(vae, x, generator)
        _update(vae, optimiser, loss, VAE_LEARNING_RATE * _cosine(step, settings.vae_steps))
        if (step + 1) % REPORT_EVERY == 0:
            report(f"vae {step + 1}/{settings.vae_steps} rms error {1000 * mse.sqrt():.1f} uV")
        checkpoint.save_when_due(step + 1)
    if start < settings.vae_steps:
        _fit_scale(vae, actions, generator)
        checkpoint.save(settings.vae_steps)


@torch.no_grad()
def _fit_scale(vae: Vae, actions: Sequence[Action], generator: torch.Generator) -> None:
    """Mean and SD of each latent channel over a few hundred recordings."""
    vae.latent_mean.zero_()
    vae.latent_sd.fill_(1.0)
    z = torch.cat([vae.encode(sample_transitions(DATASET_CHUNK, actions, generator).after) for _ in range(6)])
    vae.latent_mean.copy_(z.mean(dim=(0, 2)))
    vae.latent_sd.copy_(z.std(dim=(0, 2)).clamp(min=1e-3))


@dataclass(frozen=True)
class _Latents:
    """Encoded pairs, float16: target (n, 64, 125), conditions (n, 3, 64, 125); context (n, CONTEXT) float32."""

    target: Tensor
    conditions: Tensor
    context: Tensor


@torch.no_grad()
def encode_transitions(vae: Vae, trial: Transitions) -> tuple[Tensor, Tensor]:
    """Target latent and conditions (z_k, z_anchor, z_epk) of a batch of transitions."""
    warped, prior = render_conditions(trial.beat, trial.response, trial.r_times_s)
    z = vae.encode(torch.cat([trial.after, trial.before, warped, prior])).chunk(4)
    return z[0], torch.stack(z[1:], dim=1)


def _encode_pairs(
    vae: Vae, actions: Sequence[Action], settings: Preset, out: Path, seed: int, report: Report
) -> _Latents:
    """The training set in latent space, made once and kept in the run's folder."""
    path = out / "latents.safetensors"
    if path.exists():
        tensors, _ = load_tensors(path)
        return _Latents(tensors["target"], tensors["conditions"], tensors["context"])
    generator = _generator(seed, 2)
    targets, conditions, contexts = [], [], []
    for start in range(0, settings.pairs, DATASET_CHUNK):
        trial = sample_transitions(min(DATASET_CHUNK, settings.pairs - start), actions, generator)
        target, condition = encode_transitions(vae, trial)
        targets.append(target.half())
        conditions.append(condition.half())
        contexts.append(trial.context)
        if (start // DATASET_CHUNK) % 20 == 0:
            report(f"pairs {start}/{settings.pairs}")
    latents = _Latents(torch.cat(targets), torch.cat(conditions), torch.cat(contexts))
    save_tensors(path, asdict(latents), {})
    return latents


def _train_denoiser(
    denoiser: Denoiser, latents: _Latents, settings: Preset, out: Path, seed: int, report: Report
) -> dict[str, Tensor]:
    """Train and return the moving average of the weights."""
    denoiser.fit_scale(latents.target.float(), latents.conditions[:, 1].float())
    decay = min(0.999, 1.0 - 10.0 / (settings.denoiser_steps + 10))
    average = AveragedModel(denoiser, multi_avg_fn=get_ema_multi_avg_fn(decay))  # type: ignore[no-untyped-call]
    optimiser = torch.optim.AdamW(denoiser.parameters(), lr=settings.learning_rate, weight_decay=1e-3)
    generator = _generator(seed, 3)
    both = torch.nn.ModuleDict({"now": denoiser, "average": average})
    checkpoint = _Checkpoint(out / "denoiser.checkpoint.safetensors", both, optimiser, generator)
    running = 0.0
    for step in range(checkpoint.restore(), settings.denoiser_steps):
        rows = torch.randint(len(latents.target), (settings.denoiser_batch,), generator=generator)
        conditions = latents.conditions[rows].float()
        context = latents.context[rows]
        loss, data = training_loss(
            lambda z, a, c=conditions, e=context: denoiser(z, a, c, e),  # type: ignore[misc]
            denoiser.residual(latents.target[rows].float(), conditions[:, 1]),
            lambda r, a=conditions[:, 1]: denoiser.next_latent(r, a),  # type: ignore[misc]
            conditions[:, 2],
            settings.energy_lambda,
            settings.largest_weight,
            generator,
        )
        _update(denoiser, optimiser, loss, settings.learning_rate * _cosine(step, settings.denoiser_steps))
        average.update_parameters(denoiser)
        running += float(data)
        if (step + 1) % REPORT_EVERY == 0:
            report(f"denoiser {step + 1}/{settings.denoiser_steps} residual MSE {running / REPORT_EVERY:.4f}")
            running = 0.0
        checkpoint.save_when_due(step + 1)
    checkpoint.save(settings.denoiser_steps)
    return dict(average.module.state_dict())


def _update(model: torch.nn.Module, optimiser: torch.optim.Optimizer, loss: Tensor, rate: float) -> None:
    for group in optimiser.param_groups:
        group["lr"] = rate
    optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimiser.step()


class _Checkpoint:
    """Model, optimiser, random state and step of one stage, in one file."""

    def __init__(
        self, path: Path, model: torch.nn.Module, optimiser: torch.optim.Optimizer, generator: torch.Generator
    ) -> None:
        self.path, self.model, self.optimiser, self.generator = path, model, optimiser, generator
        self.saved_at = time.monotonic()

    def restore(self) -> int:
        """Load the file if there is one; returns the number of steps done."""
        if not self.path.exists():
            return 0
        tensors, header = load_tensors(self.path)
        self.model.load_state_dict(part(tensors, "model"))
        restore_optimiser(self.optimiser, part(tensors, "optimiser"))
        self.generator.set_state(tensors["generator"])
        return int(header["step"])

    def save(self, step: int) -> None:
        tensors = under("model", self.model.state_dict()) | under(
            "optimiser", optimiser_tensors(self.optimiser)
        )
        save_tensors(self.path, tensors | {"generator": self.generator.get_state()}, {"step": step})
        self.saved_at = time.monotonic()

    def save_when_due(self, step: int) -> None:
        if time.monotonic() - self.saved_at > SAVE_EVERY_S:
            self.save(step)
