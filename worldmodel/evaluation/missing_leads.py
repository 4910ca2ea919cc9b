"""What a simulation loses where leads of the pre-dose ECG are missing, by the same random numbers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from worldmodel.delineation.measure import measure, measure_batch
from worldmodel.ecg import LEADS, Ecg
from worldmodel.errors import NotSimulatableError
from worldmodel.evaluation.rivals import Simulates
from worldmodel.evaluation.unseen import Unseen, unseen_patients
from worldmodel.pharmacology import Action
from worldmodel.preprocessing import SAMPLES

# Limb leads follow from any two others, so that the pairs that matter are of chest leads.
PAIRS = (("V1", "V6"), ("V1", "V2"), ("V2", "V3"), ("V3", "V4"), ("V4", "V5"), ("V5", "V6"))
SINGLES = tuple((lead,) for lead in LEADS)


@dataclass(frozen=True)
class MissingRow:
    """Simulated QTcF without these leads less that of the complete input, ms: mean and SD over patients."""

    leads: tuple[str, ...]
    patients: int
    bias_ms: float | None
    sd_ms: float | None


def evaluate_missing_leads(
    model: Simulates,
    action: Action,
    patients: int,
    k: int,
    seed: int,
    progress: Callable[[float], None] | None = None,
) -> list[MissingRow]:
    """A row for each lead and each of PAIRS, under one action; both ECGs are measured in all twelve leads."""
    missing = (*SINGLES, *PAIRS)
    changes = np.full((len(missing), patients), np.nan)
    for i, one in enumerate(islice(unseen_patients(seed), patients)):
        complete = _qtcf_ms(model, one, one.before, action, k, seed)
        for j, leads in enumerate(missing):
            without = _without(one.before, leads)
            try:
                changes[j, i] = _qtcf_ms(model, one, without, action, k, seed) - complete
            except NotSimulatableError:
                continue
        if progress is not None:
            progress((i + 1) / patients)
    return [_row(leads, values) for leads, values in zip(missing, changes, strict=True)]


def _row(leads: tuple[str, ...], values: NDArray[np.float64]) -> MissingRow:
    known = values[np.isfinite(values)]
    if not known.size:
        return MissingRow(leads, 0, None, None)
    return MissingRow(leads, known.size, float(known.mean()), float(known.std()))


def _without(ecg: Ecg, leads: Sequence[str]) -> Ecg:
    samples = ecg.samples_mv.copy()
    samples[[ecg.leads.index(lead) for lead in leads]] = np.nan
    return replace(ecg, samples_mv=samples)


def _qtcf_ms(model: Simulates, one: Unseen, pre: Ecg, action: Action, k: int, seed: int) -> float:
    """Mean over the samples; NaN where none could be measured. Raises NotSimulatableError."""
    simulation = model.simulate(pre, measure(pre), [action], one.context, k, seed)
    measured = measure_batch(simulation.samples_mv.reshape(-1, len(LEADS), SAMPLES), simulation.fs_hz)
    known = [m.intervals.qtcf_ms for m in measured if m.intervals.qtcf_ms is not None]
    return float(np.mean(known)) if known else float("nan")
