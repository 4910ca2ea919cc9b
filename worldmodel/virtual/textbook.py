"""Waves from a textbook's vectorcardiogram: dipoles seen through Dower's lead matrix, for what no recording shows.

Most of a wave is a dipole, the rest belongs to the single lead, as real ECGs are not of rank three. Ranges are
textbook values for adults (from memory, need a clinician).
"""

import torch
from torch import Tensor

from worldmodel.preprocessing import DOWER
from worldmodel.virtual.waves import COMPONENTS, QRS, ST, P, T, Waves

LOCAL_FRACTION = 0.3  # of a wave that no dipole explains
# Mean dipoles of the QRS components in order of time (x left, y down, z back), mV: septum, apex, free wall,
# late free wall, base, terminal. The loop they draw is that of a textbook vectorcardiogram.
QRS_DIPOLES = torch.tensor(
    [
        [-0.12, 0.02, -0.20],
        [0.45, 0.45, -0.25],
        [1.10, 0.75, 0.25],
        [0.45, 0.25, 0.65],
        [-0.10, -0.05, 0.40],
        [-0.05, -0.08, 0.12],
    ]
)
QRS_POSITIONS = torch.tensor([0.20, 0.36, 0.48, 0.60, 0.74, 0.84])  # of the QRS duration
T_DIPOLE = torch.tensor([0.32, 0.18, -0.22])
P_DIPOLES = torch.tensor([[0.03, 0.08, -0.04], [0.06, 0.05, 0.03]])  # right, then left atrium
ECTOPIC_POSITIONS = torch.tensor([0.22, 0.42, 0.62, 0.80])


def textbook_waves(qrs_ms: Tensor, generator: torch.Generator) -> Waves:
    """Waves for QRS complexes of these durations, (batch,), in ms."""
    batch = qrs_ms.shape[0]

    def randn(*shape: int) -> Tensor:
        return torch.randn(batch, *shape, generator=generator)

    turn = small_rotation(0.45 * randn(3))
    size = torch.exp(0.30 * randn(1, 1))
    spread = 0.35 * QRS_DIPOLES.norm(dim=1, keepdim=True) * randn(6, 3)
    t_dipole = (T_DIPOLE + 0.15 * randn(1, 3)) * torch.exp(0.35 * randn(1, 1))
    p_dipoles = P_DIPOLES * torch.exp(0.3 * randn(2, 1)) + 0.02 * randn(2, 3)
    st = 0.04 * randn(1, 3)

    def seen(dipoles: Tensor) -> Tensor:
        """Dipoles (batch, n, 3) as amplitudes in the eight leads, (batch, n, 8)."""
        return _in_leads(dipoles @ turn, generator)

    waves = _nothing(batch)
    first, second = P.start, P.start + 2
    waves.place[:, first:second] = torch.tensor([0.40, 0.62])
    waves.width[:, first:second] = 0.19
    waves.mv[:, first:second] = seen(p_dipoles)
    first, second = QRS.start, QRS.start + 6
    wide_jitter = 0.02 + 0.02 * (qrs_ms > 120.0).float()[:, None]
    width = (0.075 * torch.exp(0.2 * randn(6))).clamp(0.05, 0.10)
    waves.place[:, first:second] = QRS_POSITIONS + wide_jitter * randn(6)
    waves.width[:, first:second] = width
    waves.mv[:, first:second] = seen((QRS_DIPOLES + spread) * size)
    waves.place[:, ST.start], waves.width[:, ST.start] = 0.35, 0.22
    waves.mv[:, ST.start] = seen(st)[:, 0]
    first, second = T.start, T.start + 2
    rise = 0.30 * torch.exp(0.15 * randn())
    waves.place[:, first:second] = torch.tensor([0.0, 0.15])
    waves.t_left[:, 0], waves.width[:, first] = rise, 0.5
    waves.t_left[:, 1], waves.width[:, first + 1] = 0.08, 0.3
    waves.mv[:, first] = seen(t_dipole)[:, 0]
    waves.mv[:, first + 1] = 0.25 * seen(t_dipole)[:, 0] * randn(1).clamp(-1, 1)
    return waves


def ectopic_waves(batch: int, generator: torch.Generator) -> Waves:
    """Wide beats from anywhere in the ventricles, without P, their T opposite to the QRS."""

    def randn(*shape: int) -> Tensor:
        return torch.randn(batch, *shape, generator=generator)

    along = torch.nn.functional.normalize(randn(3), dim=1)
    across = torch.linalg.cross(along, torch.nn.functional.normalize(randn(3), dim=1))
    size = 1.7 * torch.exp(0.25 * randn(1, 1))
    course = torch.tensor([[0.35, 0.25], [1.0, 0.3], [0.85, -0.2], [0.3, -0.3]]) + 0.1 * randn(4, 2)
    qrs = size * (course @ torch.stack([along, across], dim=1))
    waves = _nothing(batch)
    first, second = QRS.start, QRS.start + 4
    waves.place[:, first:second] = ECTOPIC_POSITIONS
    waves.width[:, first:second] = 0.095
    waves.mv[:, first:second] = _in_leads(qrs, generator)
    against = -0.45 * size * (along + 0.25 * randn(3))[:, None]
    waves.mv[:, T.start] = _in_leads(against, generator)[:, 0]
    waves.t_left[:, 0], waves.width[:, T.start] = 0.4, 0.5
    waves.mv[:, ST.start] = 0.3 * waves.mv[:, T.start]
    waves.place[:, ST.start], waves.width[:, ST.start] = 0.3, 0.22
    return waves


def small_rotation(angles: Tensor) -> Tensor:
    """Rotation matrices (batch, 3, 3) from rotation vectors (batch, 3), by the matrix exponential."""
    x, y, z = angles.unbind(1)
    zero = torch.zeros_like(x)
    skew = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], dim=1).reshape(-1, 3, 3)
    return torch.matrix_exp(skew)


def _in_leads(dipoles: Tensor, generator: torch.Generator) -> Tensor:
    """(batch, n, 3) as (batch, n, 8), each lead a little its own."""
    leads = dipoles @ torch.from_numpy(DOWER).float().T
    own = torch.randn(*dipoles.shape[:2], 8, generator=generator)
    return leads + LOCAL_FRACTION * leads.abs().mean(dim=2, keepdim=True) * own


def _nothing(batch: int) -> Waves:
    """Room for all components, none of which is there."""
    room = torch.zeros(batch, COMPONENTS)
    width, mv = torch.full_like(room, 0.1), torch.zeros(batch, COMPONENTS, 8)
    return Waves(
        room, width, width[:, T].clone(), mv, torch.zeros(batch, 8), torch.zeros(batch, dtype=torch.bool)
    )
