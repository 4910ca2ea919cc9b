"""The two networks of the world model in the sizes that a file of weights tells."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from worldmodel.checkpoint import sha256_of
from worldmodel.conditioning import CONTEXT
from worldmodel.denoiser import Denoiser
from worldmodel.errors import WeightsError
from worldmodel.preprocessing import VERSION as PREPROCESSING
from worldmodel.vae import Vae

TWO_STAGE = "two-stage"
PAPER = "paper"
_LOADED_BY = {TWO_STAGE: "worldmodel.model.WorldModel", PAPER: "worldmodel.paper.PaperModel"}


@dataclass(frozen=True)
class NetworkSize:
    """Sizes of VAE and denoiser, kept in the header of the weights; weights that say nothing are of these."""

    vae_blocks: int = 3
    width: int = 128
    depth: int = 5
    heads: int = 4


def build_networks(header: Mapping[str, Any]) -> tuple[Vae, Denoiser]:
    """VAE and denoiser of the sizes that a header tells, still without their weights. Raises WeightsError."""
    check_model(header, TWO_STAGE)
    try:
        size = NetworkSize(**header.get("network", {}))
    except TypeError as error:
        raise WeightsError(
            "The weights are of a network that this version does not know.", "Train again: ecgwm-agent train"
        ) from error
    return Vae(size.vae_blocks), Denoiser(CONTEXT, size.width, size.depth, size.heads)


@dataclass(frozen=True)
class ModelInfo:
    """Which weights answered, and what they were trained on."""

    name: str
    version: str
    trained_on: str
    synthetic: bool
    sha256: str

    @classmethod
    def of(cls, path: Path, header: Mapping[str, Any]) -> "ModelInfo":
        """What the header of the weights at `path` says."""
        return cls(
            name=f"ecgwm-{header['preset']}",
            version=f"layout {header['layout']}, seed {header['seed']}",
            trained_on=header["trained_on"],
            synthetic=header["synthetic"],
            sha256=sha256_of(path),
        )


def check_weights(header: Mapping[str, Any]) -> None:
    """Raise WeightsError where a header is not of a world model, or of other pre-processing than this version's."""
    if "preset" not in header:
        raise WeightsError(
            "These are not the weights of a world model.", "Give weights that `ecgwm-agent train` made."
        )
    if header.get("preprocessing") != PREPROCESSING:
        raise WeightsError(
            "The weights were trained on other pre-processing.",
            f"Train again: ecgwm-agent train --preset {header['preset']}",
        )


def check_model(header: Mapping[str, Any], wanted: str) -> None:
    """Raise WeightsError where a header is of another model (TWO_STAGE, PAPER) than is wanted."""
    model = header.get("model", TWO_STAGE)
    if model != wanted:
        raise WeightsError(
            f"These are weights of the {model} model (preset {header.get('preset')}), not of the {wanted} model.",
            f"Load them with {_LOADED_BY[model]}." if model in _LOADED_BY else "Train: ecgwm-agent train",
        )
