"""Weights and training checkpoints: safetensors of tensors with a JSON header, never pickles."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from worldmodel.errors import WeightsError

LAYOUT = 1  # raise it when the network's tensors or what they mean change


def save_tensors(path: Path, tensors: Mapping[str, Tensor], header: Mapping[str, Any]) -> None:
    """Write tensors and a JSON header; the file appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    whole = {name: t.detach().contiguous().cpu() for name, t in tensors.items()}
    save_file(whole, partial, metadata={"header": json.dumps({"layout": LAYOUT, **header}, sort_keys=True)})
    partial.replace(path)


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and header of a file of this layout. Raises WeightsError."""
    if not path.is_file():
        raise WeightsError(
            f"There are no weights at {path}.", "Reinstall the package, or train: ecgwm-agent train"
        )
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {}).get("header", "{}"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    except (SafetensorError, OSError, ValueError) as error:
        raise WeightsError(
            f"{path} is not a readable weights file ({error}).", "Restore it or train again."
        ) from error
    if header.get("layout") != LAYOUT:
        raise WeightsError(
            f"{path} has layout {header.get('layout')}, this version reads layout {LAYOUT}.",
            "Use weights made by this version: ecgwm-agent train",
        )
    return tensors, header


def part(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors under a prefix, without it, as float32 where they are half precision."""
    start = prefix + "."
    return {
        name.removeprefix(start): t.float() if t.dtype == torch.float16 else t
        for name, t in tensors.items()
        if name.startswith(start)
    }


def under(prefix: str, tensors: Mapping[str, Tensor], half: bool = False) -> dict[str, Tensor]:
    """The tensors with a prefix before their names; floats as float16 where `half`."""
    return {
        f"{prefix}.{name}": t.half() if half and t.is_floating_point() else t for name, t in tensors.items()
    }


def optimiser_tensors(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Adam's moments by parameter index, for a checkpoint."""
    state = optimiser.state_dict()["state"]
    return {
        f"{i}.{key}": torch.as_tensor(value) for i, values in state.items() for key, value in values.items()
    }


def restore_optimiser(optimiser: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Put the moments of `optimiser_tensors` back."""
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        index, key = name.split(".", 1)
        state.setdefault(int(index), {})[key] = tensor
    optimiser.load_state_dict({**optimiser.state_dict(), "state": state})


def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
