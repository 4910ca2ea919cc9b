"""Transitions of the virtual trial as the paper's model sees them."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from worldmodel.beat import move
from worldmodel.conditioning import PatientBeat, context_vector
from worldmodel.grid import sample_r_times
from worldmodel.paper.prior import prior_trace
from worldmodel.paper.signal import thin
from worldmodel.pharmacology import Action
from worldmodel.preprocessing import FS_HZ, SAMPLES, to_twelve
from worldmodel.response import sample_responses
from worldmodel.virtual.patients import sample_patients
from worldmodel.virtual.trial import after_dose, measured_beat, record

ACTIONS_PER_BATCH = 4


@dataclass(frozen=True)
class Episodes:
    """before, after: (batch, 12, PAPER_SAMPLES) mV; trace: (batch, PAPER_SAMPLES), e_EPK; context: (batch, CONTEXT)."""

    before: Tensor
    after: Tensor
    trace: Tensor
    context: Tensor


def sample_episodes(
    batch: int, actions: Sequence[Action], effects: Tensor, generator: torch.Generator
) -> Episodes:
    """Draw a batch: persons who react as persons do, told to the model by the mean effect of what they took.

    effects: mean_effects(actions).
    """
    patients = sample_patients(batch, generator)
    irregular = patients.rhythm.irregular
    potassium = patients.covariates.potassium_mmol_l
    chosen = torch.randint(len(actions), (ACTIONS_PER_BATCH,), generator=generator)
    row = torch.arange(batch)
    taken = row % ACTIONS_PER_BATCH
    by_action = sample_responses([actions[i] for i in chosen.tolist()], potassium, irregular, generator)
    response = by_action[taken, row]
    _, rhythm_after = after_dose(patients, response)
    before_r, after_r = (
        sample_r_times(rhythm, SAMPLES / FS_HZ, generator) for rhythm in (patients.rhythm, rhythm_after)
    )
    before = record(patients, torch.zeros_like(response), before_r, generator)
    after = record(patients, response, after_r, generator)
    beat = measured_beat(patients, generator)
    mean = effects[chosen[taken], irregular.long()]
    covariates = patients.covariates
    return Episodes(
        thin(to_twelve(before)),
        thin(to_twelve(after)),
        prior_trace(beat, mean, patients.rhythm.first_r_s),
        told(beat, mean, covariates.age_years, covariates.female, potassium, irregular),
    )


def told(
    beat: PatientBeat, mean: Tensor, age_years: Tensor, female: Tensor, potassium: Tensor, irregular: Tensor
) -> Tensor:
    """The code of action and context, (batch, CONTEXT): the action is its mean effect (batch, 6) at that dose and hour.

    So a drug that training never saw has a code as well; the paper embeds the drugs' names.
    """
    return context_vector(mean, age_years, female, potassium, irregular, move(beat.timing, mean).rr_s)
