"""Tool: what stage one predicts for the subjects of a real crossover trial, beside what was measured."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tools.errors import OutputError
from tools.evaluate import read_recordings
from tools.model import shared_model
from tools.results import Answer, Result, rounded
from tools.writing import written_whole
from worldmodel.datasets.ecgrdvq import PLACEBO, Trial, read_trial
from worldmodel.errors import DataSetError
from worldmodel.evaluation.trial import (
    INTERVALS,
    QUANTILES,
    CourseRow,
    Given,
    IntervalScore,
    Predictions,
    course_rows,
    given_of,
    mean_effects,
    population_courses,
    predict_trial,
    score,
)
from worldmodel.evaluation.trial_on_ecgs import evaluate_on_ecgs
from worldmodel.population import Population, shipped_population

Progress = Callable[[float], None]


class TrialIntervalScore(Result):
    """One interval over all subjects, arms and times after the dose, errors in its unit, coverage in percent.

    mae_of_mean_effect: of the mean change of drug and time in the other subjects, null for a lone one.
    mae_of_persistence: of "no change".
    """

    interval: str
    pairs: int
    mae: float
    mae_of_mean_effect: float | None
    mae_of_persistence: float
    bias: float
    coverage_80_percent: float
    coverage_90_percent: float


class ProfileInside(Result):
    """At how many of the times the mean placebo-corrected course lies inside the trial's 95 % confidence band."""

    drug: str
    interval: str
    inside: int
    times: int


class CourseOnEcgs(Result):
    """Mean placebo-corrected course that the world model simulates on real recordings, beside the trial's.

    low, high: the trial's 95 % confidence band; inside: at how many of `hours` the simulated mean lies in it.
    """

    drug: str
    interval: str
    inside: int
    hours: tuple[float, ...]
    simulated: tuple[float | None, ...]
    trial: tuple[float | None, ...]
    low: tuple[float | None, ...]
    high: tuple[float | None, ...]


class TrialEvaluation(Answer):
    """One score for each interval, and the mean course of each drug; `on_ecgs` simulated on `recordings` real ECGs."""

    subjects: int
    fitted_to: str
    with_concentration: bool
    observe_until_h: float | None
    leave_one_subject_out: bool
    scores: tuple[TrialIntervalScore, ...]
    profile: tuple[ProfileInside, ...]
    recordings: int
    k: int
    on_ecgs: tuple[CourseOnEcgs, ...]
    predictions: str | None


def evaluate_trial(
    data: Path,
    *,
    with_concentration: bool = False,
    observe_until_h: float | None = None,
    leave_one_subject_out: bool = False,
    predictions: Path | None = None,
    recordings: Sequence[Path] = (),
    k: int = 3,
    seed: int = 0,
    progress: Progress | None = None,
) -> TrialEvaluation:
    """Predict each period of the table at `data` from its baseline, drug and dose, and score the predictions.

    leave_one_subject_out: fit again without each subject. predictions: a CSV to write. recordings: folders of ECGs on
    which the drugs are simulated, too, k times each. Raises DataSetError, EcgFileError, WeightsError, OutputError.
    """
    trial = read_trial(data)
    shipped = shipped_population()
    given = _given(trial, shipped)
    if predictions is not None and not predictions.parent.is_dir():
        raise OutputError(f"There is no folder {predictions.parent}.", "Make it, or write elsewhere.")
    warnings = _warnings(trial, shipped, leave_one_subject_out)
    if leave_one_subject_out:
        found = _left_out(trial, with_concentration, observe_until_h, seed, progress)
    else:
        found = predict_trial(
            trial,
            given,
            shipped,
            with_concentration=with_concentration,
            observe_until_h=observe_until_h,
            seed=seed,
            progress=progress,
        )
    if predictions is not None:
        _write(predictions, trial, found)
    ecgs, doubts = read_recordings(recordings)
    courses, used = (
        evaluate_on_ecgs(shared_model(), ecgs, trial, given, k, seed, progress) if ecgs else ([], 0)
    )
    return TrialEvaluation(
        subjects=len(trial.subjects),
        fitted_to=f"{len(trial.subjects) - 1} others, each time" if leave_one_subject_out else shipped.source,
        with_concentration=with_concentration,
        observe_until_h=observe_until_h,
        leave_one_subject_out=leave_one_subject_out,
        scores=tuple(map(_given_score, score(trial, found, mean_effects(trial), observe_until_h or 0.0))),
        profile=tuple(
            ProfileInside(drug=row.drug, interval=row.interval, inside=row.inside, times=len(row.hours))
            for row in course_rows(trial, population_courses(trial, shipped, given))
        ),
        recordings=used,
        k=k,
        on_ecgs=tuple(_course(row) for row in courses),
        predictions=None if predictions is None else str(predictions),
        warnings=(*warnings, *doubts),
    )


def _given(trial: Trial, population: Population) -> dict[str, Given]:
    strange = [trial.labels[arm] for arm in trial.arms if arm != PLACEBO and arm not in population.drugs]
    if strange:
        raise DataSetError(
            f"The table has arms that stage one was not fitted to: {', '.join(strange)}.",
            f"Leave them out; it knows {', '.join(population.drugs)} and placebo.",
        )
    return given_of(trial, population)


def _warnings(trial: Trial, population: Population, left_out: bool) -> list[str]:
    fitted = [subject for subject in trial.subjects if subject in population.subjects]
    if left_out or not fitted:
        return []
    return [
        f"{len(fitted)} of {len(trial.subjects)} subjects are among those that stage one was fitted to: in-sample. "
        "Add --leave-one-subject-out for predictions of subjects that were not seen."
    ]


def _left_out(
    trial: Trial,
    with_concentration: bool,
    observe_until_h: float | None,
    seed: int,
    progress: Progress | None,
) -> Predictions:
    """Predictions of each subject by a population that was fitted to the others."""
    from worldmodel.population_fit import fit_population

    n = len(trial.subjects)
    if n < 3:
        raise DataSetError("Leaving one subject out needs at least three.", "Use the shipped model instead.")
    found = []
    for i in range(n):

        def step(done: float, i: int = i) -> None:
            if progress is not None:
                progress((i + done) / n)

        population = fit_population(trial.without(i), progress=step)
        one = trial.only(i)
        found.append(
            predict_trial(
                one,
                given_of(one, population),
                population,
                with_concentration=with_concentration,
                observe_until_h=observe_until_h,
                seed=seed,
            )
        )
    return Predictions(
        np.concatenate([one.mean for one in found]),
        np.concatenate([one.quantiles for one in found], axis=1),
    )


def _write(path: Path, trial: Trial, found: Predictions) -> None:
    """One row for each subject, arm and time after the dose; whole or not at all. Raises OutputError."""
    low, high = found.quantiles[QUANTILES.index(0.05)], found.quantiles[QUANTILES.index(0.95)]
    names = [f"{name}_{what}" for name in INTERVALS for what in ("mean", "q05", "q95")]
    lines = [",".join(["RANDID", "EXTRT", "TPT", *names])]
    for i, subject in enumerate(trial.subjects):
        for j, arm in enumerate(trial.arms):
            for t in np.flatnonzero(trial.hours > 0):
                place = (i, j, int(t))
                if not trial.taken[place]:
                    continue
                values: NDArray[np.float64] = np.stack([found.mean[place], low[place], high[place]], axis=1)
                cells = ["NA" if np.isnan(value) else f"{value:.3f}" for value in values.ravel()]
                label = trial.labels[arm]
                lines.append(",".join([subject, f'"{label}"', f"{trial.hours[t]:g}", *cells]))
    with written_whole(path) as unfinished:
        unfinished.write_text("\n".join(lines) + "\n", "utf-8")


def _course(row: CourseRow) -> CourseOnEcgs:
    def plain(values: NDArray[np.float64]) -> tuple[float | None, ...]:
        return tuple(None if np.isnan(value) else rounded(value) for value in values)

    return CourseOnEcgs(
        drug=row.drug,
        interval=row.interval,
        inside=row.inside,
        hours=tuple(row.hours.tolist()),
        simulated=plain(row.course),
        trial=plain(row.trial),
        low=plain(row.low),
        high=plain(row.high),
    )


def _given_score(one: IntervalScore) -> TrialIntervalScore:
    return TrialIntervalScore(
        interval=one.interval,
        pairs=one.pairs,
        mae=_shown(one.mae),
        mae_of_mean_effect=rounded(one.of_mean_effect, 2),
        mae_of_persistence=_shown(one.of_persistence),
        bias=_shown(one.bias),
        coverage_80_percent=_shown(100 * one.coverage_80, 1),
        coverage_90_percent=_shown(100 * one.coverage_90, 1),
    )


def _shown(value: float, digits: int = 2) -> float:
    found = rounded(value, digits)
    assert found is not None
    return found
