"""Tool: what stage one predicts for the subjects of a real crossover trial, beside what was measured."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tools.errors import OutputError
from tools.results import Answer, Result, rounded
from worldmodel.datasets.ecgrdvq import PLACEBO, Trial, read_trial
from worldmodel.errors import DataSetError
from worldmodel.evaluation.trial import (
    INTERVALS,
    QUANTILES,
    Given,
    Predictions,
    given_of,
    mean_effects,
    predict_trial,
    profile_inside,
    score,
)
from worldmodel.population import Population, shipped_population

Progress = Callable[[float], None]


class TrialIntervalScore(Result):
    """One interval over all subjects, arms and times after the dose, errors in its unit, coverage in percent.

    mae_of_mean_effect: of the mean change of drug and time in the other subjects; mae_of_persistence: of "no change".
    """

    interval: str
    pairs: int
    mae: float
    mae_of_mean_effect: float
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


class TrialEvaluation(Answer):
    """One score for each interval, and the mean course of each drug."""

    subjects: int
    fitted_to: str
    with_concentration: bool
    observe_until_h: float | None
    leave_one_subject_out: bool
    scores: tuple[TrialIntervalScore, ...]
    profile: tuple[ProfileInside, ...]
    predictions: str | None


def evaluate_trial(
    data: Path,
    *,
    with_concentration: bool = False,
    observe_until_h: float | None = None,
    leave_one_subject_out: bool = False,
    predictions: Path | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> TrialEvaluation:
    """Predict each period of the table at `data` from its baseline, drug and dose, and score the predictions.

    leave_one_subject_out: fit again without each subject. predictions: a CSV to write. Raises DataSetError,
    WeightsError, OutputError.
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
    beside = mean_effects(trial, leave_out=len(trial.subjects) > 1)
    return TrialEvaluation(
        subjects=len(trial.subjects),
        fitted_to=f"{len(trial.subjects) - 1} others, each time" if leave_one_subject_out else shipped.source,
        with_concentration=with_concentration,
        observe_until_h=observe_until_h,
        leave_one_subject_out=leave_one_subject_out,
        scores=tuple(
            _given_score(asdict(one)) for one in score(trial, found, beside, observe_until_h or 0.0)
        ),
        profile=tuple(
            ProfileInside(drug=arm, interval=interval, inside=inside, times=times)
            for arm, interval, inside, times in profile_inside(trial, shipped, given)
        ),
        predictions=None if predictions is None else str(predictions),
        warnings=tuple(warnings),
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
    partial = path.with_name(path.name + ".partial")
    try:
        partial.write_text("\n".join(lines) + "\n", "utf-8")
        partial.replace(path)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}.", "Choose another place.") from error


def _given_score(facts: dict[str, float]) -> TrialIntervalScore:
    return TrialIntervalScore(
        interval=str(facts["interval"]),
        pairs=int(facts["pairs"]),
        mae=_shown(facts["mae"]),
        mae_of_mean_effect=_shown(facts["of_mean_effect"]),
        mae_of_persistence=_shown(facts["of_persistence"]),
        bias=_shown(facts["bias"]),
        coverage_80_percent=_shown(100 * facts["coverage_80"], 1),
        coverage_90_percent=_shown(100 * facts["coverage_90"], 1),
    )


def _shown(value: float, digits: int = 2) -> float:
    found = rounded(value, digits)
    assert found is not None
    return found
