"""Training: goes on after a kill -9 to the weights it would have had, and its weights load."""

import signal
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch

from tests.worldmodel.virtual_patients import NO_DRUG, PROLONG_QT, generator, transitions
from worldmodel import train as training
from worldmodel import training_run
from worldmodel.checkpoint import load_tensors, part, save_tensors
from worldmodel.diffusion import training_loss
from worldmodel.errors import WeightsError, WorldModelError
from worldmodel.model import WorldModel
from worldmodel.networks import build_networks
from worldmodel.recordings import draw_windows
from worldmodel.sampling import karras_alpha_bars, sde_dpmpp_2m
from worldmodel.vae import LATENT_CHANNELS, LATENT_STEPS, PATCH, Vae, vae_loss

ACTIONS = [NO_DRUG, PROLONG_QT]
KILLED_AT = """
import os, signal, sys
from pathlib import Path
from tests.worldmodel.test_train import run
def report(line):
    if line.startswith(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
run(Path(sys.argv[1]), report=report)
"""


def run(out: Path, resume: bool = False, report: training_run.Report = lambda _: None) -> Path:
    training_run.REPORT_EVERY, training_run.SAVE_EVERY_S, training.DATASET_CHUNK = 1, 0.0, 8
    return training.train(ACTIONS, "tiny", out, 0, resume, report, "cpu")


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Undoes what `run` sets."""
    monkeypatch.setattr(training_run, "REPORT_EVERY", 1)
    monkeypatch.setattr(training_run, "SAVE_EVERY_S", 0.0)
    monkeypatch.setattr(training, "DATASET_CHUNK", 8)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(tmp_path_factory.mktemp("run")).parent


@pytest.mark.parametrize("line", ["vae 3/4", "denoiser 2/4"])
def test_a_killed_run_goes_on_to_the_same_weights_and_log(whole: Path, tmp_path: Path, line: str) -> None:
    broken = tmp_path / "broken"
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_AT, str(broken), line], cwd=Path(__file__).parents[2], timeout=120
    )
    assert killed.returncode == -signal.SIGKILL
    assert not (broken / "weights.safetensors").exists()
    resumed, _ = load_tensors(run(broken, resume=True))
    uninterrupted, _ = load_tensors(whole / "weights.safetensors")
    assert uninterrupted.keys() == resumed.keys()
    assert all(torch.equal(uninterrupted[name], resumed[name]) for name in resumed)
    assert (broken / "log.csv").read_text() == (whole / "log.csv").read_text()


def test_the_log_has_a_row_for_each_step(whole: Path) -> None:
    head, *rows = (whole / "log.csv").read_text().splitlines()
    assert head == "stage,step,loss,data_term,learning_rate"
    steps = [tuple(row.split(",")[:2]) for row in rows]
    assert steps == [(stage, str(i)) for stage in ("vae", "denoiser") for i in range(1, 5)]
    assert all(float(row.split(",")[2]) > 0 for row in rows)


def test_a_folder_with_a_run_is_not_overwritten_nor_mixed(whole: Path) -> None:
    with pytest.raises(WorldModelError, match="already holds a run"):
        run(whole)
    with pytest.raises(WorldModelError, match=r"another run .*seed 0.* than .*seed 1"):
        training.train(ACTIONS, "tiny", whole, 1, True, print, "cpu")


def test_weights_of_a_run_load_into_networks_of_the_size_their_header_tells(whole: Path) -> None:
    tensors, header = load_tensors(whole / "weights.safetensors")
    vae, denoiser = build_networks(header)
    vae.load_state_dict(part(tensors, "vae"))
    denoiser.load_state_dict(part(tensors, "denoiser"))
    assert (denoiser.width, len(denoiser.blocks)) == (32, 1)
    assert header["synthetic"]


def test_weights_that_tell_no_size_are_of_todays() -> None:
    _, denoiser = build_networks({})
    assert (denoiser.width, len(denoiser.blocks)) == (128, 5)


def test_weights_of_base_stay_under_the_16_mb_that_a_file_may_have() -> None:
    size = training.PRESETS["base"].network
    networks = build_networks({"network": vars(size)})
    assert sum(2 * t.numel() for network in networks for t in network.state_dict().values()) < 15.9e6


def test_tensorboard_is_written_where_it_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[tuple[str, int]] = []

    class SummaryWriter:
        def __init__(self, folder: Path, purge_step: int) -> None:
            assert (folder, purge_step) == (tmp_path / "tensorboard", 3)

        def add_scalar(self, name: str, _: float, step: int) -> None:
            written.append((name, step))

    module = ModuleType("torch.utils.tensorboard")
    module.SummaryWriter = SummaryWriter  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", module)
    monkeypatch.setattr(training_run, "find_spec", lambda _: object())
    training_run.LossLog(tmp_path, "vae", 3).write(4, 1.0, 0.5, 1e-3)
    assert written == [("vae/loss", 4), ("vae/data_term", 4)]


def test_the_log_forgets_steps_that_are_taken_again(tmp_path: Path) -> None:
    """And a line that a kill has cut short."""
    log = training_run.LossLog(tmp_path, "vae", 0)
    for step in (1, 2, 3):
        log.write(step, 1.0, 1.0, 1.0)
    with log.path.open("a") as file:
        file.write("vae,4,0.")
    training_run.LossLog(tmp_path, "vae", 2)
    assert log.path.read_text().splitlines()[1:] == ["vae,1,1,1,1", "vae,2,1,1,1"]


def test_the_losses_run_on_another_device() -> None:
    """As a GPU would have it: nothing is left behind on the CPU. Torch's "meta" device computes shapes only."""
    vae = Vae().to("meta")
    x = torch.empty(2, 8, 2500, device="meta")
    assert vae_loss(vae, x, generator(1))[0].device.type == "meta"
    z = torch.empty(2, 64, 125, device="meta")
    loss, _ = training_loss(lambda noisy, _: noisy, z, lambda r: r, z, 0.05, "gibbs", generator(1), "v")
    assert loss.device.type == "meta"
    samples = sde_dpmpp_2m(lambda noisy, _: noisy, z, karras_alpha_bars(3), generator(1))
    assert samples.device.type == "meta"


def test_an_unknown_preset_or_device_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WorldModelError, match="no preset"):
        training.train(ACTIONS, "huge", tmp_path, 0, False, print)
    with pytest.raises(WorldModelError, match="no device"):
        training.train(ACTIONS, "tiny", tmp_path, 0, False, print, "abacus")


def test_weights_of_another_layout_or_model_are_refused_with_a_reason(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no weights at"):
        WorldModel.load(tmp_path / "none.safetensors")
    (tmp_path / "text.safetensors").write_text("not weights")
    with pytest.raises(WeightsError, match="not a readable weights file"):
        WorldModel.load(tmp_path / "text.safetensors")
    other = tmp_path / "other.safetensors"
    save_tensors(other, {"a": torch.zeros(1)}, {"layout": 99})
    with pytest.raises(WeightsError, match="layout 99"):
        WorldModel.load(other)
    with pytest.raises(WeightsError, match="paper model"):
        build_networks({"model": "paper", "preset": "paper"})
    with pytest.raises(WeightsError, match="does not know"):
        build_networks({"network": {"experts": 8}})


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


def test_real_windows_are_shifted_within_a_patch_and_scaled() -> None:
    ramp = torch.arange(2500.0).expand(1, 8, -1)
    drawn = draw_windows(ramp, 50, generator(1))
    slope = drawn[:, 0, 1] - drawn[:, 0, 0]
    shift = drawn[:, 0, 0] / slope
    assert drawn.shape == (50, 8, 2500)
    assert shift.min() >= 0 and shift.max() < PATCH and shift.round().unique().numel() > 10
    assert slope.std() > 0.1


def test_real_recordings_take_part_in_the_vae_s_training(tmp_path: Path) -> None:
    real = transitions(batch=6, seed=3).before
    weights = training.train(ACTIONS, "tiny", tmp_path, 0, False, print, "cpu", real)
    _, header = load_tensors(weights)
    assert "6 real windows" in header["trained_on"]
