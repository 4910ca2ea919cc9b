"""Training on the virtual trial: first the VAE, then, on its latents, the denoiser.

Everything is drawn from one seed. A run writes checkpoints into its folder and picks up from the newest one.
"""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from worldmodel.checkpoint import load_tensors, save_tensors, under
from worldmodel.conditioning import CONTEXT, render_conditions
from worldmodel.denoiser import Denoiser
from worldmodel.diffusion import Weighting, training_loss
from worldmodel.errors import RequestError
from worldmodel.networks import TWO_STAGE, NetworkSize
from worldmodel.pharmacology import Action
from worldmodel.preprocessing import VERSION as PREPROCESSING
from worldmodel.recordings import draw_windows
from worldmodel.training_run import (
    Report,
    Run,
    Stage,
    choose_device,
    half_precision,
    start_run,
    warm_cosine,
)
from worldmodel.vae import Vae, vae_loss
from worldmodel.virtual.trial import Transitions, sample_transitions

DATASET_CHUNK = 48
SCALE_PAIRS = 4800  # are enough to tell the spread of the residual


@dataclass(frozen=True)
class Preset:
    """What one training run does. energy_lambda and weighting: see diffusion.energy_weight."""

    vae_steps: int
    vae_batch: int
    pairs: int
    denoiser_steps: int
    denoiser_batch: int
    learning_rate: float
    vae_learning_rate: float = 5e-4
    # The weight of eq. 28 takes away the samples' spread, which is what the score needs, even clamped; in this one
    # lambda is the gamma of p_theta exp(-gamma E), per element of the latent.
    energy_lambda: float = 0.05
    weighting: Weighting = "gibbs"
    network: NetworkSize = field(default_factory=NetworkSize)


PRESETS = {
    # Two cores, less than an hour.
    "small": Preset(300, 24, 4000, 2500, 24, 1e-3),
    # One GPU; the largest network whose weights stay under 16 MB. On a CPU it runs as well, for days.
    "base": Preset(4000, 96, 40_000, 40_000, 96, 6e-4, network=NetworkSize(3, 256, 6, 8)),
    # Minutes of nothing but plumbing: for tests.
    "tiny": Preset(4, 8, 16, 4, 8, 8e-4, network=NetworkSize(1, 32, 1, 2)),
}


def train(
    actions: Sequence[Action],
    preset: str,
    out: Path,
    seed: int,
    resume: bool,
    report: Report,
    device: str = "auto",
    recordings: Tensor | None = None,
) -> Path:
    """Train a world model and write `out`/weights.safetensors; returns its path.

    actions: what the virtual trial gives, with the hours at which it looks. recordings: real windows (n, 8, SAMPLES),
    a quarter of what the VAE sees. With `resume` a run in `out` goes on from its checkpoints; without it, `out` must
    hold none. device: "auto", "cuda" or "cpu". Raises RequestError, WorldModelError.
    """
    if preset not in PRESETS:
        raise RequestError(f"There is no preset {preset!r}.", f"Presets: {', '.join(PRESETS)}.")
    settings = PRESETS[preset]
    started = time.monotonic()
    real = 0 if recordings is None else len(recordings)
    identity = {"preset": preset, "seed": seed, "recordings": real, "settings": asdict(settings)}
    run = start_run(out, identity, choose_device(device), resume, report)
    size = settings.network
    vae = Vae(size.vae_blocks).to(run.device)
    denoiser = Denoiser(CONTEXT, size.width, size.depth, size.heads).to(run.device)
    _train_vae(vae, actions, settings, recordings, run)
    latents = _encode_pairs(vae, actions, settings, run)
    average = _train_denoiser(denoiser, latents, settings, run)
    weights = out / "weights.safetensors"
    header = {
        "model": TWO_STAGE,
        "preset": preset,
        "seed": seed,
        "settings": asdict(settings),
        "network": asdict(size),
        "preprocessing": PREPROCESSING,
        "trained_on": f"virtual trial, {settings.pairs} pre/post pairs, {len(actions)} actions"
        + (f"; VAE also on {real} real windows" if real else ""),
        "synthetic": True,  # also with real recordings: no real effect of a drug was in it
    }
    save_tensors(
        weights, under("vae", vae.state_dict(), half=True) | under("denoiser", average, half=True), header
    )
    report(
        f"weights: {weights} ({weights.stat().st_size / 1e6:.1f} MB) after {time.monotonic() - started:.0f} s"
    )
    return weights


def _train_vae(
    vae: Vae, actions: Sequence[Action], settings: Preset, recordings: Tensor | None, run: Run
) -> None:
    """Train in place on recordings, warped beats and priors alike, since the VAE will encode all three.

    In single precision everywhere: bf16 resolves 4 uV at 1 mV.
    """
    generator = run.generator(1)
    stage = Stage(
        run,
        "vae",
        vae,
        settings.vae_steps,
        generator,
        settings.vae_learning_rate,
        1e-4,
        warm_cosine,
        lambda mse: f"rms error {1000 * mse**0.5:.1f} uV",
    )
    start = stage.restore()
    if start == 0:
        first = [sample_transitions(DATASET_CHUNK, actions, generator).after for _ in range(4)]
        if recordings is not None:
            first.append(draw_windows(recordings, DATASET_CHUNK, generator))
        vae.start_from_patches(torch.cat(first).to(run.device))
    rows = max(2, settings.vae_batch // 4)
    for step in range(start, settings.vae_steps):
        trial = sample_transitions(rows, actions, generator)
        x = [trial.before, trial.after, *render_conditions(trial.beat, trial.response, trial.r_times_s)]
        if recordings is not None:
            x.append(draw_windows(recordings, 4 * rows // 3, generator))
        loss, mse = vae_loss(vae, torch.cat(x).to(run.device), generator)
        stage.update(step, loss, mse)
    if not stage.done:
        vae.fit_scale(sample_transitions(DATASET_CHUNK, actions, generator).after for _ in range(6))
        stage.finish()


@dataclass(frozen=True)
class _Latents:
    """Encoded pairs, float16: target (n, 64, 125), conditions (n, 3, 64, 125); context (n, CONTEXT) float32."""

    target: Tensor
    conditions: Tensor
    context: Tensor


@torch.no_grad()
def encode_transitions(vae: Vae, trial: Transitions) -> tuple[Tensor, Tensor]:
    """Target latent and conditions (z_k, z_anchor, z_epk) of a batch of transitions, on the device of the VAE."""
    warped, prior = render_conditions(trial.beat, trial.response, trial.r_times_s)
    x = torch.cat([trial.after, trial.before, warped, prior])
    z = vae.encode(x.to(vae.latent_mean.device)).chunk(4)
    return z[0], torch.stack(z[1:], dim=1)


def _encode_pairs(vae: Vae, actions: Sequence[Action], settings: Preset, run: Run) -> _Latents:
    """The training set in latent space, made once and kept in the run's folder."""
    path = run.out / "latents.safetensors"
    if path.exists():
        tensors, _ = load_tensors(path)
        return _Latents(tensors["target"], tensors["conditions"], tensors["context"])
    generator = run.generator(2)
    targets, conditions, contexts = [], [], []
    for start in range(0, settings.pairs, DATASET_CHUNK):
        trial = sample_transitions(min(DATASET_CHUNK, settings.pairs - start), actions, generator)
        target, condition = encode_transitions(vae, trial)
        targets.append(target.half().cpu())
        conditions.append(condition.half().cpu())
        contexts.append(trial.context)
        if (start // DATASET_CHUNK) % 20 == 0:
            run.report(f"pairs {start}/{settings.pairs}")
    latents = _Latents(torch.cat(targets), torch.cat(conditions), torch.cat(contexts))
    save_tensors(path, asdict(latents), {})
    return latents


def _train_denoiser(denoiser: Denoiser, latents: _Latents, settings: Preset, run: Run) -> dict[str, Tensor]:
    """Train and return the moving average of the weights."""
    some = slice(0, SCALE_PAIRS)
    denoiser.fit_scale(latents.target[some].float(), latents.conditions[some, 1].float())
    generator = run.generator(3)
    stage = Stage(
        run,
        "denoiser",
        denoiser,
        settings.denoiser_steps,
        generator,
        settings.learning_rate,
        1e-3,
        warm_cosine,
        lambda mse: f"residual MSE {mse:.4f}",
        ema=min(0.999, 1.0 - 10.0 / (settings.denoiser_steps + 10)),
    )
    for step in range(stage.restore(), settings.denoiser_steps):
        rows = torch.randint(len(latents.target), (settings.denoiser_batch,), generator=generator)
        conditions = latents.conditions[rows].to(run.device).float()
        context = latents.context[rows].to(run.device)
        target = latents.target[rows].to(run.device).float()
        with half_precision(run.device):
            loss, data = training_loss(
                lambda z, a, c=conditions, e=context: denoiser(z, a, c, e).float(),  # type: ignore[misc]
                denoiser.residual(target, conditions[:, 1]),
                lambda r, a=conditions[:, 1]: denoiser.next_latent(r, a),  # type: ignore[misc]
                conditions[:, 2],
                settings.energy_lambda,
                settings.weighting,
                generator,
            )
        stage.update(step, loss, data)
    return stage.finish()
