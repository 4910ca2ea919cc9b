"""Real recordings for the training of the VAE: what it must code without moving an interval."""

from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 (its usual name)

from worldmodel.ecg import Ecg, standard_twelve
from worldmodel.errors import EcgFileError, WorldModelError
from worldmodel.preprocessing import FS_HZ, SAMPLES, to_model
from worldmodel.readers import read_ecg
from worldmodel.vae import PATCH

WINDOW_S = SAMPLES / FS_HZ


def read_windows(files: Iterable[Path]) -> Tensor:
    """The ten-second windows of recordings, (n, 8, SAMPLES) in mV, one after another.

    Left aside are files that cannot be read, scales that cannot be true, and recordings that lack a lead or are
    shorter: nothing estimated is to be learned. Raises WorldModelError where nothing is left.
    """
    windows = [window for file in files for window in _windows(file)]
    if not windows:
        raise WorldModelError(
            "No recording there has twelve leads in millivolts for ten seconds.",
            "Name a folder of such recordings, or leave --data out.",
        )
    return torch.stack(windows)


def _windows(file: Path) -> list[Tensor]:
    try:
        ecg = standard_twelve(read_ecg(file))
    except EcgFileError:
        return []
    if not ecg.amplitudes_trusted or ecg.missing_leads:
        return []
    starts = [WINDOW_S * i for i in range(int(ecg.duration_s / WINDOW_S + 1e-6))]
    return [to_model(ecg, start) for start in starts if _is_whole(ecg.window(start, WINDOW_S))]


def _is_whole(ecg: Ecg) -> bool:
    """Nothing missing, and no lead flat."""
    finite = bool(torch.from_numpy(ecg.samples_mv).isfinite().all())
    return finite and float(ecg.samples_mv.std(axis=1).min()) > 0.0


def draw_windows(windows: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """`count` of the windows, each up to one patch later, since patches favour no phase, and of another size."""
    rows = torch.randint(len(windows), (count,), generator=generator)
    later = torch.randint(PATCH, (count,), generator=generator).tolist()
    gain = torch.exp(0.3 * torch.randn(count, 1, 1, generator=generator))
    shifted = [F.pad(windows[i, :, s:], (0, s), mode="replicate") for i, s in zip(rows, later, strict=True)]
    return gain * torch.stack(shifted)
