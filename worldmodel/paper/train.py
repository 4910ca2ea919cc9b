"""Training the paper's model: the VAE, which is then frozen, and on its latents denoiser and projection jointly."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from worldmodel.checkpoint import load_tensors, save_tensors, under
from worldmodel.diffusion import Prediction, Weighting, training_loss
from worldmodel.ecg import LEADS
from worldmodel.networks import PAPER
from worldmodel.paper.episodes import sample_episodes
from worldmodel.paper.networks import PaperDenoiser, PaperSize, PaperVae, build_paper_networks
from worldmodel.paper.prior import mean_effects
from worldmodel.pharmacology import Action
from worldmodel.preprocessing import VERSION as PREPROCESSING
from worldmodel.training_run import Report, Run, Stage, choose_device, cosine, half_precision, start_run
from worldmodel.vae import vae_loss

CHUNK = 64


@dataclass(frozen=True)
class PaperPreset:
    """lambda_EPK, batch, epochs, learning rate and annealing are the paper's; weighting: of eq. 28."""

    pairs: int = 19_200
    epochs: int = 200
    batch: int = 64
    learning_rate: float = 5e-4
    energy_lambda: float = 0.25
    weighting: Weighting = "clamped"
    prediction: Prediction = "clean"
    vae_steps: int = 20_000
    network: PaperSize = field(default_factory=PaperSize)


PAPER_PRESETS = {
    "paper": PaperPreset(),
    "paper-noise": PaperPreset(prediction="noise"),
    # Eq. 28 without a clamp: kept because it is what the paper writes, and to show what it does.
    "paper-as-written": PaperPreset(weighting="as written"),
    "paper-gibbs": PaperPreset(weighting="gibbs"),
    # Nothing but plumbing: for tests.
    "paper-tiny": PaperPreset(32, 8, 8, vae_steps=4, network=PaperSize(16, 32, 1, 2)),
}


def train_paper(
    actions: Sequence[Action],
    preset: str,
    out: Path,
    seed: int,
    resume: bool,
    report: Report,
    device: str = "auto",
) -> Path:
    """Train and write `out`/weights.safetensors, which PaperModel loads; as train.train otherwise."""
    settings = PAPER_PRESETS[preset]
    run = start_run(
        out,
        {"preset": preset, "seed": seed, "settings": asdict(settings)},
        choose_device(device),
        resume,
        report,
    )
    header = {
        "model": PAPER,
        "preset": preset,
        "seed": seed,
        "settings": asdict(settings),
        "network": asdict(settings.network),
        "prediction": settings.prediction,
        "leads": LEADS,
        "preprocessing": PREPROCESSING,
        "trained_on": f"virtual trial, {settings.pairs} pre/post pairs, {len(actions)} actions",
        "synthetic": True,
    }
    vae, denoiser = build_paper_networks(header)
    vae.to(run.device)
    denoiser.to(run.device)
    effects = mean_effects(actions)
    _train_vae(vae, actions, effects, settings, run)
    data = _encode_episodes(vae, actions, effects, settings, run)
    trained = _train_denoiser(denoiser, data, settings, run)
    weights = out / "weights.safetensors"
    save_tensors(
        weights, under("vae", vae.state_dict(), half=True) | under("denoiser", trained, half=True), header
    )
    report(f"weights: {weights} ({weights.stat().st_size / 1e6:.1f} MB)")
    return weights


def _train_vae(
    vae: PaperVae, actions: Sequence[Action], effects: Tensor, settings: PaperPreset, run: Run
) -> None:
    generator = run.generator(1)
    stage = Stage(
        run,
        "vae",
        vae,
        settings.vae_steps,
        generator,
        settings.learning_rate,
        1e-4,
        cosine,
        lambda mse: f"rms error {1000 * mse**0.5:.1f} uV",
    )
    for step in range(stage.restore(), settings.vae_steps):
        drawn = sample_episodes(settings.batch // 2, actions, effects, generator)
        x = torch.cat([drawn.before, drawn.after]).to(run.device)
        stage.update(step, *vae_loss(vae, x, generator))
    if not stage.done:
        vae.fit_scale(sample_episodes(CHUNK, actions, effects, generator).after for _ in range(6))
        stage.finish()


@torch.no_grad()
def _encode_episodes(
    vae: PaperVae, actions: Sequence[Action], effects: Tensor, settings: PaperPreset, run: Run
) -> dict[str, Tensor]:
    """z_k, z_next (n, 4, 128), trace (n, PAPER_SAMPLES) and context (n, CONTEXT), made once and kept."""
    path = run.out / "latents.safetensors"
    if path.exists():
        return load_tensors(path)[0]
    generator = run.generator(2)
    chunks = []
    for start in range(0, settings.pairs, CHUNK):
        drawn = sample_episodes(min(CHUNK, settings.pairs - start), actions, effects, generator)
        z_k, z_next = (vae.encode(x.to(run.device)).cpu() for x in (drawn.before, drawn.after))
        chunks.append({"z_k": z_k, "z_next": z_next, "trace": drawn.trace, "context": drawn.context})
    data = {name: torch.cat([chunk[name] for chunk in chunks]) for name in chunks[0]}
    save_tensors(path, data, {})
    return data


def _train_denoiser(
    denoiser: PaperDenoiser, data: dict[str, Tensor], settings: PaperPreset, run: Run
) -> dict[str, Tensor]:
    """Algorithm 1, teacher forcing: z_k is the true one. The energy's gradient reaches the projection, too."""
    generator = run.generator(3)
    per_epoch = settings.pairs // settings.batch
    stage = Stage(
        run,
        "denoiser",
        denoiser,
        settings.epochs * per_epoch,
        generator,
        settings.learning_rate,
        1e-2,
        cosine,
        lambda mse: f"MSE {mse:.4f}",
    )
    for step in range(stage.restore(), stage.steps):
        rows = torch.randint(settings.pairs, (settings.batch,), generator=generator)
        z_k, z_next, trace, context = (
            data[name][rows].to(run.device) for name in ("z_k", "z_next", "trace", "context")
        )
        with half_precision(run.device):
            z_epk = denoiser.z_epk(trace).float()
            loss, mse = training_loss(
                lambda z, a, k=z_k, e=z_epk, c=context: denoiser(z, a, k, e, c).float(),  # type: ignore[misc]
                z_next,
                lambda z: z,
                z_epk,
                settings.energy_lambda,
                settings.weighting,
                generator,
                settings.prediction,
            )
        stage.update(step, loss, mse)
    return stage.finish()
