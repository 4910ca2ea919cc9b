"""Stage one against the measurements of a real crossover trial: what was predicted for each subject, arm and time.

Predictions are changes from the baseline of the same period. They know that baseline, the drug and its dose; if asked,
the plasma concentration, and the ECGs up to some hour after the dose.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from worldmodel.beat import JT_RR_EXPONENT
from worldmodel.datasets.ecgrdvq import PLACEBO, Trial
from worldmodel.observed import Series, draw, see, size_of
from worldmodel.pharmacology import EFFECTS, DrugExposure
from worldmodel.population import N, Population
from worldmodel.response import Bearing, balanced_normal

INTERVALS = ("qtcf_ms", "jtpeakc_ms", "tpeak_tend_ms", "pr_ms", "qrs_ms", "hr_bpm")
SAMPLES = 1000
QUANTILES = (0.05, 0.10, 0.90, 0.95)


@dataclass(frozen=True)
class Given:
    """What a subject of an arm got: the drugs, and the concentration in ng/mL that is a relative exposure of 1."""

    drugs: tuple[DrugExposure, ...]
    cmax_ng_ml: float | None = None


@dataclass(frozen=True)
class Predictions:
    """mean (subject, arm, time, interval) and quantiles (QUANTILES, ...) of changes from the baseline of the period.

    In the order of INTERVALS; NaN where the period has no baseline, and at the baseline itself.
    """

    mean: NDArray[np.float64]
    quantiles: NDArray[np.float64]


def changes(trial: Trial) -> NDArray[np.float64]:
    """What was measured: (subject, arm, time, interval) changes from the baseline, in the order of INTERVALS."""
    absolute = np.concatenate([trial.qtcf_ms[..., None], trial.values], axis=-1)
    names = ("qtcf_ms", *EFFECTS)
    ordered: NDArray[np.float64] = absolute[..., [names.index(name) for name in INTERVALS]]
    return np.asarray(ordered - ordered[:, :, :1])


def predict_trial(
    trial: Trial,
    given: Mapping[str, Given],
    population: Population,
    *,
    with_concentration: bool = False,
    observe_until_h: float | None = None,
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
) -> Predictions:
    """Predict every period of the trial on its own, from its baseline. given: by arm; nothing for placebo."""
    shape = (len(trial.subjects), len(trial.arms), len(trial.hours), len(INTERVALS))
    mean, quantiles = np.full(shape, np.nan), np.full((len(QUANTILES), *shape), np.nan)
    for i in range(shape[0]):
        for j, arm in enumerate(trial.arms):
            if np.isfinite(trial.values[i, j, 0]).any():
                what = given.get(arm, Given(()))
                series = _series(trial, i, j, what, with_concentration, observe_until_h)
                found = _draw_changes(series, population, seed)
                mean[i, j, 1:] = found.mean(axis=0)[1:]
                quantiles[:, i, j, 1:] = np.quantile(found, QUANTILES, axis=0)[:, 1:]
            if progress is not None:
                progress((i * shape[1] + j + 1) / (shape[0] * shape[1]))
    return Predictions(mean, quantiles)


def mean_effects(trial: Trial) -> NDArray[np.float64]:
    """The mean change of arm and time in the other subjects, for each: the baseline to beat. NaN where none is left."""
    found = changes(trial)
    known = np.isfinite(found)
    values = np.where(known, found, 0.0)
    others = known.sum(axis=0) - known
    return np.asarray((values.sum(axis=0) - values) / np.where(others > 0, others, np.nan))


def _series(
    trial: Trial, subject: int, arm: int, given: Given, with_concentration: bool, until_h: float | None
) -> Series:
    """One period: all its hours, with the values that may be looked at."""
    values = trial.values[subject, arm].copy()
    values[trial.hours > max(trial.hours[0], -np.inf if until_h is None else until_h)] = np.nan
    plasma = {}
    if with_concentration and len(given.drugs) == 1 and given.cmax_ng_ml:
        relative = torch.from_numpy(trial.plasma_ng_ml[subject, arm] / given.cmax_ng_ml)
        plasma = {given.drugs[0].name: torch.where(torch.from_numpy(trial.hours) > 0, relative, torch.nan)}
    return Series(given.drugs, torch.from_numpy(trial.hours), torch.from_numpy(values), plasma)


def _draw_changes(series: Series, population: Population, seed: int) -> NDArray[np.float64]:
    """Changes from the measured baseline in people who fit to the series, (SAMPLES, time, interval)."""
    bearing = Bearing(torch.full((1,), torch.nan), torch.zeros(1, dtype=torch.bool))
    seen = see([series], [], population, bearing, like_volunteers=True)
    asked = Series(series.drugs, series.hours, torch.full_like(series.values, torch.nan))
    generator = torch.Generator().manual_seed(seed)
    normal = balanced_normal(SAMPLES, size_of(seen), generator).double()
    normal_day = balanced_normal(SAMPLES, N * len(series.hours), generator).double()
    (values,) = draw(seen, [asked], normal, normal_day, noisy=True)
    return intervals_of(values.numpy()) - intervals_of(series.values[:1].numpy())


def intervals_of(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(..., 6) values in the order of EFFECTS to (..., 6) intervals in the order of INTERVALS.

    QT is QRS + J-Tpeak + Tpeak-Tend, as in the trial's own table.
    """
    of = dict(zip(EFFECTS, np.moveaxis(values, -1, 0), strict=True))
    rr_s = 60.0 / of["hr_bpm"]
    qt = of["qrs_ms"] + of["jtpeakc_ms"] * rr_s**JT_RR_EXPONENT + of["tpeak_tend_ms"]
    named = {**of, "qtcf_ms": qt / rr_s ** (1.0 / 3.0)}
    return np.stack([named[name] for name in INTERVALS], axis=-1)


@dataclass(frozen=True)
class IntervalScore:
    """One interval over all subjects, arms and times. MAE in its unit; coverage of 80 and 90 % intervals.

    of_mean_effect: the MAE of `mean_effects`, None for a lone subject; of_persistence: of saying "no change".
    """

    interval: str
    pairs: int
    mae: float
    of_mean_effect: float | None
    of_persistence: float
    bias: float
    coverage_80: float
    coverage_90: float


def score(
    trial: Trial, predicted: Predictions, beside: NDArray[np.float64], after_h: float = 0.0
) -> list[IntervalScore]:
    """Scores over the times after `after_h`. beside: predictions of the mean effect."""
    truth = changes(trial)[:, :, trial.hours > after_h]
    mean = predicted.mean[:, :, trial.hours > after_h]
    usual = beside[:, :, trial.hours > after_h]
    low90, low80, high80, high90 = predicted.quantiles[:, :, :, trial.hours > after_h]
    scores = []
    for i, name in enumerate(INTERVALS):
        at = np.isfinite(truth[..., i]) & np.isfinite(mean[..., i])
        if not at.any():
            continue
        y, x, of_others = truth[..., i][at], mean[..., i][at], usual[..., i][at]
        known = np.isfinite(of_others)
        scores.append(
            IntervalScore(
                name,
                int(at.sum()),
                float(np.abs(x - y).mean()),
                float(np.abs(of_others - y)[known].mean()) if known.any() else None,
                float(np.abs(y).mean()),
                float((x - y).mean()),
                float(((low80[..., i][at] <= y) & (y <= high80[..., i][at])).mean()),
                float(((low90[..., i][at] <= y) & (y <= high90[..., i][at])).mean()),
            )
        )
    return scores


@dataclass(frozen=True)
class CourseRow:
    """One drug and interval: a mean placebo-corrected course at `hours` beside the trial's own. All (time,).

    low, high: the trial's 95 % confidence band, mean over subjects +- 1.96 SE of their differences from placebo; NaN
    where fewer than two subjects have one.
    """

    drug: str
    interval: str
    hours: NDArray[np.float64]
    course: NDArray[np.float64]
    trial: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    @property
    def inside(self) -> int:
        """At how many of the times the course lies in the band."""
        return int(((self.low <= self.course) & (self.course <= self.high)).sum())


def course_rows(trial: Trial, courses: NDArray[np.float64]) -> list[CourseRow]:
    """Mean courses (arm, time after the dose, interval), in the trial's arms, less that of placebo, beside the trial.

    No rows where the trial has no placebo arm.
    """
    if PLACEBO not in trial.arms:
        return []
    after = trial.hours > 0
    placebo = trial.arms.index(PLACEBO)
    truth = changes(trial)[:, :, after]
    difference = truth - truth[:, placebo, None]
    known = np.isfinite(difference)
    n = np.where(known.sum(axis=0) > 1, known.sum(axis=0), np.nan)
    centre = np.where(known, difference, 0.0).sum(axis=0) / n
    scatter = np.where(known, (difference - centre) ** 2, 0.0).sum(axis=0)
    half = 1.96 * np.sqrt(scatter / (n - 1) / n)
    return [
        CourseRow(
            arm,
            interval,
            trial.hours[after],
            (courses[j] - courses[placebo])[:, i],
            centre[j, :, i],
            (centre - half)[j, :, i],
            (centre + half)[j, :, i],
        )
        for j, arm in enumerate(trial.arms)
        if arm != PLACEBO
        for i, interval in enumerate(INTERVALS)
    ]


def population_courses(
    trial: Trial, population: Population, given: Mapping[str, Given]
) -> NDArray[np.float64]:
    """Mean changes of an average volunteer, (arm, time after the dose, interval), in the trial's arms."""
    blank = np.full((1, len(trial.arms), len(trial.hours)), np.nan)
    values = np.repeat(blank[..., None], N, axis=-1)
    values[:, :, 0] = population.day.level_mean.numpy()
    average = replace(trial, subjects=("average",), values=values, qtcf_ms=blank, plasma_ng_ml=blank)
    return predict_trial(average, given, population).mean[0, :, trial.hours > 0].swapaxes(0, 1)


def given_of(trial: Trial, population: Population) -> dict[str, Given]:
    """What the trial's own drugs are, from the population that was fitted to them. Raises KeyError for another drug."""
    return {
        arm: Given((population.drugs[arm].exposure,), population.drugs[arm].cmax_ng_ml)
        for arm in trial.arms
        if arm != PLACEBO
    }
