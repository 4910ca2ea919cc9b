"""Stage two: the post-dose ECG that belongs to a response and a rhythm, drawn by the networks.

The patient's own beats and the prior are laid on the rhythm (conditioning.py), encoded, and a latent diffusion
draws the recording. Rows are independent: patients x candidates x samples are one batch.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from threading import Lock

import torch
from torch import Tensor

from worldmodel.conditioning import PatientBeat, join_beats, render_conditions
from worldmodel.denoiser import Denoiser
from worldmodel.diffusion import Denoise, guide
from worldmodel.preprocessing import SAMPLES
from worldmodel.sampling import adams, chebyshev_alpha_bars
from worldmodel.vae import Vae

# Against twelve steps, on eight virtual patients: 3.3 uV RMS, mean intervals within 0.1 ms (0.3 ms under one drug), the
# spread of intervals within 3 %; six steps bring half of that for half as much time again.
SAMPLER_STEPS = 4
# Rows that go through the networks together. On a CPU what they leave behind should stay in its caches: sixteen
# are a third faster than 128. It bounds memory, too.
ROWS_AT_ONCE = {"cpu": 16, "cuda": 512}
Progress = Callable[[float], None]


@dataclass(frozen=True)
class Recipe:
    """What a batch of ECGs is drawn from. Each row may be another patient.

    beat and pre_latent (.., 64, 125) hold a row for each ECG, or one that serves all. response: (batch, 6) in the
    order and units of pharmacology.EFFECTS; r_times_s: (batch, beats), see grid.sample_r_times; noise:
    (batch, 64, 125) standard normal; context: (batch, CONTEXT), see conditioning.context_vector.
    kept (batch, 1, SAMPLES) and added (batch, 8, SAMPLES): beats that are not rendered, see own_rhythm.other_beats.
    """

    beat: PatientBeat
    pre_latent: Tensor
    response: Tensor
    r_times_s: Tensor
    noise: Tensor
    context: Tensor
    kept: Tensor | None = None
    added: Tensor | None = None

    def rows(self, rows: slice) -> "Recipe":
        return Recipe(
            self.beat.rows(rows),
            self.pre_latent if len(self.pre_latent) == 1 else self.pre_latent[rows],
            *(x[rows] for x in (self.response, self.r_times_s, self.noise, self.context)),
            *(None if x is None else x[rows] for x in (self.kept, self.added)),
        )

    def to(self, device: torch.device) -> "Recipe":
        tensors = (self.pre_latent, self.response, self.r_times_s, self.noise, self.context)
        others = (None if x is None else x.to(device) for x in (self.kept, self.added))
        return Recipe(self.beat.to(device), *(x.to(device) for x in tensors), *others)


def join(recipes: Sequence[Recipe]) -> Recipe:
    """The rows of several patients as one batch, in order; measured beats, which have R at the same column."""
    beats = [
        recipe.beat if len(recipe.beat.mv) > 1 else recipe.beat.expand(len(recipe.response))
        for recipe in recipes
    ]
    kept = added = None
    if any(recipe.kept is not None for recipe in recipes):
        kept = torch.cat([_or_rendered(recipe.kept, recipe, 1, 1.0) for recipe in recipes])
        added = torch.cat(
            [_or_rendered(recipe.added, recipe, recipe.beat.mv.shape[1], 0.0) for recipe in recipes]
        )
    longest = max(recipe.r_times_s.shape[1] for recipe in recipes)
    return Recipe(
        join_beats(beats),
        torch.cat([recipe.pre_latent.expand(len(recipe.response), -1, -1) for recipe in recipes]),
        torch.cat([recipe.response for recipe in recipes]),
        torch.cat([_with_beats(recipe.r_times_s, longest) for recipe in recipes]),
        torch.cat([recipe.noise for recipe in recipes]),
        torch.cat([recipe.context for recipe in recipes]),
        kept,
        added,
    )


def _with_beats(r_times_s: Tensor, beats: int) -> Tensor:
    """(batch, beats): beats that nobody sees, at the last interval, so that rows of fewer beats fit to others."""
    rr_s = r_times_s[:, -1:] - r_times_s[:, -2:-1]
    more = torch.arange(1, beats - r_times_s.shape[1] + 1, device=r_times_s.device)
    return torch.cat([r_times_s, r_times_s[:, -1:] + rr_s * more], dim=1)


def _or_rendered(given: Tensor | None, recipe: Recipe, leads: int, value: float) -> Tensor:
    """What is kept of the rendered beats, or added to them; all and nothing, where none are the recording's own."""
    return torch.full((len(recipe.response), leads, SAMPLES), value) if given is None else given


class Renderer:
    """Conditions, encoder, sampler and decoder as one differentiable function.

    Nothing in it is random: the same noise gives the same ECG. Gradients flow from the ECG to every tensor of the
    recipe. Under `torch.no_grad` the memory is that of ROWS_AT_ONCE rows for each core, whatever the batch.
    """

    def __init__(self, vae: Vae, denoiser: Denoiser) -> None:
        self.vae, self.denoiser = vae, denoiser

    @property
    def device(self) -> torch.device:
        """Where the networks are, and the ECGs will be."""
        return self.denoiser.position.device

    def render(self, recipe: Recipe, progress: Progress | None = None, gamma: float = 0.0) -> Tensor:
        """Post-dose ECGs of the eight independent leads in mV, (batch, 8, SAMPLES), on `device`.

        progress is called with the fraction done. gamma: explicit guidance towards the prior (paper, eq. 8), in units
        of normalised latents; 0 leaves the prior to the trained weights, as the paper's algorithm 2 does.
        """
        batch = len(recipe.response)
        on_cores = self.device.type == "cpu" and not torch.is_grad_enabled()
        cores = torch.get_num_threads() if on_cores else 1
        turns = cores * math.ceil(batch / ROWS_AT_ONCE[self.device.type] / cores)
        at_once = math.ceil(batch / turns)
        done = _Tally(batch * SAMPLER_STEPS, progress)

        def some(start: int) -> Tensor:
            rows = recipe.rows(slice(start, start + at_once)).to(self.device)
            return self._render_rows(rows, lambda _: done.add(len(rows.response)), gamma)

        starts = range(0, batch, at_once)
        return torch.cat(_on_cores(some, starts) if on_cores else [some(start) for start in starts])

    def _render_rows(self, recipe: Recipe, progress: Progress, gamma: float) -> Tensor:
        warped, prior = render_conditions(recipe.beat, recipe.response, recipe.r_times_s)
        if recipe.kept is not None and recipe.added is not None:
            warped = warped * recipe.kept + recipe.added
        z_anchor, z_epk = self.vae.encode(torch.cat([warped, prior])).chunk(2)
        conditions = torch.stack([recipe.pre_latent.expand_as(z_anchor), z_anchor, z_epk], dim=1)
        told = self.denoiser.tell(conditions, recipe.context)

        def unguided(z: Tensor, alpha_bar: Tensor) -> Tensor:
            return self.denoiser.denoise(z, alpha_bar, told)

        denoise: Denoise = unguided
        if gamma:
            sd = self.denoiser.residual_sd[:, None]
            denoise = guide(unguided, self.denoiser.residual(z_epk, z_anchor), gamma * sd**2)
        residual = adams(
            denoise,
            recipe.noise,
            chebyshev_alpha_bars(SAMPLER_STEPS),
            progress,
        )
        return self.vae.decode(self.denoiser.next_latent(residual, z_anchor))


class _Tally:
    """Tells `progress` the fraction done as what several threads do adds up."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        self.total, self.progress, self.done = total, progress, 0
        self.lock = Lock()

    def add(self, count: int) -> None:
        with self.lock:
            self.done += count
            if self.progress is not None:
                self.progress(self.done / self.total)


def _on_cores(work: Callable[[int], Tensor], items: Iterable[int]) -> list[Tensor]:
    """Each item by one thread on one core, in order; nothing is kept for gradients.

    Threads of torch wait for each other hundreds of times a step, which on a machine that does something else, too,
    is most of the time; turns of the renderer need not wait for each other. Each has the context variables of the
    caller, by which whoever follows the progress may know where it is.
    """
    threads = torch.get_num_threads()

    def alone(item: int) -> Tensor:
        torch.set_num_threads(1)
        with torch.no_grad():
            return work(item)

    try:
        with ThreadPoolExecutor(threads) as pool:
            turns = [pool.submit(copy_context().run, alone, item) for item in items]
            return [turn.result() for turn in turns]
    finally:
        torch.set_num_threads(threads)
