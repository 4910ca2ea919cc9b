"""Fitting the population of stage one to a crossover trial: one hierarchical model for all arms, times and intervals.

The likelihood of population_model.py, with weak priors and the mean courses of the trial, is maximised by Adam. Nothing
is drawn at random.
"""

import math
from collections.abc import Callable

import torch

from worldmodel.datasets.ecgrdvq import PLACEBO, Trial
from worldmodel.errors import DataSetError
from worldmodel.population import N, Population
from worldmodel.population_drawn import population_of
from worldmodel.population_model import GIVEN, TrialModel
from worldmodel.response import PER_DRUG

ROUNDS = 150
LEARNING_RATE = 0.06
RELINEARISE_EVERY = 10


def fit_population(
    trial: Trial, rounds: int = ROUNDS, progress: Callable[[float], None] | None = None
) -> Population:
    """The population of a trial of the layout of ecgrdvq. Raises DataSetError where an arm is none of GIVEN."""
    drugs = trial.arms[1:]
    unknown = [arm for arm in drugs if arm not in GIVEN]
    if trial.arms[:1] != (PLACEBO,) or unknown:
        raise DataSetError(
            f"The trial has the arms {', '.join(trial.arms)}.",
            f"Fitting needs placebo, and arms of {', '.join(GIVEN)}.",
        )
    model = TrialModel(trial, drugs)
    parameters = {
        name: (value / model.scale.get(name, 1.0)).requires_grad_() for name, value in model.start().items()
    }
    optimiser = torch.optim.Adam(parameters.values(), lr=LEARNING_RATE, betas=(0.9, 0.98))
    people = torch.zeros(len(trial.subjects), N + PER_DRUG * len(drugs), dtype=torch.float64)
    for at in range(rounds):
        for group in optimiser.param_groups:
            group["lr"] = LEARNING_RATE * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * at / rounds)))
        scaled = model.scaled(parameters)
        if at % RELINEARISE_EVERY == 0:
            with torch.no_grad():
                people = model.likeliest(scaled, people, 3 if at == 0 else 1)
                people = model.centre(parameters, scaled, people)
            scaled = model.scaled(parameters)
        loss = model.prior(scaled) + model.mismatch(scaled) - model.log_likelihood(scaled, people)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        if progress is not None:
            progress((at + 1) / rounds)
    with torch.no_grad():
        return population_of(
            model, {name: value.detach() for name, value in model.scaled(parameters).items()}
        )
