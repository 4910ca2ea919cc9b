"""The two networks of the world model in the sizes that a file of weights tells."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from worldmodel.conditioning import CONTEXT
from worldmodel.denoiser import Denoiser
from worldmodel.errors import WeightsError
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


def check_model(header: Mapping[str, Any], wanted: str) -> None:
    """Raise WeightsError where a header is of another model (TWO_STAGE, PAPER) than is wanted."""
    model = header.get("model", TWO_STAGE)
    if model != wanted:
        raise WeightsError(
            f"These are weights of the {model} model (preset {header.get('preset')}), not of the {wanted} model.",
            f"Load them with {_LOADED_BY[model]}." if model in _LOADED_BY else "Train: ecgwm-agent train",
        )
