"""What the world model stands beside: itself with a part taken out, and forecasts that draw no ECG at all."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from worldmodel.delineation.measure import measure_batch
from worldmodel.denoiser import Denoiser, Told
from worldmodel.ecg import Ecg
from worldmodel.evaluation.unseen import (
    FITTED,
    MEASURED,
    Unseen,
    true_recording,
    true_response,
    unseen_patients,
)
from worldmodel.measurement import Measurement
from worldmodel.model import Simulation, WorldModel
from worldmodel.pharmacology import Action, EffectProfile, PatientContext
from worldmodel.preprocessing import FS_HZ

RIDGE = 10.0  # on standardised columns

Predict = Callable[[Denoiser, Tensor, Tensor, Tensor, Tensor], Tensor]
"""(denoiser, z_tau, alpha_bar, conditions, context) -> clean residual, as Denoiser.forward."""


class Simulates(Protocol):
    """Whatever simulates as a WorldModel does can stand in the table: other stage ones, priors or weights, too."""

    def simulate(
        self,
        pre: Ecg,
        measured: Measurement,
        actions: Sequence[Action],
        context: PatientContext,
        k: int,
        seed: int,
    ) -> Simulation: ...


class _Replaced(Denoiser):
    """A denoiser that predicts otherwise, in the units of another."""

    def __init__(self, of: Denoiser, predict: Predict) -> None:
        nn.Module.__init__(self)
        self.of, self.predict = of, predict

    def residual(self, z_next: Tensor, z_anchor: Tensor) -> Tensor:
        return self.of.residual(z_next, z_anchor)

    def next_latent(self, residual: Tensor, z_anchor: Tensor) -> Tensor:
        return self.of.next_latent(residual, z_anchor)

    @property
    def position(self) -> Tensor:  # type: ignore[override]
        """By which the renderer knows the device."""
        return self.of.position

    def tell(self, conditions: Tensor, context: Tensor) -> Told:
        return Told(conditions, context)

    def denoise(self, z_tau: Tensor, alpha_bar: Tensor, told: Told) -> Tensor:
        return self.predict(self.of, z_tau, alpha_bar, told.inlet, told.context)


def replaced(model: WorldModel, predict: Predict) -> WorldModel:
    """The same encoder, stage one, prior and anchor, with another denoiser: the same responses by the same seed."""
    return WorldModel(model.vae, _Replaced(model.denoiser, predict), model.info)


def anchor_alone(model: WorldModel) -> WorldModel:
    """The patient's own warped beats, through the VAE, no diffusion."""
    return replaced(model, lambda _of, z, *_: torch.zeros_like(z))


def prior_alone(model: WorldModel) -> WorldModel:
    """EPK on the sampled rhythm and response, through the VAE, no diffusion."""
    return replaced(model, lambda of, _z, _a, conditions, _c: of.residual(conditions[:, 2], conditions[:, 1]))


def prior_scaled(model: WorldModel, scale: float) -> WorldModel:
    """The prior as the denoiser sees it, moved towards the anchor: 1 as it is, 0 no EPK.

    An ablation at inference; the network was trained with it. The anchor takes its place, as zeros are no ECG.
    """

    def predict(of: Denoiser, z: Tensor, alpha_bar: Tensor, conditions: Tensor, context: Tensor) -> Tensor:
        z_k, z_anchor, z_epk = conditions.unbind(1)
        seen = torch.stack([z_k, z_anchor, z_anchor + scale * (z_epk - z_anchor)], dim=1)
        out: Tensor = of(z, alpha_bar, seen, context)
        return out

    return replaced(model, predict)


@dataclass(frozen=True)
class Believing:
    """The same model, whose stage one believes other effects of some drugs than were true; profiles by drug's name."""

    model: WorldModel
    profiles: Mapping[str, EffectProfile]

    def simulate(
        self,
        pre: Ecg,
        measured: Measurement,
        actions: Sequence[Action],
        context: PatientContext,
        k: int,
        seed: int,
    ) -> Simulation:
        believed = [
            replace(
                action,
                drugs=tuple(
                    replace(drug, effects=self.profiles.get(drug.name, drug.effects)) for drug in action.drugs
                ),
            )
            for action in actions
        ]
        return self.model.simulate(pre, measured, believed, context, k, seed)


@dataclass(frozen=True)
class Forecasts:
    """Changes fitted on a stream of virtual patients of its own.

    mean_effect: (action, 6) of MEASURED. weights: (action, 1 + 8, 6) of a ridge regression on the
    standardised columns of `features`.
    """

    mean_effect: NDArray[np.float64]
    weights: NDArray[np.float64]
    centre: NDArray[np.float64]
    scale: NDArray[np.float64]

    def ridge(self, one: Unseen) -> NDArray[np.float64]:
        """(action, 6) changes by the regression."""
        x = (features(one)[None] - self.centre) / self.scale
        return np.asarray(np.concatenate([[1.0], x[0]]) @ self.weights)


def features(one: Unseen) -> NDArray[np.float64]:
    """Measured pre-dose intervals, potassium and age, (8,)."""
    values = one.values(one.measured.intervals, None)[: len(MEASURED)]
    return np.array([*values, one.context.potassium_mmol_l, one.context.age_years], dtype=float)


def fit_forecasts(
    actions: Sequence[Action],
    seed: int,
    patients: int,
    tick: Callable[[], None] | None = None,
) -> Forecasts:
    """Mean effect and ridge of each action over one true recording of every patient under it; tick: after each."""
    stream = unseen_patients(seed, FITTED)
    generator = torch.Generator().manual_seed(FITTED + seed)
    x: list[NDArray[np.float64]] = []
    y: list[list[NDArray[np.float64]]] = []
    while len(x) < patients:
        one = next(stream)
        if not np.isfinite(features(one)).all():
            continue
        responses = true_response(one.patient, actions, generator)
        after = np.stack([true_recording(one.patient, r, generator).samples_mv for r in responses])
        before = one.values(one.measured.intervals, None)
        x.append(features(one))
        y.append([one.values(m.intervals, None) - before for m in measure_batch(after, FS_HZ)])
        if tick is not None:
            tick()
    known, change = np.array(x), np.array(y)[..., : len(MEASURED)]
    centre, scale = known.mean(axis=0), known.std(axis=0)
    design = np.concatenate([np.ones((patients, 1)), (known - centre) / scale], axis=1)
    weights = [[_ridge(design, change[:, a, i]) for i in range(len(MEASURED))] for a in range(len(actions))]
    return Forecasts(np.nanmean(change, axis=0), np.array(weights).swapaxes(1, 2), centre, scale)


def _ridge(design: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights (column,) of the rows whose y is known; the intercept, column 0, is not shrunk."""
    design, y = design[np.isfinite(y)], y[np.isfinite(y)]
    penalty = RIDGE * np.diag([0.0, *np.ones(design.shape[1] - 1)])
    return np.asarray(np.linalg.solve(design.T @ design + penalty, design.T @ y))
