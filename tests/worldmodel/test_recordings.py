"""Real recordings for the VAE: whole windows of twelve leads in millivolts, nothing estimated."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from worldmodel import recordings
from worldmodel.ecg import LEADS, Ecg
from worldmodel.errors import EcgFileError, WorldModelError
from worldmodel.virtual import demo_ecg

DATA = Path(os.environ.get("ECGWM_DATA", Path(__file__).parents[2].parent / "shared/data"))


def twice(samples_mv: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.concatenate([samples_mv, samples_mv], axis=1)


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> dict[str, Ecg | None]:
    """What is to be found under each file's name; None is a damaged one."""
    kept: dict[str, Ecg | None] = {}

    def read(path: Path) -> Ecg:
        ecg = kept[path.name]
        if ecg is None:
            raise EcgFileError("damaged")
        return ecg

    monkeypatch.setattr(recordings, "read_ecg", read)
    return kept


def test_only_whole_windows_are_taken(files: dict[str, Ecg | None]) -> None:
    ecg = demo_ecg()
    twenty = twice(ecg.samples_mv)
    gap, flat = twenty.copy(), twenty.copy()
    gap[3, 100:200] = np.nan
    flat[3, : ecg.samples_mv.shape[1]] = 0.0
    files |= {
        "twenty seconds": Ecg(twenty, ecg.fs_hz, LEADS),
        "gap in the first ten": Ecg(gap, ecg.fs_hz, LEADS),
        "flat for the first ten": Ecg(flat, ecg.fs_hz, LEADS),
        "short": Ecg(ecg.samples_mv[:, :1000], ecg.fs_hz, LEADS),
        "a lead less": Ecg(ecg.samples_mv[:-1], ecg.fs_hz, LEADS[:-1]),
        "scale in doubt": Ecg(ecg.samples_mv, ecg.fs_hz, LEADS, amplitudes_trusted=False),
        "damaged": None,
    }
    windows = recordings.read_windows(map(Path, files))
    assert windows.shape == (4, 8, 2500)
    assert torch.isfinite(windows).all()


def test_a_folder_of_nothing_usable_is_told(files: dict[str, Ecg | None]) -> None:
    files["damaged"] = None
    with pytest.raises(WorldModelError, match="No recording there"):
        recordings.read_windows([Path("damaged")])


@pytest.mark.skipif(not (DATA / "ptb").is_dir(), reason="the recordings are not beside the project")
def test_a_recording_of_38_seconds_gives_three_windows() -> None:
    assert len(recordings.read_windows([DATA / "ptb" / "s0010_re.hea"])) == 3
