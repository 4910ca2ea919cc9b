"""What evaluating the delineator gives: rows for waves, points and intervals of each set, by delineator."""

from tools.results import Answer, Result


class Estimated(Result):
    """A statistic, and where 95 % of its values over resampled records lie."""

    value: float
    ci95: tuple[float, float]


class WaveDetection(Result):
    """Waves found within the window of a marked peak, over all leads.

    false, ppv and f1 are null where not all beats are marked.
    """

    delineator: str
    wave: str
    records: int
    marks: int
    found: int
    false: int | None
    sensitivity: Estimated | None
    ppv: Estimated | None
    f1: Estimated | None
    f1_goal: float
    f1_reached: bool | None


class PointError(Result):
    """Read - marked of one point of the found waves. tolerance: of the SD, two of cardiologists (CSE)."""

    delineator: str
    point: str
    records: int
    marks: int
    read: int
    mean_ms: Estimated | None
    sd_ms: Estimated | None
    mae_ms: Estimated | None
    median_abs_ms: Estimated | None
    tolerance_sd_ms: float | None
    within_tolerance: bool | None


class PointCompared(Result):
    """Mean absolute errors on the marks that both have read; the difference is ours - NeuroKit2's."""

    point: str
    marks: int
    ours_mae_ms: Estimated | None
    neurokit_mae_ms: Estimated | None
    difference_ms: Estimated | None


class ConfidenceKept(Result):
    """mean: of what is said to lie within tolerance_ms of the marks; within: the share that does."""

    tolerance_ms: float
    mean: float
    within: float


class IntervalError(Result):
    """An interval of whole recordings against the median of the marks (or the truth), in sinus rhythm."""

    delineator: str
    interval: str
    asked: int
    answered: int
    bias_ms: Estimated | None
    median_ms: Estimated | None
    sd_ms: Estimated | None
    mae_ms: Estimated | None
    median_abs_ms: Estimated | None
    goal: str | None
    reached: bool | None
    confidence: ConfidenceKept | None


class NoPr(Result):
    """In how many recordings of fibrillation, flutter or pacing PR is null, as it should be."""

    delineator: str
    records: int
    null: int


class SetScored(Result):
    """One set. unreadable: records left out, with the reason. failed_leads: leads a delineator raised on."""

    name: str
    about: str
    records: int
    sinus_records: int
    unreadable: tuple[str, ...]
    failed_leads: dict[str, int]
    detection: tuple[WaveDetection, ...]
    points: tuple[PointError, ...]
    compared: tuple[PointCompared, ...]
    intervals: tuple[IntervalError, ...]
    no_pr: tuple[NoPr, ...]


class NeuroKitUsed(Result):
    """version: of NeuroKit2; null where it was not run, and why_not says why and how to get it."""

    version: str | None = None
    why_not: str | None = None


class DelineationResult(Answer):
    """One entry for each set, and where there are several with marks one for all of these."""

    seed: int
    resamples: int
    window_ms: int
    neurokit: NeuroKitUsed
    sets: tuple[SetScored, ...]
