"""The virtual trial as a data set: each person without a drug, and under each drug of the trial that stage one knows.

What was drawn is known and stands in `measured` as the true change, `true_delta_...`. A person's ECGs after the dose
share noise and rhythm under all drugs. People come in groups
that share a seed, so that any of them can be drawn again.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import chain

import numpy as np
import torch
from numpy.typing import NDArray

from worldmodel.datasets.splits import split_of
from worldmodel.datasets.transition import Context, Dose, Fact, Given, Recording, SubjectRecords, Transition
from worldmodel.ecg import LEADS, Ecg
from worldmodel.pharmacology import EFFECTS, Action, PatientContext
from worldmodel.population import shipped_population
from worldmodel.preprocessing import FS_HZ, to_twelve
from worldmodel.response import sample_responses
from worldmodel.virtual.patients import Patients, sample_patients
from worldmodel.virtual.trial import twins

GROUP = 8  # people drawn together
HOURS = (1.0, 2.5, 6.0)
BEFORE_H = -0.5


class Virtual:
    """patients: how many; seed: the same gives the same people."""

    name = "virtual"

    def __init__(self, patients: int, seed: int = 0) -> None:
        self._count, self._seed = patients, seed
        self._drawn = lru_cache(maxsize=2)(self._draw)

    @property
    def subjects(self) -> Sequence[str]:
        return [f"{self.name}/{self._seed}-{number:06d}" for number in range(self._count)]

    def read(self, subject: str) -> SubjectRecords:
        number = self._number(subject)
        patients, responses, _ = self._drawn(number // GROUP)
        row = number % GROUP
        context = _context(patients, row)
        before = Recording(f"{subject.split('/')[1]}/0", patient=context.patient)
        transitions = []
        for at, (given, action) in enumerate(_actions(), start=1):
            truth = dict(zip(EFFECTS, responses[at, row].tolist(), strict=True))
            after = Recording(
                f"{subject.split('/')[1]}/{at}",
                measured={f"true_delta_{name}": value for name, value in truth.items()},
                patient=context.patient,
            )
            transitions.append(
                Transition(
                    f"{subject}/{at}",
                    self.name,
                    subject,
                    before,
                    BEFORE_H,
                    given,
                    context,
                    action.hours,
                    after,
                )
            )
        return SubjectRecords((before, *(t.after for t in transitions)), tuple(transitions))

    def ecg(self, recording: Recording) -> Ecg:
        subject, at = recording.id.split("/")
        number = self._number(subject)
        _, _, recordings = self._drawn(number // GROUP)
        return Ecg(recordings[int(at), number % GROUP], FS_HZ, LEADS, source=recording.id)

    def split_of(self, subject: str) -> str:
        return split_of(subject)

    def _number(self, subject: str) -> int:
        return int(subject.rsplit("-", 1)[1])

    def _draw(self, group: int) -> tuple[Patients, torch.Tensor, NDArray[np.float64]]:
        """People, responses (1 + action, GROUP, 6) and recordings (1 + action, GROUP, 12, time); 0 is no drug."""
        generator = torch.Generator().manual_seed(1_000_003 * self._seed + group)
        patients = sample_patients(GROUP, generator)
        responses = sample_responses(
            [action for _, action in _actions()],
            patients.covariates.potassium_mmol_l,
            patients.rhythm.irregular,
            generator,
        )
        nothing = torch.zeros_like(responses[:1])
        # Drawn apart: an ECG after the dose with the noise and the rhythm of the one before would be given away by it.
        before, _ = twins(patients, nothing, generator)
        after, _ = twins(patients, responses, generator)
        recordings = to_twelve(torch.cat([before, after])).double().numpy()
        return patients, torch.cat([nothing, responses]), recordings


@lru_cache(maxsize=1)
def _actions() -> tuple[tuple[Given, Action], ...]:
    """Placebo and each drug as in the trial, at each of HOURS."""
    drugs = sorted(shipped_population().drugs.items())
    placebo = [(Given(arm="placebo"), Action((), hours)) for hours in HOURS]
    given = (
        (
            Given((Dose(name, drug.dose, drug.unit, drug.route, 0.0, source="protocol"),), name),
            Action((replace(drug.exposure, relative_dose=1.0),), hours),
        )
        for name, drug in drugs
        for hours in HOURS
    )
    return tuple(chain(placebo, given))


def _context(patients: Patients, row: int) -> Context:
    of = patients.covariates
    potassium = float(of.potassium_mmol_l[row])
    facts = (
        Fact("weight_kg", float(of.weight_kg[row]), "kg"),
        Fact("potassium", potassium, "mmol/L", BEFORE_H),
        Fact("magnesium", float(of.magnesium_mmol_l[row]), "mmol/L", BEFORE_H),
        Fact("calcium", float(of.calcium_mmol_l[row]), "mmol/L", BEFORE_H),
        Fact("creatinine", float(of.creatinine_mg_dl[row]), "mg/dL", BEFORE_H),
    )
    who = PatientContext(float(of.age_years[row]), bool(of.female[row]), potassium)
    return Context(who, facts)
