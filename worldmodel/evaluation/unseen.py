"""Virtual patients that training has not seen: a recording before the dose, and true recordings after it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from worldmodel.beat import BeatTiming, move
from worldmodel.delineation.measure import measure
from worldmodel.ecg import LEADS, Ecg
from worldmodel.grid import sample_r_times
from worldmodel.measurement import Intervals, Measurement
from worldmodel.pharmacology import EFFECTS, Action, PatientContext
from worldmodel.preprocessing import FS_HZ, SAMPLES, to_twelve
from worldmodel.response import sample_responses
from worldmodel.risk import interval_risk
from worldmodel.virtual.patients import Patients, sample_patients
from worldmodel.virtual.trial import after_dose, record

MEASURED = ("hr_bpm", "pr_ms", "qrs_ms", "qtcf_ms", "jtpeakc_ms", "tpeak_tend_ms")
COLUMNS = (*MEASURED, "risk")
QTCF = COLUMNS.index("qtcf_ms")
RISK = COLUMNS.index("risk")
# Streams of patients, each apart from every training seed and from the other.
EVALUATED, FITTED = 10**6, 2 * 10**6
EXPECTED_OVER = 512  # responses that an expectation is taken over


@dataclass(frozen=True)
class Unseen:
    """One virtual patient in sinus rhythm whose beats could be measured; patient is a batch of one."""

    patient: Patients
    before: Ecg
    measured: Measurement
    context: PatientContext

    def values(self, after: Intervals, before: Intervals | None) -> NDArray[np.float64]:
        """COLUMNS of an ECG of this patient, (7,), NaN where not measured; before None: risk without change."""
        risk = interval_risk(after, before, female=self.context.female).value
        known = [getattr(after, name) for name in MEASURED]
        return np.array([np.nan if value is None else value for value in (*known, risk)], dtype=float)


def unseen_patients(seed: int, stream: int = EVALUATED) -> Iterator[Unseen]:
    """An endless stream of patients, the same for the same seed."""
    generator = torch.Generator().manual_seed(stream + seed)
    while True:
        patient = sample_patients(1, generator, "sinus")
        before = true_recording(patient, torch.zeros(1, len(EFFECTS)), generator)
        measured = measure(before)
        lacks = measured.median_beat is None or measured.intervals.qtcf_ms is None
        if measured.rhythm.label != "sinus" or lacks:
            continue
        known = patient.covariates
        yield Unseen(
            patient,
            before,
            measured,
            PatientContext(float(known.age_years), bool(known.female), float(known.potassium_mmol_l)),
        )


def true_recording(patient: Patients, response: Tensor, generator: torch.Generator) -> Ecg:
    """A recording of one patient under a response (1, 6), on a rhythm and with noise of its own."""
    _, rhythm = after_dose(patient, response)
    eight = record(patient, response, sample_r_times(rhythm, SAMPLES / FS_HZ, generator), generator)
    return Ecg(to_twelve(eight)[0].double().numpy(), FS_HZ, LEADS)


def true_response(patient: Patients, actions: Sequence[Action], generator: torch.Generator) -> Tensor:
    """How one patient responds to each action on one day, (action, 1, 6)."""
    return _responses(patient, actions, 1, generator)


def expected_change(patient: Patients, actions: Sequence[Action], generator: torch.Generator) -> Tensor:
    """(action, 6) expected change of MEASURED given action and covariates: the best that can be known beforehand."""
    responses = _responses(patient, actions, EXPECTED_OVER, generator)
    return torch.stack([true_change(patient, of_action).mean(dim=0) for of_action in responses])


def true_change(patient: Patients, response: Tensor) -> Tensor:
    """Change of MEASURED, (n, 6), under responses (n, 6) of one patient, by the landmarks that made the waves."""
    timing = patient.timing.expand(len(response))
    change = [response[:, EFFECTS.index(name)] for name in MEASURED if name in EFFECTS]
    change.insert(QTCF, _qtcf_ms(move(timing, response)) - _qtcf_ms(timing))
    return torch.stack(change, dim=1)


def _responses(patient: Patients, actions: Sequence[Action], k: int, generator: torch.Generator) -> Tensor:
    potassium = patient.covariates.potassium_mmol_l.expand(k)
    return sample_responses(actions, potassium, patient.rhythm.irregular.expand(k), generator)


def _qtcf_ms(timing: BeatTiming) -> Tensor:
    qt_ms = timing.landmarks_ms[:, -1] - timing.landmarks_ms[:, 2]
    return qt_ms / timing.rr_s ** (1 / 3)
