"""Training the marker: human marks of annotated recordings, and made beats with exact ones.

Of a recording a few beats of one kind are drawn, half of the time a single one, and their median taken. Its
intervals are stretched and squeezed at random, so that no habit of the patients at hand is learned; noise,
wander, other gains, lost and inverted leads are added. The aim is the distribution of the readers' marks.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 (its usual name)
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from worldmodel.checkpoint import load_tensors, part, save_tensors, under
from worldmodel.delineation.beats import complete
from worldmodel.delineation.filters import FS_HZ, smooth
from worldmodel.delineation.found import Found, find_all_beats, marker_beats
from worldmodel.delineation.made_beats import make_beat
from worldmodel.delineation.marker import FOLDS, LEADS, MARKED, START_MS, STEP_MS, STEPS, Marker, fold_of
from worldmodel.delineation.order import median
from worldmodel.errors import WorldModelError
from worldmodel.evaluation.annotated_sets import AnnotatedSet
from worldmodel.evaluation.marks import MarkedRecord
from worldmodel.measurement import FIDUCIALS

TIMES_MS: NDArray[np.float64] = START_MS + STEP_MS * np.arange(STEPS, dtype=np.float64)
_COLUMNS = [FIDUCIALS.index(name) for name in MARKED]
_WIDTH_MS = np.array([7.0, 7.0, 7.0, 5.0, 5.0, 7.0, 7.0])  # of one human mark in the aim, SD
_SAME_QRS_S = 0.15  # a beat and a marked QRS nearer than this are one
BATCHES = 2500  # of a whole training
_MADE_SHARE = 0.4
_RECORDINGS = 8  # in a batch
_LEARNING_RATE = 3e-3


@dataclass(frozen=True)
class Examples:
    """Beats of twelve leads with their marks, all of one kind.

    beats_mv: (beat, 12, STEPS) at the marker's rate. marks_ms: (beat, 12, MARKED) relative to R, NaN where there
    is none. p_known, t_known: (beat, 12), where the lack of a mark says that there is no such wave. good: (12,).
    """

    beats_mv: NDArray[np.float64]
    marks_ms: NDArray[np.float64]
    p_known: NDArray[np.bool_]
    t_known: NDArray[np.bool_]
    good: NDArray[np.bool_]

    def some(self, rng: np.random.Generator) -> "Examples":
        """A single beat half of the time, else any number of them."""
        count = 1 if rng.random() < 0.5 else int(rng.integers(1, len(self.beats_mv) + 1))
        rows = rng.choice(len(self.beats_mv), count, replace=False)
        parts = {k: v[rows] for k, v in vars(self).items() if k != "good"}
        return Examples(**parts, good=self.good)


def examples_of(record: MarkedRecord) -> list[Examples]:
    """The beats of a marked recording by kind, those that a reader marked.

    A wave without a mark is known to be absent only inside the marked span: P not before the first marked QRS of
    a lead, T not after the last.
    """
    (found,) = find_all_beats(record.samples_mv[None], record.fs_hz)
    if not isinstance(found, Found):
        return []
    beats = found.beats
    marks, p_known, t_known = _marks_of_beats(record, beats.r / FS_HZ)
    windows = marker_beats(complete(beats.windows, enough=len(beats.windows)))
    marked = np.isfinite(marks).any(axis=(1, 2))
    kinds = (marked & (beats.kind == kind) for kind in range(len(beats.medians)))
    return [
        Examples(windows[rows], marks[rows], p_known[rows], t_known[rows], found.quiet)
        for rows in kinds
        if rows.any()
    ]


def _marks_of_beats(
    record: MarkedRecord, r_s: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]:
    """(beat, 12, MARKED) in ms relative to R, and (beat, 12) whether P and T would have been marked."""
    marks = np.full((r_s.size, LEADS, len(MARKED)), np.nan)
    p_known, t_known = np.zeros((2, r_s.size, LEADS), dtype=bool)
    for of_lead in record.marks:
        qrs = of_lead.waves["qrs"]
        qrs = qrs[np.argsort(qrs[:, 1])]
        peaks = qrs[:, 1]
        for beat, r in enumerate(r_s):
            if not peaks.size or np.abs(peaks - r).min() > _SAME_QRS_S:
                continue
            at = int(np.abs(peaks - r).argmin())
            start = peaks[at - 1] if at else -np.inf
            end = peaks[at + 1] if at + 1 < peaks.size else np.inf
            p = _between(of_lead.waves["p"], start, peaks[at])[-1:]
            t = _between(of_lead.waves["t"], peaks[at], end)[:1]
            row = np.full(len(MARKED), np.nan)
            row[3:5] = qrs[at, [0, 2]]
            if len(p):
                row[:3] = p[0]
            if len(t):
                row[5:] = t[0, 1:]
            for lead in of_lead.rows:
                marks[beat, lead] = 1000 * (row - r)
                p_known[beat, lead] = at > 0 or bool(len(p))
                t_known[beat, lead] = at + 1 < peaks.size or bool(len(t))
    return marks, p_known, t_known


def _between(waves: NDArray[np.float64], start_s: float, end_s: float) -> NDArray[np.float64]:
    inside = waves[(waves[:, 1] > start_s) & (waves[:, 1] < end_s)]
    return np.asarray(inside[np.argsort(inside[:, 1])])


Aim = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]


def made_example(rng: np.random.Generator) -> Examples:
    """A made beat of known marks."""
    made = make_beat(TIMES_MS, rng)
    everywhere = np.ones((1, LEADS), dtype=bool)
    return Examples(
        made.samples_mv[None], made.marks_ms[None][..., _COLUMNS], everywhere, everywhere, everywhere[0]
    )


def augment(drawn: Examples, rng: np.random.Generator) -> Aim:
    """One training example: beat (12, STEPS) in mV, good leads (12,), the aim over time (12, MARKED, STEPS), zero
    where there is none, and (12, 2) shares of readings with P and T, NaN where unknown."""
    beat = median(drawn.beats_mv, axis=0)
    beat, marks = _stretch(beat, drawn.marks_ms, rng)
    beat = _spoil(beat, len(drawn.beats_mv), rng)
    good = drawn.good
    if rng.random() < 0.4:
        fewer = good & (rng.random(LEADS) < rng.uniform(0.1, 1.0))
        good = fewer if fewer.any() else good
    aim = np.exp(-0.5 * ((TIMES_MS - marks[..., None]) / _WIDTH_MS[:, None]) ** 2)
    aim = np.nan_to_num(aim).sum(axis=0) * drawn.good[:, None, None]
    total = aim.sum(axis=-1, keepdims=True)
    aim = np.where(total > 0.5, aim / np.maximum(total, 0.5), 0.0)
    there = np.isfinite(marks)[..., [MARKED.index("p_peak"), MARKED.index("t_peak")]]
    known = np.stack([drawn.p_known, drawn.t_known], axis=-1) & drawn.good[:, None]
    shares = np.where(
        known.any(axis=0), (there & known).sum(axis=0) / np.maximum(known.sum(axis=0), 1), np.nan
    )
    return (
        beat.astype(np.float32),
        good.astype(np.float32),
        aim.astype(np.float32),
        shares.astype(np.float32),
    )


def _stretch(
    beat: NDArray[np.float64], marks: NDArray[np.float64], rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Beat and marks with the segments between the marks longer or shorter, and R a little off its place."""
    knots = [0.0]
    for name in ("qrs_on", "p_off", "p_on"):  # from R outwards, each at least 8 ms beyond the last
        knots += _knot(marks[..., MARKED.index(name)], knots[-1], -1)
    knots = knots[::-1]
    zero = len(knots) - 1
    for name in ("qrs_off", "t_peak", "t_end"):
        knots += _knot(marks[..., MARKED.index(name)], knots[-1], 1)
    old = np.array(knots)
    factors = np.exp(rng.normal(0, 0.18, len(old) - 1) + rng.normal(0, 0.08))
    if rng.random() < 0.25:
        factors[:] = 1.0
    new = np.concatenate([[0.0], np.cumsum(np.diff(old) * np.clip(factors, 0.6, 1.6))])
    new += rng.uniform(-12, 12) - new[zero]
    source = (_through(TIMES_MS, new, old) - START_MS) / STEP_MS
    beat = np.stack([np.interp(source, np.arange(STEPS), row) for row in beat])
    return beat, _through(marks, old, new)


def _knot(marks: NDArray[np.float64], last: float, direction: int) -> list[float]:
    known = marks[np.isfinite(marks)]
    middle = float(np.median(known)) if known.size else last
    return [middle] if direction * (middle - last) > 8 else []


def _through(
    x: NDArray[np.float64], old: NDArray[np.float64], new: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Piecewise linear from old to new, slope 1 outside."""
    y = np.interp(x, old, new)
    return np.where(x < old[0], x - old[0] + new[0], np.where(x > old[-1], x - old[-1] + new[-1], y))


def _spoil(beat: NDArray[np.float64], beats: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Other gains, inverted leads, noise that a median of so many beats leaves, wander, offsets, low-pass."""
    leads = (LEADS, 1)
    beat = (
        beat
        * np.exp(rng.normal(0, 0.3) + rng.normal(0, 0.15, leads))
        * rng.choice([1, -1], leads, p=[0.9, 0.1])
    )
    level = np.exp(rng.uniform(np.log(0.001), np.log(0.03))) / np.sqrt(beats)
    beat = beat + rng.normal(size=beat.shape) * level * np.exp(rng.normal(0, 0.5, leads))
    cycles = rng.uniform(0.2, 0.8) * TIMES_MS / 1000 + rng.random(leads)
    beat = beat + rng.normal(0, 0.02, leads) * np.sin(2 * np.pi * cycles) + rng.normal(0, 0.03, leads)
    return smooth(beat, rng.uniform(1.2, 4.8), 1000 / STEP_MS) if rng.random() < 0.3 else beat


def batch(recordings: Sequence[Sequence[Examples]], rng: np.random.Generator) -> list[Tensor]:
    """The parts of `augment`, stacked. recordings: of each its kinds of beats, at least one."""
    rows = []
    for _ in range(_RECORDINGS):
        if not recordings or rng.random() < _MADE_SHARE:
            rows.append(augment(made_example(rng), rng))
            continue
        kinds = recordings[int(rng.integers(len(recordings)))]
        sizes = np.sqrt([len(kind.beats_mv) for kind in kinds])
        rows.append(augment(kinds[rng.choice(len(kinds), p=sizes / sizes.sum())].some(rng), rng))
    return [torch.from_numpy(np.stack(part)) for part in zip(*rows, strict=True)]


def loss_of(marker: Marker, parts: Sequence[Tensor]) -> Tensor:
    """Cross entropy of the marks over time, and of P and T being there."""
    beats, good, aim, shares = parts
    where, whether = marker(beats, good)
    given = aim.sum(-1) > 0
    marks = -(aim * torch.log_softmax(where, -1)).sum(-1)[given].mean()
    known = torch.isfinite(shares)
    return marks + F.binary_cross_entropy_with_logits(whether[known], shares[known])


def train_marker(
    recordings: Sequence[Sequence[Examples]], steps: int, seed: int, report: Callable[[str], None]
) -> Marker:
    """A marker trained for so many batches; the moving average of its weights."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    marker = Marker()
    average = AveragedModel(marker, multi_avg_fn=get_ema_multi_avg_fn(0.99))  # type: ignore[no-untyped-call]
    optimiser = torch.optim.AdamW(marker.parameters(), lr=_LEARNING_RATE, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, _LEARNING_RATE, total_steps=steps, pct_start=0.1
    )
    running = 0.0
    for step in range(steps):
        loss = loss_of(marker, batch(recordings, rng))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(marker.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        average.update_parameters(marker)
        running += loss.item()
        if (step + 1) % 100 == 0:
            report(f"marker {step + 1}/{steps} loss {running / 100:.3f}")
            running = 0.0
    trained = average.module
    assert isinstance(trained, Marker)
    return trained.eval()


def train_markers(
    annotated: AnnotatedSet, steps: int, seed: int, out: Path, resume: bool, report: Callable[[str], None]
) -> Path:
    """Train one marker on all recordings, and for honest figures one without each fold; returns the file of all.

    What is finished lies in `out` and is not trained again with `resume`. Raises WorldModelError.
    """
    names = ("all", *(f"fold{fold}" for fold in range(FOLDS)))
    parts = {name: out / f"marker_{name}.safetensors" for name in names}
    if not resume and any(path.exists() for path in parts.values()):
        raise WorldModelError(
            f"{out} already holds a run.", "Add --resume to go on with it, or choose another folder."
        )
    records = (annotated.read(key) for key in annotated.keys)
    recordings = {record.name: kinds for record in records if (kinds := examples_of(record))}
    report(f"{len(recordings)} marked recordings of {annotated.name}")
    header = {
        "set": annotated.name,
        "recordings": sorted(recordings),
        "seed": seed,
        "steps": steps,
    }
    for number, (name, path) in enumerate(parts.items()):
        if path.exists():
            continue
        report(f"marker {name}")
        chosen = [kinds for one, kinds in recordings.items() if name != f"fold{fold_of(one)}"]
        marker = train_marker(chosen, steps, seed + number, report)
        save_tensors(path, under("marker", marker.state_dict()), header)
    together: dict[str, Tensor] = {}
    for name, path in parts.items():
        together |= under(name, part(load_tensors(path)[0], "marker"), half=True)
    weights = out / "marker.safetensors"
    save_tensors(weights, together, header)
    return weights
