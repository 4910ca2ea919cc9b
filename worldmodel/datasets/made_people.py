"""People of the made data set: virtual patients with an ECG before and one after each candidate of its clinician.

Drawing ECGs is dear and writing them is cheap, so a few people lend their ECGs to many patients.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from worldmodel.beat import clamp_response
from worldmodel.datasets.made_policy import CANDIDATES
from worldmodel.delineation.filters import resample
from worldmodel.preprocessing import FS_HZ, to_twelve
from worldmodel.virtual.patients import sample_patients
from worldmodel.virtual.trial import twins

RECORDED_HZ, COUNTS_PER_MV = 500.0, 200.0
BETWEEN_PEOPLE = 0.3  # SD of the logarithm of how strongly a person reacts


@dataclass(frozen=True)
class Person:
    """True values before the dose; pr_ms None without a P wave. strength: factor on the mean effects.

    before: (12, time) counts in the order of LEADS at RECORDED_HZ; after: one for each of CANDIDATES.
    """

    age_years: float
    female: bool
    potassium: float
    hr_bpm: float
    pr_ms: float | None
    qtcf_ms: float
    strength: float
    before: NDArray[np.int16]
    after: tuple[NDArray[np.int16], ...]


def draw_people(count: int, seed: int) -> list[Person]:
    """So many people; the same seed gives the same."""
    generator = torch.Generator().manual_seed(seed)
    patients = sample_patients(count, generator)
    effects = torch.tensor([candidate.effects for candidate in CANDIDATES])[:, None]
    strength = torch.exp(BETWEEN_PEOPLE * torch.randn(count, 1, generator=generator))
    responses = clamp_response(effects * strength)
    before, _ = twins(patients, torch.zeros_like(responses[:1]), generator)
    after, _ = twins(patients, responses, generator)
    counts = _counts(torch.cat([before, after]))
    of, timing = patients.covariates, patients.timing
    marks = timing.landmarks_ms
    qtcf_ms = (marks[:, 6] - marks[:, 2]) / timing.rr_s ** (1.0 / 3.0)
    return [
        Person(
            age_years=float(of.age_years[i]),
            female=bool(of.female[i]),
            potassium=round(float(of.potassium_mmol_l[i]), 1),
            hr_bpm=float(60.0 / timing.rr_s[i]),
            pr_ms=float(marks[i, 2] - marks[i, 0]) if bool(timing.has_p[i]) else None,
            qtcf_ms=float(qtcf_ms[i]),
            strength=float(strength[i]),
            before=counts[0, i],
            after=tuple(counts[1:, i]),
        )
        for i in range(count)
    ]


def _counts(eight_mv: torch.Tensor) -> NDArray[np.int16]:
    twelve = resample(to_twelve(eight_mv).double().numpy(), FS_HZ, RECORDED_HZ)
    limit = np.iinfo(np.int16).max
    return np.clip(np.rint(twelve * COUNTS_PER_MV), -limit, limit).astype(np.int16)
