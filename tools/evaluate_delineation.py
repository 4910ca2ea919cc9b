"""Tool: does our delineator agree with human marks and known truth, and does NeuroKit2 on the same beats?"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tools.delineation_scores import (
    ConfidenceKept,
    DelineationResult,
    Estimated,
    IntervalError,
    NeuroKitUsed,
    NoPr,
    PointCompared,
    PointError,
    SetScored,
    WaveDetection,
)
from tools.errors import MissingInputError
from tools.results import rounded

if TYPE_CHECKING:
    from worldmodel.evaluation.contest import ScoredSet
    from worldmodel.evaluation.contestants import Delineator
    from worldmodel.evaluation.delineation import Estimate, Score

OURS, NEUROKIT = "ours", "NeuroKit2"
# What the synthetic ECGs and clean median beats have to show, in ms.
_LARGEST_BIAS_MS, _LARGEST_SD_MS, _LARGEST_CLEAN_QT_MS = 1.0, 4.0, 3.0
_F1_GOALS = {"qrs": 0.999, "p": 0.98, "t": 0.99}
_LARGEST_MAE_MS = {"pr_ms": 6.0, "qrs_ms": 6.0, "qt_ms": 10.0}
_CLEAN = ("FDA median beats", "synthetic, fda-like")
# Where T ends by the tangent, by the way these were made.
TANGENT = ("synthetic, fda-like", "synthetic, gaussian, 2 SD")


def evaluate_delineation(
    folders: Sequence[Path],
    annotator: str | None,
    neurokit: str | None,
    synthetic: int,
    most: int | None,
    seed: int,
    progress: Callable[[float], None] | None = None,
) -> DelineationResult:
    """Score the sets in `folders`, and `synthetic` recordings of each synthetic family.

    annotator: extension of the marks, of other sets than the known ones. neurokit: a Python that has
    NeuroKit2, or None. most: at most so many records of each set, drawn with the seed.
    Raises MissingInputError, EcgFileError, PeerError.
    """
    from contextlib import ExitStack

    from worldmodel.evaluation.annotated_sets import find_set
    from worldmodel.evaluation.contest import drawn, pool, score_sets
    from worldmodel.evaluation.contestants import HOW_TO_GET_IT, NeuroKit, ours
    from worldmodel.evaluation.delineation import RESAMPLES, WINDOW_S
    from worldmodel.evaluation.synthetic import synthetic_sets

    marked = [drawn(find_set(folder, annotator), most, seed) for folder in folders]
    made = synthetic_sets(synthetic, seed) if synthetic else []
    if not marked and not made:
        raise MissingInputError(
            "There is nothing to evaluate on.", "Name the folder of an annotated set with --data."
        )
    with ExitStack() as stack:
        delineators: dict[str, Delineator] = {OURS: ours}
        used = NeuroKitUsed(why_not=f"no Python that has it was named. {HOW_TO_GET_IT}")
        if neurokit is not None:
            peer = stack.enter_context(NeuroKit(neurokit))
            delineators[NEUROKIT], used = peer, NeuroKitUsed(version=peer.version)
        scored = score_sets([*marked, *made], delineators, progress)
    if len(marked) > 1:
        scored.insert(len(marked), pool(scored[: len(marked)]))
    doubts = [f"{one.source.name}: {line}" for one in scored for line in (*one.unreadable, *one.broken)]
    return DelineationResult(
        warnings=tuple(doubts),
        seed=seed,
        resamples=RESAMPLES,
        window_ms=round(1000 * WINDOW_S),
        neurokit=used,
        sets=tuple(_summary(one, seed) for one in scored),
    )


def _summary(scored: "ScoredSet", seed: int) -> SetScored:
    sinus = [i for i, rhythm in enumerate(scored.rhythms) if rhythm == "sinus"]
    no_p = [i for i, rhythm in enumerate(scored.rhythms) if rhythm == "no_p"]
    pr = {name: [one.intervals_ms["pr_ms"][1] for one in scores] for name, scores in scored.scores.items()}
    return SetScored(
        name=scored.source.name,
        about=scored.source.about,
        records=len(scored.rhythms),
        sinus_records=len(sinus),
        unreadable=scored.unreadable,
        failed_leads={name: sum(s.failed_leads for s in scores) for name, scores in scored.scores.items()},
        detection=_detection(scored, seed),
        points=_points(scored, seed),
        compared=_compared(scored, seed),
        intervals=_intervals(scored, sinus, seed),
        no_pr=tuple(
            NoPr(delineator=name, records=len(no_p), null=sum(values[i] is None for i in no_p))
            for name, values in pr.items()
            if no_p
        ),
    )


def _detection(scored: "ScoredSet", seed: int) -> tuple[WaveDetection, ...]:
    from worldmodel.evaluation.delineation import detection
    from worldmodel.evaluation.marks import KINDS

    rows = []
    for wave in KINDS:
        for name, scores in scored.scores.items():
            counts = [one.counts[wave] for one in scores]
            found, missed, false = (int(sum(count[i] for count in counts)) for i in range(3))
            if not found + missed:
                continue
            known = {key: _estimated(value, 4) for key, value in detection(counts, seed).items()}
            if not scored.source.complete:
                known |= {"ppv": None, "f1": None}
            rows.append(
                WaveDetection(
                    delineator=name,
                    wave=wave,
                    records=sum(bool(count[0] + count[1]) for count in counts),
                    marks=found + missed,
                    found=found,
                    false=false if scored.source.complete else None,
                    f1_goal=_F1_GOALS[wave],
                    f1_reached=known["f1"].value >= _F1_GOALS[wave] if known["f1"] else None,
                    **known,
                )
            )
    return tuple(rows)


def _points(scored: "ScoredSet", seed: int) -> tuple[PointError, ...]:
    import numpy as np

    from worldmodel.evaluation.delineation import POINTS, TOLERANCES_MS, error_statistics

    rows = []
    for point in POINTS:
        for name, scores in scored.scores.items():
            errors = [one.errors_ms[point] for one in scores]
            if not sum(map(len, errors)):
                continue
            known = {key: _estimated(value) for key, value in error_statistics(errors, seed).items()}
            tolerance, sd = TOLERANCES_MS.get(point), known["sd"]
            rows.append(
                PointError(
                    delineator=name,
                    point=point,
                    records=sum(bool(len(one)) for one in errors),
                    marks=sum(map(len, errors)),
                    read=int(sum(np.isfinite(one).sum() for one in errors)),
                    mean_ms=known["mean"],
                    sd_ms=sd,
                    mae_ms=known["mae"],
                    median_abs_ms=known["median_abs"],
                    tolerance_sd_ms=tolerance,
                    within_tolerance=None if sd is None or tolerance is None else sd.value <= tolerance,
                )
            )
    return tuple(rows)


def _compared(scored: "ScoredSet", seed: int) -> tuple[PointCompared, ...]:
    from worldmodel.evaluation.delineation import POINTS, mae_difference

    if NEUROKIT not in scored.scores:
        return ()
    rows = []
    for point in POINTS:
        both = [[one.errors_ms[point] for one in scored.scores[name]] for name in (OURS, NEUROKIT)]
        marks, known = mae_difference(both[0], both[1], seed)
        if marks:
            rows.append(
                PointCompared(
                    point=point,
                    marks=marks,
                    ours_mae_ms=_estimated(known["ours"]),
                    neurokit_mae_ms=_estimated(known["theirs"]),
                    difference_ms=_estimated(known["difference"]),
                )
            )
    return tuple(rows)


def _intervals(scored: "ScoredSet", sinus: Sequence[int], seed: int) -> tuple[IntervalError, ...]:
    import numpy as np

    from worldmodel.evaluation.delineation import error_statistics
    from worldmodel.evaluation.marks import INTERVALS

    rows = []
    for interval in INTERVALS:
        for name, scores in scored.scores.items():
            pairs = [scores[i].intervals_ms[interval] for i in sinus]
            asked = [(marked, read) for marked, read in pairs if marked is not None]
            if not asked:
                continue
            errors = [np.array([read - marked]) for marked, read in asked if read is not None]
            known = {key: _estimated(value) for key, value in error_statistics(errors, seed).items()}
            goal, reached = _goal(scored.source.name, interval, known)
            rows.append(
                IntervalError(
                    delineator=name,
                    interval=interval,
                    asked=len(asked),
                    answered=len(errors),
                    bias_ms=known["mean"],
                    median_ms=known["median"],
                    sd_ms=known["sd"],
                    mae_ms=known["mae"],
                    median_abs_ms=known["median_abs"],
                    goal=goal,
                    reached=reached,
                    confidence=None
                    if scored.source.name.startswith("synthetic")  # where these end is no reader's word
                    else _confidence_kept([scores[i] for i in sinus], interval),
                )
            )
    return tuple(rows)


def _confidence_kept(scores: "Sequence[Score]", interval: str) -> ConfidenceKept | None:
    """Of the recordings whose reading carries a confidence and whose marks give the interval."""
    from worldmodel.delineation.intervals import TOLERANCE_MS

    told = [
        (one.confidence[interval], abs(read - marked) < TOLERANCE_MS[interval][2])
        for one in scores
        for marked, read in [one.intervals_ms[interval]]
        if marked is not None and read is not None and interval in one.confidence
    ]
    if not told:
        return None
    mean, within = (sum(column) / len(told) for column in zip(*told, strict=True))
    return ConfidenceKept(
        tolerance_ms=TOLERANCE_MS[interval][2], mean=round(mean, 3), within=round(within, 3)
    )


def _goal(name: str, interval: str, known: dict[str, Estimated | None]) -> tuple[str | None, bool | None]:
    """What is asked of an interval in a set, and whether it is reached; None where nothing is asked or known."""
    bias, sd, median_abs = known["mean"], known["sd"], known["median_abs"]
    if interval == ("qt_ms" if name in TANGENT else "qt_tangent_ms"):
        return None, None
    if name in _CLEAN:
        if interval not in ("qt_ms", "qt_tangent_ms"):
            return None, None
        goal = f"median |e| ≤ {_LARGEST_CLEAN_QT_MS:g}"
        return goal, None if median_abs is None else median_abs.value <= _LARGEST_CLEAN_QT_MS
    if not name.startswith("synthetic"):
        most, mae = _LARGEST_MAE_MS.get(interval), known["mae"]
        reached = None if most is None or mae is None else mae.value <= most
        return None if most is None else f"MAE ≤ {most:g} ({interval.removesuffix('_ms').upper()})", reached
    goal = f"|bias| < {_LARGEST_BIAS_MS:g}, SD < {_LARGEST_SD_MS:g}"
    if bias is None or sd is None:
        return goal, None
    return goal, abs(bias.value) < _LARGEST_BIAS_MS and sd.value < _LARGEST_SD_MS


def _estimated(estimate: "Estimate | None", digits: int = 2) -> Estimated | None:
    if estimate is None:
        return None
    value, low, high = (rounded(v, digits) or 0.0 for v in (estimate.value, estimate.low, estimate.high))
    return Estimated(value=value, ci95=(low, high))
