"""Training: resumable after an interruption, and its weights load."""

from pathlib import Path

import pytest
import torch

from tests.worldmodel.virtual_patients import NO_DRUG, PROLONG_QT, transitions
from worldmodel import train as training
from worldmodel.checkpoint import load_tensors, save_tensors
from worldmodel.errors import WeightsError, WorldModelError
from worldmodel.model import WorldModel
from worldmodel.vae import LATENT_CHANNELS, LATENT_STEPS, Vae

ACTIONS = [NO_DRUG, PROLONG_QT]


def run(out: Path, resume: bool = False, stop_at: str = "never") -> Path:
    def report(line: str) -> None:
        if line.startswith(stop_at):
            raise KeyboardInterrupt

    return training.train(ACTIONS, "tiny", out, 0, resume, report)


@pytest.mark.parametrize("stop_at", ["vae 2/4", "denoiser 2/4"])
def test_an_interrupted_run_goes_on_to_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop_at: str
) -> None:
    monkeypatch.setattr(training, "REPORT_EVERY", 1)
    monkeypatch.setattr(training, "SAVE_EVERY_S", 0.0)
    whole, _ = load_tensors(run(tmp_path / "whole"))
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "broken", stop_at=stop_at)
    resumed, _ = load_tensors(run(tmp_path / "broken", resume=True))
    assert whole.keys() == resumed.keys()
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    with pytest.raises(WorldModelError, match="already holds a run"):
        run(tmp_path / "whole")
    assert WorldModel.load(tmp_path / "whole" / "weights.safetensors").info.synthetic


def test_an_unknown_preset_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WorldModelError, match="no preset"):
        training.train(ACTIONS, "huge", tmp_path, 0, False, print)


def test_weights_of_another_layout_are_refused_with_a_reason(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no weights at"):
        WorldModel.load(tmp_path / "none.safetensors")
    (tmp_path / "text.safetensors").write_text("not weights")
    with pytest.raises(WeightsError, match="not a readable weights file"):
        WorldModel.load(tmp_path / "text.safetensors")
    other = tmp_path / "other.safetensors"
    save_tensors(other, {"a": torch.zeros(1)}, {"layout": 99})
    with pytest.raises(WeightsError, match="layout 99"):
        WorldModel.load(other)


def test_the_vae_starts_as_the_principal_components_of_patches() -> None:
    """Before any training it already codes an ECG; a random network would lose it."""
    vae = Vae()
    x = transitions(batch=24, seed=9).after
    vae.start_from_patches(x)
    with torch.no_grad():
        z = vae.encode(x)
        error = (vae.decode(z) - x).pow(2).mean().sqrt() / x.pow(2).mean().sqrt()
    assert z.shape == (24, LATENT_CHANNELS, LATENT_STEPS)
    assert float(error) < 0.12
