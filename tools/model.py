"""The world model, loaded once per process."""

import os
from functools import lru_cache
from pathlib import Path

from tools.results import ModelUsed
from worldmodel.model import WorldModel
from worldmodel.networks import ModelInfo

WEIGHTS = "ECGWM_WEIGHTS"  # names weights of one's own training


@lru_cache(maxsize=1)
def shared_model() -> WorldModel:
    """The shipped weights, or those that the environment variable WEIGHTS names. Raises WeightsError."""
    own = os.environ.get(WEIGHTS)
    return WorldModel.load(Path(own) if own else None)


def model_used(info: ModelInfo) -> ModelUsed:
    """The printable form of what the model says of itself."""
    return ModelUsed(
        name=info.name,
        version=info.version,
        trained_on=info.trained_on,
        synthetic=info.synthetic,
        sha256=info.sha256,
    )
