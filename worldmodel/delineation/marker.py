"""The marker: a small network that marks P, QRS and T on the beat of each lead, seeing the other leads as well.

It gives for each lead and each mark a probability over time, not a number: the mark is its mean, and its spread
says how sure it is. Time is only rescaled and the beat of each lead divided by its own QRS height, so a change
of amplitude moves no mark. Trained by marker_training.py on human marks and on made beats.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 (its usual name)

from worldmodel.checkpoint import load_tensors, part

MARKED = ("p_on", "p_peak", "p_off", "qrs_on", "qrs_off", "t_peak", "t_end")
STEP_MS = 4.0
START_MS = -400.0  # of the window, relative to R
STEPS = 300
LEADS = 12
FOLDS = 5
WEIGHTS = Path(__file__).parents[1] / "weights" / "marker.safetensors"
_CHANNELS = (24, 40, 56)
_INPUTS = 4
_AROUND = 10  # steps about the likeliest one that count for the mean: what lies beyond is another wave


@dataclass(frozen=True)
class LeadMarks:
    """Of a batch of beats. marks_ms, spread_ms: (beat, 12, MARKED) relative to R; p, t: (beat, 12) probabilities
    that the lead shows the wave."""

    marks_ms: Tensor
    spread_ms: Tensor
    p: Tensor
    t: Tensor


class Marker(nn.Module):
    """Beats (beat, 12, STEPS) in mV and which leads count -> log-probabilities over time, and of P and T.

    A U-net over time, the same for every lead; on each level every lead also gets the mean over the good ones.
    """

    def __init__(self) -> None:
        super().__init__()
        first = _CHANNELS[0]
        self.stem = nn.Conv1d(_INPUTS, first, 9, stride=2, padding=4)
        self.down = nn.ModuleList(
            _Block(a, b) for a, b in zip((first, *_CHANNELS[:-1]), _CHANNELS, strict=True)
        )
        self.share = nn.ModuleList(nn.Conv1d(c, c, 1) for c in _CHANNELS)
        self.lift = nn.ModuleList(nn.Conv1d(b, a, 1) for a, b in pairwise(_CHANNELS))
        self.up = nn.ModuleList(_Block(c, c) for c in _CHANNELS[:-1])
        self.where = nn.Conv1d(first, 2 * len(MARKED), 5, padding=2)  # two steps for each column of half rate
        self.whether = nn.Linear(2 * _CHANNELS[-1], 2)

    def forward(self, beats_mv: Tensor, good: Tensor) -> tuple[Tensor, Tensor]:
        """good: (beat, 12) of 0 and 1. Returns (beat, 12, MARKED, STEPS) logits over time, (beat, 12, 2) of P, T."""
        batch = beats_mv.shape[0]
        h = F.silu(self.stem(_inputs(beats_mv).flatten(0, 1)))
        levels = []
        for depth, (block, share) in enumerate(zip(self.down, self.share, strict=True)):
            h = block(F.avg_pool1d(h, 2, ceil_mode=True) if depth else h)
            by_lead = h.unflatten(0, (batch, LEADS))
            mean = (by_lead * good[:, :, None, None]).sum(1) / good.sum(1)[:, None, None].clamp(min=1)
            h = (by_lead + share(mean)[:, None]).flatten(0, 1)
            levels.append(h)
        whether = self.whether(torch.cat([h.mean(-1), h.amax(-1)], 1)).unflatten(0, (batch, LEADS))
        for depth in (1, 0):
            skip = levels[depth]
            h = F.interpolate(self.lift[depth](h), size=skip.shape[-1], mode="linear", align_corners=False)
            h = self.up[depth](h + skip)
        where = self.where(h).unflatten(1, (len(MARKED), 2)).transpose(-1, -2).flatten(-2)
        return where.unflatten(0, (batch, LEADS)), whether


class _Block(nn.Module):
    def __init__(self, channels_in: int, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv1d(channels_in, channels, 5, padding=2)
        self.second = nn.Conv1d(channels, channels, 5, padding=2)
        self.norm = nn.GroupNorm(4, channels)

    def forward(self, x: Tensor) -> Tensor:
        h = F.silu(self.first(x))
        return F.silu(self.norm(self.second(h) + h))


def _inputs(beats_mv: Tensor) -> Tensor:
    """(..., STEPS) mV -> (..., 4, STEPS): the beat over its QRS height, small waves enlarged by a square root, its
    slope likewise, and time."""
    qrs = beats_mv[..., 70:130]  # 120 ms to either side of R
    beat = beats_mv / (qrs.amax(-1) - qrs.amin(-1)).clamp(min=1e-6)[..., None]
    slope = 4 * torch.diff(beat, dim=-1, prepend=beat[..., :1])
    time = torch.linspace(-1, 1, STEPS).expand_as(beat)
    return torch.stack([beat, _root(beat), _root(slope), time], dim=-2)


def _root(x: Tensor) -> Tensor:
    return torch.sign(x) * torch.sqrt(x.abs() + 1e-4)


def read_marks(where: Tensor, whether: Tensor) -> LeadMarks:
    """Mean and SD of each mark about its likeliest time."""
    p = torch.softmax(where, -1)
    smooth = F.avg_pool1d(p.flatten(0, -2)[:, None], 7, 1, 3)[:, 0].view_as(p)
    steps = torch.arange(STEPS)
    near = p * ((steps - smooth.argmax(-1, keepdim=True)).abs() <= _AROUND)
    total = near.sum(-1)
    mean = (near * steps).sum(-1) / total
    spread = ((near * (steps - mean[..., None]) ** 2).sum(-1) / total).sqrt()
    p_there, t_there = torch.sigmoid(whether).unbind(-1)
    return LeadMarks(START_MS + STEP_MS * mean, STEP_MS * spread, p_there, t_there)


@torch.no_grad()
def mark_beats(markers: Sequence[Marker], beats_mv: Tensor, good: Tensor) -> LeadMarks:
    """Marks by one marker, or by the mean of several. beats_mv: (beat, 12, STEPS), good: (beat, 12)."""
    outputs = [marker(beats_mv, good) for marker in markers]
    where = torch.stack([torch.log_softmax(where, -1) for where, _ in outputs]).mean(0)
    return read_marks(where, torch.stack([whether for _, whether in outputs]).mean(0))


@cache
def shipped_marker(name: str = "all") -> Marker:
    """The marker whose weights come with the package; `fold0` ... have not seen that fold. Raises WeightsError."""
    tensors, _ = load_tensors(WEIGHTS)
    marker = Marker()
    marker.load_state_dict(part(tensors, name))
    return marker.eval()


def unseen_marker(origin: str, recording: str) -> Marker:
    """The shipped marker, or where it has learned from this recording of the set `origin`, one that has not."""
    _, header = load_tensors(WEIGHTS)
    learned = header["set"] == origin and recording in header["recordings"]
    return shipped_marker(f"fold{fold_of(recording)}") if learned else shipped_marker()


def fold_of(recording: str) -> int:
    """Which of FOLDS a recording is left out of, by its name alone, so that any part of a set gives the same folds."""
    return int(sha256(recording.encode()).hexdigest(), 16) % FOLDS
