"""The marker: a small network that marks P, QRS and T on the beat of each lead, seeing the other leads as well.

It gives for each lead and each mark a probability over time, not a number: the mark is its mean, and its spread
says how sure it is. The beat of each lead is divided by its own QRS height, so a change of gain moves no mark.
Trained by marker_training.py on human marks and on made beats.
"""

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
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
    """Of beats, or with one axis less of one. marks_ms, spread_ms: (beat, 12, MARKED) relative to R; certain:
    likewise, how probable it is that the mark is near there at all; p, t: (beat, 12) probabilities that the lead
    shows the wave."""

    marks_ms: NDArray[np.float64]
    spread_ms: NDArray[np.float64]
    certain: NDArray[np.float64]
    p: NDArray[np.float64]
    t: NDArray[np.float64]

    def of(self, beat: int) -> "LeadMarks":
        """One beat."""
        return LeadMarks(*(part[beat] for part in vars(self).values()))


class Marker(nn.Module):
    """Beats (beat, 12, STEPS) in mV and which leads count -> log-probabilities over time, and of P and T.

    A U-net over time, the same for every lead; on each level every lead also gets the mean over the good ones.
    Inside, tensors are (beat x lead, channel, 1, time): two-dimensional convolutions on channels that lie last in
    memory take little more than half the time of one-dimensional ones.
    """

    def __init__(self) -> None:
        super().__init__()
        first = _CHANNELS[0]
        self.stem = nn.Conv2d(_INPUTS, first, (1, 9), stride=(1, 2), padding=(0, 4))
        self.down = nn.ModuleList(
            _Block(a, b) for a, b in zip((first, *_CHANNELS[:-1]), _CHANNELS, strict=True)
        )
        self.share = nn.ModuleList(nn.Conv2d(c, c, 1) for c in _CHANNELS)
        self.lift = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in pairwise(_CHANNELS))
        self.up = nn.ModuleList(_Block(c, c) for c in _CHANNELS[:-1])
        self.where = nn.Conv2d(first, 2 * len(MARKED), (1, 5), padding=(0, 2))  # two steps for each column
        self.whether = nn.Linear(2 * _CHANNELS[-1], 2)

    def forward(self, beats_mv: Tensor, good: Tensor) -> tuple[Tensor, Tensor]:
        """good: (beat, 12) of 0 and 1. Returns (beat, 12, MARKED, STEPS) logits over time, (beat, 12, 2) of P, T."""
        batch = beats_mv.shape[0]
        x = _inputs(beats_mv).flatten(0, 1)[:, :, None].contiguous(memory_format=torch.channels_last)
        h = _activate(self.stem(x))
        levels = []
        for depth, (block, share) in enumerate(zip(self.down, self.share, strict=True)):
            h = block(_halve(h) if depth else h)
            by_lead = h.unflatten(0, (batch, LEADS))
            weights = good / good.sum(1, keepdim=True).clamp(min=1)
            mean = share((by_lead * weights[:, :, None, None, None]).sum(1))
            h = (by_lead + mean[:, None]).flatten(0, 1)
            levels.append(h)
        pooled = torch.cat([h.mean((-2, -1)), h.amax((-2, -1))], 1)
        whether = self.whether(pooled).unflatten(0, (batch, LEADS))
        for depth in (1, 0):
            skip = levels[depth]
            size = skip.shape[-2:]
            lifted = F.interpolate(self.lift[depth](h), size=size, mode="bilinear", align_corners=False)
            h = self.up[depth](lifted + skip)
        where = self.where(h)[:, :, 0].unflatten(1, (len(MARKED), 2)).transpose(-1, -2).flatten(-2)
        return where.unflatten(0, (batch, LEADS)), whether


class _Block(nn.Module):
    def __init__(self, channels_in: int, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels_in, channels, (1, 5), padding=(0, 2))
        self.second = nn.Conv2d(channels, channels, (1, 5), padding=(0, 2))
        self.norm = nn.GroupNorm(1, channels)

    def forward(self, x: Tensor) -> Tensor:
        h = _activate(self.first(x))
        return _activate(self.norm(self.second(h) + h))


def _activate(x: Tensor) -> Tensor:
    return F.leaky_relu(x, 0.1)


def _halve(x: Tensor) -> Tensor:
    """Means of two columns each; an odd last one stays as it is."""
    pairs = 0.5 * (x[..., 0:-1:2] + x[..., 1::2])
    return torch.cat([pairs, x[..., -1:]], -1) if x.shape[-1] % 2 else pairs


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
    sums = F.pad(p.cumsum(-1), (4, 3))
    sums[..., -3:] = sums[..., -4:-3]
    likeliest = (sums[..., 7:] - sums[..., :-7]).argmax(-1, keepdim=True)  # of means over seven steps
    steps = torch.arange(STEPS)
    near = p * ((steps - likeliest).abs() <= _AROUND)
    total = near.sum(-1)
    mean = (near * steps).sum(-1) / total
    spread = ((near * (steps - mean[..., None]) ** 2).sum(-1) / total).sqrt()
    p_there, t_there = torch.sigmoid(whether).unbind(-1)
    parts = (START_MS + STEP_MS * mean, STEP_MS * spread, total, p_there, t_there)
    return LeadMarks(*(part.double().numpy() for part in parts))


@torch.inference_mode()
def mark_beats(marker: Marker, beats_mv: Tensor, good: Tensor) -> LeadMarks:
    """beats_mv: (beat, 12, STEPS), good: (beat, 12) of 0 and 1."""
    return read_marks(*marker(beats_mv, good))


@cache
def _shipped() -> tuple[dict[str, Tensor], dict[str, Any]]:
    return load_tensors(WEIGHTS)


@cache
def shipped_marker(name: str = "all") -> Marker:
    """The marker whose weights come with the package; `fold0` ... have not seen that fold. Raises WeightsError."""
    tensors, _ = _shipped()
    marker = Marker()
    marker.load_state_dict(part(tensors, name))
    return marker.eval()


def unseen_marker(origin: str, recording: str) -> Marker:
    """The shipped marker, or where it has learned from this recording of the set `origin`, one that has not."""
    _, header = _shipped()
    learned = header["set"] == origin and recording in header["recordings"]
    return shipped_marker(f"fold{fold_of(recording)}") if learned else shipped_marker()


def fold_of(recording: str) -> int:
    """Which of FOLDS a recording is left out of, by its name alone, so that any part of a set gives the same folds."""
    return int(sha256(recording.encode()).hexdigest(), 16) % FOLDS
