"""Checkpoints of ECG-FM's layout, as its library leaves them, but small."""

import argparse
from pathlib import Path

import numpy as np
import torch

from worldmodel.labels.ecg_fm import Size

SMALL = Size(8, 24, 48, 4, 2, 6, 3)


def layout(size: Size, published_names: bool = True) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the fine-tuned checkpoint, written down from the library's modules, not from ours."""
    c, w, f = size.channels, size.width, size.feedforward
    g, v = (
        ("parametrizations.weight.original0", "parametrizations.weight.original1")
        if published_names
        else ("weight_g", "weight_v")
    )
    shapes: dict[str, tuple[int, ...]] = {
        "encoder.feature_extractor.conv_layers.0.0.weight": (c, 12, 2),
        "encoder.feature_extractor.conv_layers.0.2.weight": (c,),
        "encoder.feature_extractor.conv_layers.0.2.bias": (c,),
        "encoder.post_extract_proj.weight": (w, c),
        "encoder.post_extract_proj.bias": (w,),
        "encoder.conv_pos.pos_conv.0.bias": (w,),
        f"encoder.conv_pos.pos_conv.0.{g}": (1, 1, size.position_kernel),
        f"encoder.conv_pos.pos_conv.0.{v}": (w, w // size.position_groups, size.position_kernel),
        "encoder.layer_norm.weight": (c,),
        "encoder.layer_norm.bias": (c,),
        "encoder.encoder.layer_norm.weight": (w,),
        "encoder.encoder.layer_norm.bias": (w,),
        "proj.weight": (17, w),
        "proj.bias": (17,),
    }
    for layer in (1, 2, 3):
        shapes[f"encoder.feature_extractor.conv_layers.{layer}.0.weight"] = (c, c, 2)
    for layer in range(size.layers):
        at = f"encoder.encoder.layers.{layer}"
        for name in ("q", "k", "v", "out"):
            shapes[f"{at}.self_attn.{name}_proj.weight"] = (w, w)
            shapes[f"{at}.self_attn.{name}_proj.bias"] = (w,)
        for name in ("self_attn_layer_norm", "final_layer_norm"):
            shapes[f"{at}.{name}.weight"] = shapes[f"{at}.{name}.bias"] = (w,)
        shapes |= {f"{at}.fc1.weight": (f, w), f"{at}.fc1.bias": (f,)}
        shapes |= {f"{at}.fc2.weight": (w, f), f"{at}.fc2.bias": (w,)}
    return shapes


def tensors(size: Size = SMALL, published_names: bool = True) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return {
        name: 0.3 * torch.randn(shape, generator=generator)
        for name, shape in layout(size, published_names).items()
    }


def saved(path: Path, model: object, **more: object) -> Path:
    """A checkpoint as the library leaves it: settings, meters and the optimiser beside the weights."""
    cfg = {"_name": None, "model": {"_name": "ecg_transformer_classifier", "layer_norm_first": False}}
    state = {
        "args": argparse.Namespace(arch="ecg"),
        "cfg": cfg,
        "model": model,
        "extra_state": {"val_loss": np.float64(0.1), "epoch": 3},
        "last_optimizer_state": {"state": {0: {"exp_avg": torch.zeros(3)}}},
    }
    torch.save(state | more, path)
    return path
