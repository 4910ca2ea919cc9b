"""Reading ECG-FM's published checkpoint, a pickle, without running anything that is in it.

A pickle may name any function and have it called. Here only what builds tensors is found under its name; everything
else, such as the settings and meters that the training library left in the file, becomes an inert object. That reads
more than PyTorch's `weights_only`, which refuses a whole file for one such object, and trusts less.
"""

import collections
import pickle
import zipfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from worldmodel.errors import WeightsError
from worldmodel.labels.ecg_fm import PUBLISHED, EcgFm, Size

FILE = "mimic_iv_ecg_finetuned.pt"
WHERE = f"Get {FILE} from huggingface.co/wanglab/ecg-fm (MIT licence)."
# What the network here takes for granted. A checkpoint that says otherwise would load, and judge wrongly.
_SETTINGS = {
    "layer_norm_first": False,
    "extractor_mode": "default",
    "conv_feature_layers": "[(256, 2, 2)] * 4",
    "encoder_attention_heads": 12,
}
_MASK = "encoder.mask_emb"  # of pretraining; some checkpoints keep it
_BUILDS_TENSORS = {
    ("collections", "OrderedDict"): collections.OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): torch._utils._rebuild_tensor_v2,
    ("torch._utils", "_rebuild_parameter"): torch._utils._rebuild_parameter,
}


def load_ecg_fm(path: Path, size: Size = PUBLISHED) -> EcgFm:
    """The model of a checkpoint, ready to judge. Raises WeightsError."""
    checkpoint = _read(path)
    tensors = checkpoint.get("model") if isinstance(checkpoint, dict) else None
    if not isinstance(tensors, dict) or not all(isinstance(t, Tensor) for t in tensors.values()):
        raise WeightsError(f"{path} holds no weights under 'model'.", WHERE)
    _check_settings(path, checkpoint.get("cfg"))
    with torch.device("meta"):
        network = EcgFm(size)
    tensors = {_renamed(name): t.float() for name, t in tensors.items() if name != _MASK}
    expected = {name: t.shape for name, t in network.state_dict().items()}
    given = {name: t.shape for name, t in tensors.items()}
    if expected != given:
        wrong = sorted(
            name for name in expected.keys() | given.keys() if expected.get(name) != given.get(name)
        )
        raise WeightsError(
            f"{path} is not ECG-FM fine-tuned on 17 labels: {len(wrong)} of its tensors differ, such as {wrong[0]}.",
            f"The pretrained checkpoint and those for other labels do not do. {WHERE}",
        )
    network.load_state_dict(tensors, assign=True)
    return network.requires_grad_(False).eval()


def _read(path: Path) -> Any:
    if not path.is_file():
        raise WeightsError(f"There is no file {path}.", WHERE)
    if not zipfile.is_zipfile(path):
        raise WeightsError(f"{path} is not a PyTorch checkpoint, or not all of it.", WHERE)
    with zipfile.ZipFile(path) as archive:
        if any(name.endswith("constants.pkl") for name in archive.namelist()):
            raise WeightsError(f"{path} is a TorchScript program, which is not run here.", WHERE)
    try:  # mapped, as two thirds of the published file are the optimiser's
        return torch.load(
            path,
            map_location="cpu",
            mmap=True,
            weights_only=False,
            pickle_module=_Pickle,
        )
    except Exception as error:  # a damaged pickle ends in whatever the next of its instructions does
        raise WeightsError(f"{path} cannot be read ({type(error).__name__}).", WHERE) from error


class _TensorsOnly(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        return _BUILDS_TENSORS.get((module, name), _Inert)


class _Pickle:
    """The part of the module `pickle` that PyTorch reads a checkpoint with."""

    Unpickler = _TensorsOnly


class _Inert:
    """Stands for any other object: takes whatever it is given, and does nothing."""

    def __new__(cls, *args: object, **kwargs: object) -> "_Inert":  # noqa: ARG004
        return super().__new__(cls)

    def __init__(self, *args: object, **kwargs: object) -> None:
        pass

    def __call__(self, *args: object, **kwargs: object) -> "_Inert":  # noqa: ARG002
        return self

    def __setstate__(self, state: object) -> None:
        pass

    def __setitem__(self, key: object, value: object) -> None:
        pass

    def append(self, item: object) -> None:
        pass


def _check_settings(path: Path, cfg: object) -> None:
    """Against what the checkpoint says of itself, where that can be read."""
    model = cfg.get("model") if isinstance(cfg, dict) else None
    if not isinstance(model, dict):
        return
    for name, value in _SETTINGS.items():
        given = model.get(name, value)
        if isinstance(given, str | int) and given != value:
            raise WeightsError(
                f"{path} was made with {name} = {given}; the published ECG-FM has {value}.", WHERE
            )


def _renamed(name: str) -> str:
    """The names of a normed weight, which PyTorch has changed since."""
    name = name.replace("pos_conv.0.weight_g", "pos_conv.0.parametrizations.weight.original0")
    return name.replace("pos_conv.0.weight_v", "pos_conv.0.parametrizations.weight.original1")
