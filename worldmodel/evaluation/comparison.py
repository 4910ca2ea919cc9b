"""World model and rivals on the same unseen patients, every ECG measured by our own delineator."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
import torch
from numpy.typing import NDArray

from worldmodel.delineation.measure import measure_batch
from worldmodel.ecg import LEADS
from worldmodel.evaluation.rivals import Forecasts, Simulates, fit_forecasts
from worldmodel.evaluation.unseen import (
    COLUMNS,
    EVALUATED,
    MEASURED,
    Unseen,
    expected_change,
    true_change,
    true_recording,
    true_response,
    unseen_patients,
)
from worldmodel.measurement import Intervals, Measurement, MedianBeat
from worldmodel.pharmacology import Action
from worldmodel.preprocessing import FS_HZ, SAMPLES

TRUE_DAYS = 2  # true recordings of each patient under each action, on days of their own
GALLERY = 100  # patients among whom one is looked for
FITTED_PATIENTS = 100  # of the forecasts
BEAT_MS = (-250.0, 450.0)
ORACLE, PERSISTENCE, MEAN_EFFECT, REGRESSION = "oracle", "persistence", "mean effect", "regression"


@dataclass(frozen=True)
class Comparison:
    """What was measured of n patients under a actions.

    before: (n, 7) of COLUMNS. truth: (n, a, TRUE_DAYS, 7). predicted: by contestant, (n, a, samples, 7).
    expected: (n, a, 6) expected change of MEASURED given action and covariates; drawn: (n, a, TRUE_DAYS, 6) the change
    that truth was drawn with. gallery: (at least 100, 12, time) pre-dose median beats, of the n patients first;
    beats: by contestant, (n, a, 12, time). NaN where not measured.
    """

    actions: tuple[str, ...]
    before: NDArray[np.float64]
    truth: NDArray[np.float64]
    expected: NDArray[np.float64]
    drawn: NDArray[np.float64]
    predicted: dict[str, NDArray[np.float64]]
    gallery: NDArray[np.float32]
    beats: dict[str, NDArray[np.float32]]

    def of(self, patients: NDArray[np.int_]) -> "Comparison":
        """The numbers of these patients, to resample; gallery and beats stay as they are."""
        return replace(
            self,
            before=self.before[patients],
            truth=self.truth[patients],
            expected=self.expected[patients],
            drawn=self.drawn[patients],
            predicted={name: values[patients] for name, values in self.predicted.items()},
        )


def compare(
    contestants: Mapping[str, tuple[Simulates, int]],
    actions: Mapping[str, Action],
    patients: int,
    seed: int,
    progress: Callable[[float], None] | None = None,
    *,
    forecasts: bool = True,
) -> Comparison:
    """Simulate every action for every patient by every contestant (and its number of samples), and measure.

    A contestant with another stage one, a mistaken prior or other weights needs nothing but `simulate`.
    forecasts: with those that draw no ECG, which are fitted on patients of their own, and the oracle.
    """
    ticks = patients + (FITTED_PATIENTS // 4 if forecasts else 0)
    done = [0.0]

    def tick(weight: float = 1.0) -> None:
        done[0] += weight
        if progress is not None:
            progress(min(1.0, done[0] / ticks))

    every = list(actions.values())
    fitted = fit_forecasts(every, seed, FITTED_PATIENTS, tick=lambda: tick(0.25)) if forecasts else None
    stream = unseen_patients(seed)
    generator = torch.Generator().manual_seed(EVALUATED + seed + 1)
    rows, gallery = [], []
    for number, one in enumerate(islice(stream, patients)):
        gallery.append(aligned_beat(one.measured.median_beat))
        rows.append(_one_patient(one, contestants, every, fitted, seed + number, generator))
        tick()
    if forecasts:
        others = islice(stream, max(0, GALLERY - patients))
        gallery += [aligned_beat(one.measured.median_beat) for one in others]
    return Comparison(
        actions=tuple(actions),
        before=np.stack([row.before for row in rows]),
        truth=np.stack([row.truth for row in rows]),
        expected=np.stack([row.expected for row in rows]),
        drawn=np.stack([row.drawn for row in rows]),
        predicted={name: np.stack([row.predicted[name] for row in rows]) for name in rows[0].predicted},
        gallery=np.stack(gallery),
        beats={name: np.stack([row.beats[name] for row in rows]) for name in rows[0].beats},
    )


@dataclass(frozen=True)
class _Row:
    """One patient's part of a Comparison."""

    before: NDArray[np.float64]
    truth: NDArray[np.float64]
    expected: NDArray[np.float64]
    drawn: NDArray[np.float64]
    predicted: dict[str, NDArray[np.float64]]
    beats: dict[str, NDArray[np.float32]]


def _one_patient(
    one: Unseen,
    contestants: Mapping[str, tuple[Simulates, int]],
    actions: Sequence[Action],
    fitted: Forecasts | None,
    seed: int,
    generator: torch.Generator,
) -> _Row:
    before = one.measured.intervals
    days = [true_response(one.patient, actions, generator) for _ in range(TRUE_DAYS)]
    # The first day is recorded twice: the second recording is the oracle.
    responses = torch.stack([*days, days[0]], dim=1)[:, :, 0]
    recorded = [
        true_recording(one.patient, r[None], generator).samples_mv
        for of_action in responses
        for r in of_action
    ]
    true = measure_batch(np.stack(recorded), FS_HZ)
    table = np.stack([one.values(m.intervals, before) for m in true])
    table = table.reshape(len(actions), TRUE_DAYS + 1, len(COLUMNS))
    predicted: dict[str, NDArray[np.float64]] = {}
    beats: dict[str, NDArray[np.float32]] = {}
    for name, (model, k) in contestants.items():
        simulation = model.simulate(one.before, one.measured, actions, one.context, k, seed)
        samples = simulation.samples_mv.reshape(-1, len(LEADS), SAMPLES)
        measured = measure_batch(samples, FS_HZ)
        values = np.stack([one.values(m.intervals, before) for m in measured])
        predicted[name] = values.reshape(len(actions), k, len(COLUMNS))
        beats[name] = _first_beats(measured, k)
    if fitted is not None:
        predicted[ORACLE] = table[:, TRUE_DAYS:]
        beats[ORACLE] = _first_beats(true, TRUE_DAYS + 1)
        nothing = np.zeros((len(actions), len(MEASURED)))
        for name, change in (
            (PERSISTENCE, nothing),
            (MEAN_EFFECT, fitted.mean_effect),
            (REGRESSION, fitted.ridge(one)),
        ):
            predicted[name] = np.stack([_moved(one, before, by) for by in change])[:, None]
    return _Row(
        one.values(before, None),
        table[:, :TRUE_DAYS],
        expected_change(one.patient, actions, generator).double().numpy(),
        np.stack(
            [true_change(one.patient, of_action[:TRUE_DAYS]).double().numpy() for of_action in responses]
        ),
        predicted,
        beats,
    )


def _moved(one: Unseen, before: Intervals, change: NDArray[np.float64]) -> NDArray[np.float64]:
    """COLUMNS of the pre-dose intervals moved by a change (6,) of MEASURED."""
    start = one.values(before, None)[: len(MEASURED)]
    known = {
        name: float(value) for name, value in zip(MEASURED, start + change, strict=True) if np.isfinite(value)
    }
    return one.values(Intervals(**known), before)


def _first_beats(measured: Sequence[Measurement], k: int) -> NDArray[np.float32]:
    """(action, 12, time) median beat of the first sample of each action."""
    return np.stack([aligned_beat(m.median_beat) for m in measured[::k]])


def aligned_beat(beat: MedianBeat | None) -> NDArray[np.float32]:
    """(12, time) of BEAT_MS around the R peak at the beat's own rate; beyond its ends 0, NaN where there is no beat."""
    fs_hz = 500.0 if beat is None else beat.fs_hz
    a, b = (round(ms * fs_hz / 1000) for ms in BEAT_MS)
    out = np.full((len(LEADS), b - a), np.nan if beat is None else 0.0, dtype=np.float32)
    if beat is not None:
        at = np.arange(a, b) + beat.r_index
        inside = (at >= 0) & (at < beat.samples_mv.shape[1])
        out[:, inside] = beat.samples_mv[:, at[inside]]
    return out
