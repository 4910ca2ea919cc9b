"""ECG-FM without its library: the layout of the checkpoint, the arithmetic, and that a pickle runs nothing here."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from tests.worldmodel.labels.made_checkpoint import SMALL, layout, saved, tensors
from worldmodel.ecg import LEADS, Ecg
from worldmodel.errors import WeightsError
from worldmodel.labels.definition import NAMES
from worldmodel.labels.ecg_fm import PUBLISHED, EcgFm, Size
from worldmodel.labels.ecg_fm_checkpoint import load_ecg_fm
from worldmodel.labels.ecg_fm_input import resample_linearly, standardise, to_windows


def test_the_published_size_has_the_published_tensors_and_number_of_parameters() -> None:
    """90,883,072 in pretraining (README of bowang-lab/ECG-FM), of which 509,824 only pretraining needs: the mask, the
    codebook of 2 x 320 entries of 64, its choice, and the two projections to 256 of what is contrasted."""
    with torch.device("meta"):
        network = EcgFm(PUBLISHED)
    assert {name: tuple(t.shape) for name, t in network.state_dict().items()} == layout(PUBLISHED)
    pretraining = 768 + 2 * 320 * 64 * 2 + (256 * 640 + 640) + (256 * 256 + 256) + (768 * 256 + 256)
    assert sum(t.numel() for t in network.encoder.parameters()) + pretraining == 90_883_072


def test_a_published_window_gives_156_frames_and_17_logits() -> None:
    with torch.device("meta"):
        network = EcgFm(PUBLISHED)
        windows = torch.empty(2, 12, 2500)
        assert network.encoder(windows).shape == (2, 156, 768)
        assert network(windows).shape == (2, 17)


def reference(p: dict[str, torch.Tensor], windows: torch.Tensor, size: Size) -> torch.Tensor:
    """The forward pass from PyTorch's own transformer layer and functions."""
    x = windows
    for layer in range(4):
        x = F.conv1d(x, p[f"encoder.feature_extractor.conv_layers.{layer}.0.weight"], stride=2)
        if layer == 0:
            norm = (p[f"encoder.feature_extractor.conv_layers.0.2.{name}"] for name in ("weight", "bias"))
            x = F.group_norm(x, size.channels, *norm)
        x = F.gelu(x)
    x = F.layer_norm(x.mT, (size.channels,), p["encoder.layer_norm.weight"], p["encoder.layer_norm.bias"])
    x = F.linear(x, p["encoder.post_extract_proj.weight"], p["encoder.post_extract_proj.bias"])
    at = "encoder.conv_pos.pos_conv.0"
    v, g = (p[f"{at}.parametrizations.weight.original{i}"] for i in (1, 0))
    kernel = v / v.square().sum((0, 1), keepdim=True).sqrt() * g
    half = size.position_kernel // 2
    position = F.conv1d(x.mT, kernel, p[f"{at}.bias"], padding=half, groups=size.position_groups)[..., :-1]
    x = x + F.gelu(position).mT
    x = F.layer_norm(
        x, (size.width,), p["encoder.encoder.layer_norm.weight"], p["encoder.encoder.layer_norm.bias"]
    )
    for layer in range(size.layers):
        at = f"encoder.encoder.layers.{layer}"
        one = nn.TransformerEncoderLayer(
            size.width, size.heads, size.feedforward, dropout=0.0, activation="gelu", batch_first=True
        )
        names = {"self_attn.out_proj": "self_attn.out_proj", "linear1": "fc1", "linear2": "fc2"}
        names |= {"norm1": "self_attn_layer_norm", "norm2": "final_layer_norm"}
        state = {
            f"{a}.{part}": p[f"{at}.{b}.{part}"] for a, b in names.items() for part in ("weight", "bias")
        }
        for part in ("weight", "bias"):
            qkv = [p[f"{at}.self_attn.{name}_proj.{part}"] for name in "qkv"]
            state[f"self_attn.in_proj_{part}"] = torch.cat(qkv)
        one.load_state_dict(state)
        x = one(x)
    return F.linear(x.mean(1), p["proj.weight"], p["proj.bias"])


@pytest.mark.parametrize("published_names", [True, False])
def test_a_checkpoint_of_the_published_layout_loads_and_computes(
    tmp_path: Path, published_names: bool
) -> None:
    """Under both names that PyTorch has had for a normed weight, with the left-over mask of pretraining."""
    model = tensors(published_names=published_names)
    path = saved(tmp_path / "ecg_fm.pt", model | {"encoder.mask_emb": torch.zeros(24)})
    windows = torch.randn(3, 12, 2500, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        expected = reference(tensors(), windows, SMALL)
    assert expected.std() > 0.05
    assert torch.allclose(load_ecg_fm(path, SMALL)(windows), expected, atol=1e-4)


def test_nothing_in_the_file_is_run(tmp_path: Path) -> None:
    """A pickle may name any function; here even a harmless one must not be called."""

    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return Path.touch, (tmp_path / "sprung",)

    load_ecg_fm(saved(tmp_path / "ecg_fm.pt", tensors(), extra_state=[Trap(), {"a": Trap()}]), SMALL)
    assert not (tmp_path / "sprung").exists()


def without(names: tuple[str, ...]) -> dict[str, torch.Tensor]:
    return {name: t for name, t in tensors().items() if not name.startswith(names)}


@pytest.mark.parametrize(
    "model, more, message",
    [
        (without(("proj",)), {}, "17 labels"),
        (tensors() | {"proj.weight": torch.zeros(26, 24)}, {}, "proj.weight"),
        (tensors(), {"cfg": {"model": {"layer_norm_first": True}}}, "layer_norm_first"),
        ({}, {}, "17 labels"),
        ([1], {}, "no weights"),
    ],
)
def test_another_checkpoint_is_refused_with_what_to_do(tmp_path: Path, model, more, message) -> None:
    with pytest.raises(WeightsError, match=message) as refused:
        load_ecg_fm(saved(tmp_path / "ecg_fm.pt", model, **more), SMALL)
    assert "mimic_iv_ecg_finetuned.pt" in refused.value.hint


@pytest.mark.parametrize("content", [None, b"", b"version https://git-lfs", "torn"])
def test_a_missing_or_damaged_file_is_one_sentence(tmp_path: Path, content: bytes | str | None) -> None:
    path = tmp_path / "ecg_fm.pt"
    if content == "torn":
        whole = saved(path, tensors()).read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
    elif isinstance(content, bytes):
        path.write_bytes(content)
    with pytest.raises(WeightsError):
        load_ecg_fm(path, SMALL)


def test_a_recording_becomes_standardised_windows() -> None:
    """Over the whole recording, not over each window; 12.4 s are two windows, a constant lead is 0."""
    rng = np.random.default_rng(0)
    samples = torch.from_numpy(rng.normal(size=(1, 12, 6200)))
    samples[..., 3000:] *= 3
    samples[0, 4] = -7.1
    windows = to_windows(samples, 500)
    assert windows.shape == (1, 2, 12, 2500)
    assert (windows[0, :, 4] == 0).all()
    rest = samples[0, 0].numpy()
    expected = ((rest - rest.mean()) / rest.std())[2500:5000]
    assert np.allclose(windows[0, 1, 0].numpy(), expected, atol=1e-6)
    assert windows[0, 0, 0].std() < 0.6 < windows[0, 1, 0].std()


@pytest.mark.parametrize("fs_hz, length", [(1000.0, 10_000), (250.0, 2500), (102.4, 1024), (360.0, 3601)])
def test_resampling_is_the_originals_linear_interpolation(fs_hz: float, length: int) -> None:
    """Its grid ends on the last sample, whatever the rates."""
    x = np.random.default_rng(1).normal(size=length)
    after = int(length * (500 / fs_hz))
    expected = np.interp(np.arange(after), np.linspace(0, after - 1, length), x)
    assert np.allclose(resample_linearly(torch.from_numpy(x), fs_hz).numpy(), expected, atol=1e-9)


def test_units_of_voltage_do_not_matter() -> None:
    x = torch.randn(12, 5000, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    assert torch.allclose(standardise(x), standardise(1000 * x + 5), atol=1e-6)


@pytest.fixture
def network(tmp_path: Path) -> EcgFm:
    return load_ecg_fm(saved(tmp_path / "ecg_fm.pt", tensors()), SMALL)


def ecg(seconds: float = 10.0) -> Ecg:
    samples = np.random.default_rng(4).normal(size=(12, int(500 * seconds)))
    return Ecg(samples, 500.0, LEADS)


def test_a_recording_is_judged_by_lead_name_and_windows_are_joined(network: EcgFm) -> None:
    whole = ecg()
    scores = network.judge(whole)
    assert tuple(scores.probabilities) == NAMES
    assert not scores.why
    shuffled = Ecg(whole.samples_mv[::-1].copy(), 500.0, LEADS[::-1])
    assert network.judge(shuffled).probabilities == pytest.approx(scores.probabilities)
    each = torch.sigmoid(network(to_windows(torch.from_numpy(whole.samples_mv)[None], 500)[0].float()))
    pvc, sinus = (NAMES.index(n) for n in ("Premature ventricular contraction", "Sinus rhythm"))
    assert scores.tensor()[pvc].item() == pytest.approx(each[:, pvc].max().item(), abs=1e-5)
    assert scores.tensor()[sinus].item() == pytest.approx(each[:, sinus].mean().item(), abs=1e-5)


def test_a_missing_lead_or_a_short_recording_is_not_judged(network: EcgFm) -> None:
    whole = ecg()
    part = Ecg(whole.samples_mv[:11], 500.0, LEADS[:11])
    for unfit, why in ((part, "V6"), (ecg(4.9), "5 s")):
        scores = network.judge(unfit)
        assert set(scores.probabilities.values()) == {None}
        assert why in scores.why["Infarction"]


def test_gradients_reach_the_samples(network: EcgFm) -> None:
    """The paper's claim that the risk can be followed back to the ECG."""
    samples = torch.from_numpy(ecg().samples_mv).float()[None].requires_grad_()
    network.probabilities(samples, 500.0).sum().backward()
    assert samples.grad is not None
    assert samples.grad.isfinite().all()
    assert samples.grad.abs().sum() > 0
