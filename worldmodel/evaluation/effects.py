"""Do simulated ECGs carry the effects they should? On unseen virtual patients, by our own delineator.

The true post-dose recording of each patient and the simulated ones are measured alike, so the oracle's own
error is in the table, beside persistence (no change).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch

from worldmodel.delineation.measure import measure, measure_batch
from worldmodel.ecg import LEADS, Ecg
from worldmodel.grid import sample_r_times
from worldmodel.measurement import Intervals
from worldmodel.model import WorldModel
from worldmodel.pharmacology import Action, PatientContext
from worldmodel.preprocessing import FS_HZ, SAMPLES, to_twelve
from worldmodel.response import sample_responses
from worldmodel.virtual.patients import Patients, sample_patients
from worldmodel.virtual.trial import after_dose, record

MEASURED = ("hr_bpm", "pr_ms", "qrs_ms", "qtcf_ms", "jtpeakc_ms", "tpeak_tend_ms")


@dataclass(frozen=True)
class EffectRow:
    """One interval under one action: changes from the pre-dose ECG, mean and SD over patients (and samples).

    None where it could be measured in no patient.
    """

    action: str
    interval: str
    patients: int
    true_mean: float | None
    true_sd: float | None
    simulated_mean: float | None
    simulated_sd: float | None

    @property
    def bias(self) -> float | None:
        if self.simulated_mean is None or self.true_mean is None:
            return None
        return self.simulated_mean - self.true_mean


def evaluate_effects(
    model: WorldModel,
    actions: Mapping[str, Action],
    patients: int,
    k: int,
    seed: int,
    progress: Callable[[float], None] | None = None,
) -> list[EffectRow]:
    """A row for each action and interval, over `patients` virtual patients in sinus rhythm and k samples each.

    The patients come from a stream of their own (seed + 10^6), apart from every training seed.
    """
    generator = torch.Generator().manual_seed(10**6 + seed)
    names = list(actions)
    truth: dict[tuple[str, str], list[float]] = {}
    simulated: dict[tuple[str, str], list[float]] = {}
    done = 0
    while done < patients:
        patient = sample_patients(1, generator)
        before = _ecg(patient, torch.zeros(1, 6), generator)
        measured = measure(before)
        if (
            bool(patient.rhythm.irregular)
            or measured.median_beat is None
            or measured.intervals.qtcf_ms is None
        ):
            continue
        covariates = patient.covariates
        drawn = sample_responses(
            list(actions.values()), covariates.potassium_mmol_l, patient.rhythm.irregular, generator
        )
        context = PatientContext(
            float(covariates.age_years), bool(covariates.female), float(covariates.potassium_mmol_l)
        )
        simulation = model.simulate(before, measured, list(actions.values()), context, k, seed + done)
        samples = measure_batch(
            simulation.samples_mv.reshape(-1, len(LEADS), SAMPLES).astype(np.float64), FS_HZ
        )
        for i, name in enumerate(names):
            after = measure(_ecg(patient, drawn[i], generator)).intervals
            _note(truth, name, measured.intervals, [after])
            _note(simulated, name, measured.intervals, [m.intervals for m in samples[i * k : (i + 1) * k]])
        done += 1
        if progress is not None:
            progress(done / patients)
    return [
        EffectRow(
            name,
            interval,
            len(truth[name, interval]),
            *_moments(truth[name, interval]),
            *_moments(simulated[name, interval]),
        )
        for name in names
        for interval in MEASURED
    ]


def _ecg(patient: Patients, response: torch.Tensor, generator: torch.Generator) -> Ecg:
    """A recording of one virtual patient under a response (1, 6)."""
    _, rhythm = after_dose(patient, response)
    eight = record(patient, response, sample_r_times(rhythm, SAMPLES / FS_HZ, generator), generator)
    return Ecg(to_twelve(eight)[0].double().numpy(), FS_HZ, LEADS)


def _note(
    into: dict[tuple[str, str], list[float]], action: str, before: Intervals, after: list[Intervals]
) -> None:
    """Append the changes that can be measured on both sides."""
    for interval in MEASURED:
        start = getattr(before, interval)
        values = [getattr(one, interval) for one in after]
        into.setdefault((action, interval), []).extend(
            value - start for value in values if value is not None and start is not None
        )


def _moments(values: list[float]) -> tuple[float | None, float | None]:
    return (float(np.mean(values)), float(np.std(values))) if values else (None, None)
