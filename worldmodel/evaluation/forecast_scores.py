"""Figures of merit of a Comparison: bias, spread, coverage, correlation, change of risk, and who is recognised.

Each is a function of (comparison, contestant), so that patients can be resampled under it; NaN where nothing
was measured or a contestant cannot have it, such as coverage without several samples.
"""

import warnings
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from worldmodel.evaluation.comparison import Comparison
from worldmodel.evaluation.unseen import COLUMNS, MEASURED, QTCF, RISK

RESAMPLES = 300
SHIFTS = range(-4, 5)  # samples that two medians may be aligned by
SIGN_FROM = 0.005  # of risk: a smaller true change has no sign to agree with
Statistic = Callable[[Comparison, str], float]


def estimate(statistic: Statistic, of: Comparison, name: str, seed: int) -> tuple[float, float, float]:
    """Value, and where 95 % of its values over resampled patients lie."""
    rng = np.random.default_rng(seed)
    n = len(of.before)
    drawn = [value_of(statistic, of.of(rng.integers(0, n, n)), name) for _ in range(RESAMPLES)]
    value = value_of(statistic, of, name)
    known = np.array(drawn)[np.isfinite(drawn)]
    low, high = np.quantile(known, (0.025, 0.975)) if known.size else (np.nan, np.nan)
    return value, float(low), float(high)


def value_of(statistic: Statistic, of: Comparison, name: str) -> float:
    """The statistic; what was measured in no sample stays NaN without numpy's warning."""
    with warnings.catch_warnings(), np.errstate(invalid="ignore", divide="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)
        return statistic(of, name)


def true_means(of: Comparison) -> NDArray[np.float64]:
    """(action, 6) mean measured change of MEASURED, freed of which responses happened to be drawn.

    The difference between the expected change and the one drawn is known for virtual patients, and added: a
    control variate, without which 40 patients would leave 2 ms of chance in the mean QTcF change.
    """
    change = of.truth[..., : len(MEASURED)] - of.before[:, None, None, : len(MEASURED)]
    return np.asarray(_mean(change + of.expected[:, :, None] - of.drawn, (0, 2)))


def biases(of: Comparison, name: str) -> NDArray[np.float64]:
    """(action, 6) simulated less true mean change; of the oracle, against the recordings of the same responses."""
    change = of.predicted[name] - of.before[:, None, None]
    change = change[..., : len(MEASURED)]
    if name == "oracle":
        change = change + (of.expected - of.drawn[:, :, 0])[:, :, None]
    return np.asarray(_mean(change, (0, 2)) - true_means(of))


def rms_bias(interval: str, drugs: NDArray[np.bool_]) -> Statistic:
    """RMS over drugs, (action,) bool, of the mean-effect bias of one of MEASURED."""
    column = MEASURED.index(interval)
    return lambda of, name: float(np.sqrt(np.mean(biases(of, name)[drugs, column] ** 2)))


def false_effect(no_drug: NDArray[np.bool_]) -> Statistic:
    """Size of the QTcF effect, beyond the true change, where nothing was given, (action,) bool; ms."""
    return lambda of, name: float(abs(biases(of, name)[no_drug, QTCF].mean()))


def spread_ratio(interval: str) -> Statistic:
    """Simulated over true SD of the change of one interval, over patients and samples, pooled over actions."""
    column = COLUMNS.index(interval)

    def ratio(of: Comparison, name: str) -> float:
        simulated, true = (
            np.nanvar(x[..., column] - of.before[:, None, None, column], axis=(0, 2), ddof=1).mean()
            for x in (of.predicted[name], of.truth)
        )
        return float(np.sqrt(simulated / true))

    return ratio


def standing(of: Comparison, name: str, column: int) -> NDArray[np.float64]:
    """(n, a, day) where the true measured value stands in Student's t of the samples, 0..1 (the PIT).

    (truth - mean) / SD with k - 1 degrees of freedom. Stage one balances its draws, so that their mean is that of
    the distribution and carries no error of its own; with independent draws the SD would be widened by
    sqrt(1 + 1/k). The true value is a recording on another day with its own noise, as in use.
    """
    from scipy.stats import t

    samples, truth = of.predicted[name][..., column], of.truth[..., column]
    known = np.isfinite(samples).sum(axis=2)
    mean, sd = np.nanmean(samples, axis=2), np.nanstd(samples, axis=2, ddof=1)
    z = (truth - mean[..., None]) / sd[..., None]
    return np.asarray(t.cdf(z, (known - 1)[..., None]))


def coverage(interval: str, share: float) -> Statistic:
    """Per cent of true post-dose values inside the central `share` interval of each patient's own samples."""
    column = COLUMNS.index(interval)

    def inside(of: Comparison, name: str) -> float:
        if of.predicted[name].shape[2] < 3:
            return np.nan
        stands = standing(of, name, column)
        stands = stands[np.isfinite(stands)]
        return float(100 * np.mean(np.abs(stands - 0.5) <= share / 2))

    return inside


def pit_sd(interval: str) -> Statistic:
    """SD of `standing` over that of a uniform: 1 where the spread is right, above where it is too narrow."""
    column = COLUMNS.index(interval)

    def sd(of: Comparison, name: str) -> float:
        if of.predicted[name].shape[2] < 3:
            return np.nan
        return float(np.nanstd(standing(of, name, column)) * np.sqrt(12.0))

    return sd


def correlation(of: Comparison, name: str) -> float:
    """r of predicted mean and true QTcF change, over patients and actions."""
    predicted = np.nanmean(of.predicted[name][..., QTCF], axis=2) - of.before[:, None, QTCF]
    return _r(predicted, of)


def ceiling(of: Comparison, _: str = "") -> float:
    """r that the expected response reaches, given action and covariates."""
    return _r(of.expected[..., QTCF], of)


def of_ceiling(of: Comparison, name: str) -> float:
    return correlation(of, name) / ceiling(of)


def _r(predicted: NDArray[np.float64], of: Comparison) -> float:
    true = of.truth[..., QTCF] - of.before[:, None, None, QTCF]
    return pearson(np.broadcast_to(predicted[..., None], true.shape), true)


def risk_changes(of: Comparison, name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean simulated and true change of the interval risk, (n, a, day) each."""
    before = of.before[:, None, None, RISK]
    true = of.truth[..., RISK] - before
    simulated = np.nanmean(of.predicted[name][..., RISK], axis=2, keepdims=True) - before
    return np.broadcast_to(simulated, true.shape), true


def risk_pearson(of: Comparison, name: str) -> float:
    return pearson(*risk_changes(of, name))


def risk_sign(of: Comparison, name: str) -> float:
    """Per cent whose risk changes in the direction that it truly does, where it truly does."""
    simulated, true = risk_changes(of, name)
    told = np.isfinite(simulated) & (np.abs(true) >= SIGN_FROM)
    return float(100 * np.mean(np.sign(simulated[told]) == np.sign(true[told])))


def recognised(of: Comparison, name: str, actions: NDArray[np.bool_]) -> float:
    """Per cent of ECGs under `actions` (a,) whose median beat is nearest to its own patient's pre-dose one, of all.

    RMS distance over twelve leads, aligned on R and by the best shift of SHIFTS; a beat that could not be
    measured is not recognised. NaN for a contestant that draws no ECG.
    """
    if name not in of.beats:
        return np.nan
    edge = max(SHIFTS)
    beats = of.beats[name][:, actions]
    hits = []
    for patient, own in enumerate(beats):
        for beat in own:
            shifted = (beat[:, edge + s : beat.shape[-1] - edge + s] for s in SHIFTS)
            apart = [np.mean((of.gallery[..., edge:-edge] - one) ** 2, axis=(1, 2)) for one in shifted]
            distance = np.min(apart, axis=0)
            hits.append(bool(np.isfinite(distance).all()) and int(distance.argmin()) == patient)
    return float(100 * np.mean(hits))


def pearson(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Of the pairs known on both sides; NaN where one side is constant."""
    known = np.isfinite(x) & np.isfinite(y)
    x, y = x[known], y[known]
    if len(x) < 3 or x.std() < 1e-9 or y.std() < 1e-9:
        return np.nan
    return float(np.corrcoef(x, y)[0, 1])


def _mean(x: NDArray[np.float64], axes: tuple[int, ...]) -> NDArray[np.float64]:
    return np.asarray(np.nanmean(x, axis=axes))
