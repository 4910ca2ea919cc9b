"""The world model, loaded once per process."""

from functools import lru_cache

from tools.results import ModelUsed
from worldmodel.model import ModelInfo, WorldModel


@lru_cache(maxsize=1)
def shared_model() -> WorldModel:
    """The shipped weights. Raises WeightsError."""
    return WorldModel.load()


def model_used(info: ModelInfo) -> ModelUsed:
    """The printable form of what the model says of itself."""
    return ModelUsed(
        name=info.name, version=info.version, trained_on=info.trained_on, synthetic=info.synthetic
    )
