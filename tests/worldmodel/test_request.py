"""What cannot be asked of the world model is refused in words, not by an error of torch."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from tests.worldmodel.virtual_patients import NO_DRUG, PROLONG_QT
from worldmodel.delineation.measure import measure
from worldmodel.errors import RequestError
from worldmodel.model import Simulation, WorldModel
from worldmodel.pharmacology import PatientContext
from worldmodel.seeing import ObservedEcg
from worldmodel.virtual import demo_ecg


@pytest.fixture(scope="module")
def model() -> WorldModel:
    return WorldModel.load()


def ask(model: WorldModel, how: str, **changed: Any) -> Simulation:
    ecg = demo_ecg()
    usual = {"actions": [NO_DRUG], "k": 1, "seed": 0, "observed": ()} | changed
    actions, k, seed, observed = usual.values()
    simulate: Callable[..., Simulation] = getattr(model, how)
    return simulate(ecg, measure(ecg), actions, PatientContext(), k, seed, observed=observed)


@pytest.mark.parametrize("how", ["simulate", "roll_out"])
@pytest.mark.parametrize(
    "changed",
    [
        *({"k": k} for k in (0, -1, 2.5, True, "3", None)),
        *({"seed": seed} for seed in (1.5, "a", 2**70)),
        {"actions": []},
        *({"actions": [replace(PROLONG_QT, hours=hours)]} for hours in (-1.0, math.nan, math.inf)),
        {"observed": [ObservedEcg(replace(PROLONG_QT, hours=math.inf), measure(demo_ecg()).intervals)]},
    ],
    ids=str,
)
def test_what_makes_no_sense_is_an_error_with_a_hint(
    model: WorldModel, how: str, changed: dict[str, Any]
) -> None:
    with pytest.raises(RequestError) as told:
        ask(model, how, **changed)
    assert told.value.hint


def test_whole_numbers_of_numpy_are_whole_numbers(model: WorldModel) -> None:
    theirs, plain = (
        ask(model, "simulate", k=k, seed=seed) for k, seed in ((np.int64(1), np.int32(3)), (1, 3))
    )
    assert np.array_equal(theirs.samples_mv, plain.samples_mv)


@pytest.mark.parametrize("device", ["gpu", "meta", "cuda:99", ""])
def test_a_device_that_is_not_there_is_told(device: str) -> None:
    with pytest.raises(RequestError, match="no device") as told:
        WorldModel.load(device=device)
    assert "cpu" in told.value.hint


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_cuda_is_no_device() -> None:
    with pytest.raises(RequestError, match="'cuda'"):
        WorldModel.load(device="cuda")
