"""Delineators against marks: matching of waves, errors of their points, and statistics clustered by record."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from worldmodel.evaluation.contestants import Reading
from worldmodel.evaluation.marks import (
    COLUMNS,
    INTERVALS,
    KINDS,
    MarkedRecord,
    Marks,
    lead_waves,
    record_intervals,
)

# How far a detection may lie from the marked peak (the beat-by-beat window of ANSI/AAMI EC57).
WINDOW_S = 0.15
# Point of a wave -> its kind and its place in (onset, peak, end).
POINTS = {
    name: (kind, place)
    for kind, names in COLUMNS.items()
    for place, name in enumerate(names)
    if name is not None and name != "r_peak"
}
# Two standard deviations of cardiologists around their mean, ms (CSE Working Party, Eur Heart J 1985;6:815).
TOLERANCES_MS = {"p_on": 10.2, "p_off": 12.7, "qrs_on": 6.5, "qrs_off": 11.6, "t_end": 30.6}
RESAMPLES = 500


@dataclass(frozen=True)
class Score:
    """One delineator on one record.

    counts: by kind of wave, true detections, missed waves, false detections. errors_ms: by point, one for
    each mark in the order of the marks, read - marked, NaN where nothing was read. intervals_ms: by name,
    (marked, read), None where there is none.
    """

    counts: dict[str, NDArray[np.int_]]
    errors_ms: dict[str, NDArray[np.float64]]
    intervals_ms: dict[str, tuple[float | None, float | None]]
    failed_leads: int
    confidence: dict[str, float]


@dataclass(frozen=True)
class Estimate:
    """A statistic over records, and where 95 % of its values over resampled records lie."""

    value: float
    low: float
    high: float


def score(record: MarkedRecord, reading: Reading) -> Score:
    """A reading of a record against its marks, lead by lead; of leads that share marks the nearest point counts."""
    counts = {kind: np.zeros(3, dtype=int) for kind in KINDS}
    errors: dict[str, list[NDArray[np.float64]]] = {name: [] for name in POINTS}
    for marks in record.marks:
        for kind in KINDS if marks.rows else ():
            counted, missed_by_ms = _score_kind(marks, reading, kind)
            counts[kind] += counted
            for name, (of_kind, place) in POINTS.items():
                if of_kind == kind:
                    errors[name].append(missed_by_ms[np.isfinite(marks.waves[kind][:, place]), place])
    marked = record_intervals([marks.waves for marks in record.marks])
    return Score(
        counts,
        {name: np.concatenate(parts) if parts else np.zeros(0) for name, parts in errors.items()},
        {name: (marked[name], reading.intervals[name]) for name in INTERVALS},
        reading.failed_leads,
        reading.confidence,
    )


def _score_kind(marks: Marks, reading: Reading, kind: str) -> tuple[NDArray[np.int_], NDArray[np.float64]]:
    """(3,) counts of one kind of wave, and (mark, onset peak end) errors in ms of the waves found."""
    human, span = marks.waves[kind], marks.span_s
    per_lead, errors = [], []
    for row in marks.rows:
        read = lead_waves(reading.marks_s, row)[kind]
        read = read[np.isfinite(read[:, 1])]
        partner = match(human[:, 1], read[:, 1], WINDOW_S)
        found = partner >= 0
        lead = np.full(human.shape, np.nan)
        lead[found] = 1000 * (read[partner[found]] - human[found])
        unmatched = np.delete(read[:, 1], partner[found])
        false = int(((unmatched >= span[0]) & (unmatched <= span[1])).sum())
        per_lead.append((found, false))
        errors.append(lead)
    found = np.any([found for found, _ in per_lead], axis=0)
    false = min(false for _, false in per_lead)
    return np.array([found.sum(), (~found).sum(), false]), nearest(np.stack(errors))


def match(marked_s: NDArray[np.float64], read_s: NDArray[np.float64], window_s: float) -> NDArray[np.int_]:
    """(mark,) index of its detection, -1 where there is none: one to one, the nearest pairs first."""
    partner = np.full(marked_s.size, -1)
    apart = np.abs(marked_s[:, None] - read_s[None, :])
    taken = np.zeros(read_s.size, dtype=bool)
    for flat in np.argsort(apart, axis=None, kind="stable"):
        i, j = divmod(int(flat), read_s.size)
        if not apart[i, j] <= window_s:
            break  # NaN, an unmarked peak, sorts last
        if partner[i] < 0 and not taken[j]:
            partner[i], taken[j] = j, True
    return partner


def nearest(errors: NDArray[np.float64]) -> NDArray[np.float64]:
    """(mark, point) the error of least size over the first axis of (lead, mark, point), NaN where no lead has one."""
    size = np.where(np.isfinite(errors), np.abs(errors), np.inf)
    return np.asarray(np.take_along_axis(errors, size.argmin(axis=0)[None], axis=0)[0])


def detection(counts: Sequence[NDArray[np.int_]], seed: int) -> dict[str, Estimate | None]:
    """Sensitivity, positive predictive value and F1 of (record,) counts of true, missed and false waves."""
    table = np.array(counts, dtype=float).reshape(-1, 3)
    sums = np.concatenate([table.sum(axis=0)[None], table[_draws(len(table), seed)].sum(axis=1)])
    true, missed, false = sums.T
    with np.errstate(invalid="ignore", divide="ignore"):
        values = {
            "sensitivity": true / (true + missed),
            "ppv": true / (true + false),
            "f1": 2 * true / (2 * true + missed + false),
        }
    return {name: _estimate(value[0], value[1:]) for name, value in values.items()}


def moments(errors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean, SD, mean absolute, median absolute and median error of (n,) errors."""
    size = np.abs(errors)
    return np.array([errors.mean(), errors.std(), size.mean(), np.median(size), np.median(errors)])


MOMENTS = ("mean", "sd", "mae", "median_abs", "median")


def error_statistics(errors: Sequence[NDArray[np.float64]], seed: int) -> dict[str, Estimate | None]:
    """MOMENTS of the finite errors of each record, with intervals from resampling records; None without any."""
    known = [one[np.isfinite(one)] for one in errors]
    every = _resampled(known, moments, seed)
    if every is None:
        return dict.fromkeys(MOMENTS)
    return {name: _estimate(every[0, i], every[1:, i]) for i, name in enumerate(MOMENTS)}


def mae_difference(
    ours: Sequence[NDArray[np.float64]], theirs: Sequence[NDArray[np.float64]], seed: int
) -> tuple[int, dict[str, Estimate | None]]:
    """Mean absolute errors on the marks that both have read, and ours - theirs; first their number."""
    both = []
    for one, other in zip(ours, theirs, strict=True):
        pair = np.abs(np.stack([one, other], axis=1))
        both.append(pair[np.isfinite(pair).all(axis=1)])
    names = ("ours", "theirs", "difference")
    every = _resampled(
        both, lambda pair: np.append(pair.mean(axis=0), (pair[:, 0] - pair[:, 1]).mean()), seed
    )
    if every is None:
        return 0, dict.fromkeys(names)
    return sum(map(len, both)), {name: _estimate(every[0, i], every[1:, i]) for i, name in enumerate(names)}


def _resampled(
    records: Sequence[NDArray[np.float64]],
    statistic: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    seed: int,
) -> NDArray[np.float64] | None:
    """(1 + draw, statistic): of all records, then of records drawn with replacement; None where all are empty."""
    filled = [record for record in records if len(record)]
    if not filled:
        return None
    draws = _draws(len(filled), seed)
    rows = [statistic(np.concatenate(filled))]
    rows += [statistic(np.concatenate([filled[i] for i in draw])) for draw in draws]
    return np.stack(rows)


def _draws(records: int, seed: int) -> NDArray[np.int_]:
    """(draw, record) indices: the same records for every statistic of one seed."""
    return np.random.default_rng(seed).integers(0, max(1, records), (RESAMPLES if records else 0, records))


def _estimate(value: float, resampled: NDArray[np.float64]) -> Estimate | None:
    if not np.isfinite(value):
        return None
    low, high = np.nanquantile(resampled, (0.025, 0.975))
    return Estimate(float(value), float(low), float(high))
