"""Beats like those of real recordings: the fitted waves that ship, mixed, turned and stretched into new patients.

QRS and T of one patient are drawn towards those of another one of the same class, as T belongs to its QRS; P
comes from anyone. Then the heart is turned, the electrodes are placed a little elsewhere, and sizes vary.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from worldmodel.checkpoint import load_tensors
from worldmodel.preprocessing import DOWER
from worldmodel.virtual.morphology_fit import CLASSES, layout
from worldmodel.virtual.textbook import small_rotation
from worldmodel.virtual.waves import QRS, ST, P, T, Waves

SHIPPED = Path(__file__).parent / "morphologies.safetensors"
# How often a class is drawn; recordings hold fewer blocks than a cardiologist sees in a year.
SHARES = {"narrow": 0.78, "rbbb": 0.09, "lbbb": 0.09, "wide": 0.04, "paced": 0.0}
PACED_SHARES = {"narrow": 0.0, "rbbb": 0.0, "lbbb": 0.4, "wide": 0.1, "paced": 0.5}
MOST_MIXED_QRS, MOST_MIXED_T = 0.35, 0.6
TURN_RAD, LEAD_GAIN_SD, SIZE_SD, WAVE_SD = 0.2, 0.12, 0.2, 0.1


@dataclass(frozen=True)
class Morphologies:
    """waves of a batch of patients, and of the source of QRS and T: landmarks_ms (batch, 7), rr_s, kind (batch,)."""

    waves: Waves
    landmarks_ms: Tensor
    rr_s: Tensor
    kind: Tensor


@cache
def shipped() -> dict[str, Tensor]:
    """The fitted parameters and noise levels that ship with the package. Raises WeightsError."""
    tensors, _ = load_tensors(SHIPPED)
    return {name: t.float() if t.is_floating_point() else t for name, t in tensors.items()}


def sample_morphologies(paced: Tensor, generator: torch.Generator) -> Morphologies:
    """New patients from the fitted ones; paced: (batch,) bool, where the ventricles are paced."""
    known, batch = shipped(), paced.shape[0]

    def rand(*shape: int) -> Tensor:
        return torch.rand(batch, *shape, generator=generator)

    def randn(*shape: int) -> Tensor:
        return torch.randn(batch, *shape, generator=generator)

    def draw(weights: Tensor) -> Tensor:
        """A row for each patient by weights (batch, rows)."""
        total = weights.cumsum(dim=1)
        return (total < rand(1) * total[:, -1:]).sum(dim=1).clamp(max=weights.shape[1] - 1)

    kind = known["kind"]
    of_class = torch.nn.functional.one_hot(kind, len(CLASSES)).float()
    share = torch.stack([_row_weights(of_class, SHARES), _row_weights(of_class, PACED_SHARES)])
    own = draw(share[paced.long()])
    other = draw((kind[own][:, None] == kind).float())
    of_p = draw(known["has_p"].float().expand(batch, -1))

    mv = known["mv"][own].clone()
    for part, most in ((QRS, MOST_MIXED_QRS), (slice(ST.start, T.stop), MOST_MIXED_T)):
        mv[:, part] += most * rand(1, 1) * (known["mv"][other][:, part] - mv[:, part])
    mv[:, P] = known["mv"][of_p][:, P]
    mv = mv * torch.exp(WAVE_SD * randn(mv.shape[1], 1)) * torch.exp(SIZE_SD * randn(1, 1))
    mv = mv @ _turned(TURN_RAD * randn(3)) * torch.exp(LEAD_GAIN_SD * randn(1, 8))

    place, width, t_left = layout(known["rise"][own] * torch.exp(0.1 * randn()))
    # QRS forces a little earlier or later, without changing where they begin and end.
    place[:, QRS] = place[:, QRS] ** torch.exp(0.08 * randn(1))
    waves = Waves(place, width, t_left, mv, torch.zeros(batch, 8), torch.zeros(batch, dtype=torch.bool))
    return Morphologies(waves, known["landmarks_ms"][own], known["rr_s"][own], kind[own])


def _row_weights(of_class: Tensor, shares: dict[str, float]) -> Tensor:
    """(rows,) so that each class that has rows is drawn by its share."""
    each = torch.tensor([shares[name] for name in CLASSES]) / of_class.sum(dim=0).clamp(min=1.0)
    return of_class @ each


def _turned(angles: Tensor) -> Tensor:
    """(batch, 8, 8) by which leads, as rows, see a turned heart: the dipolar part turns, the rest stays."""
    dower = torch.from_numpy(DOWER).float()
    turn = small_rotation(angles) - torch.eye(3)
    leads: Tensor = (dower @ turn @ torch.linalg.pinv(dower)).transpose(1, 2)
    return torch.eye(8) + leads
