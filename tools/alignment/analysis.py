"""From what was kept of each episode to metrics, baselines, curves and lists. Nothing is simulated here.

The episodes are read one at a time: to learn what was prescribed, then to rank. Of each only numbers are kept.
"""

from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tools.alignment.lists import LISTED, Lists
from tools.alignment.metrics import FEW_SUBJECTS, METRICS, Place, agreement, estimate, place
from tools.alignment.overlap import PERMUTATIONS, Overlapping, permute_prescriptions
from tools.alignment.rankers import (
    Key,
    Keys,
    Neighbours,
    Prescriptions,
    Ranker,
    Scoring,
    by_lot,
    by_risk,
    ranked,
)
from tools.alignment.record import RISKS, EpisodeKept
from tools.alignment.result import AlignResult, Control, CurvePoint, Group, Metrics, RankShare
from tools.alignment.store import Manifest
from tools.results import REFUSED

LAMBDAS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.5, 2.0)
CURVE = ("top_1", "mrr", "mean_rank_percentile")
AGE_BANDS = ((50.0, "under 50"), (65.0, "50 to 64"), (80.0, "65 to 79"), (200.0, "80 and over"))
RANKS_SHOWN = 10
PIPELINE = "pipeline"

Read = Callable[[], Iterable[EpisodeKept]]
Row = list[float]


@dataclass
class _Gathered:
    """What is kept of the scored episodes: subjects, groups, and rows of metrics by ranker, setting and level."""

    subjects: list[str] = field(default_factory=list)
    standings: list[str] = field(default_factory=list)
    groups: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    rows: "dict[tuple[str, ...], array[float]]" = field(
        default_factory=lambda: defaultdict(lambda: array("f"))
    )
    violations: list[float] = field(default_factory=list)
    places: Counter[Place] = field(default_factory=Counter)
    permuted: "array[float]" = field(default_factory=lambda: array("f"))
    overlap: Overlapping = field(default_factory=Overlapping)
    lists: Lists = field(default_factory=Lists)

    def table(self, *name: str) -> NDArray[np.float64]:
        return np.array(self.rows[name], dtype=float).reshape(-1, len(METRICS))


def analyse(
    read: Read, manifest: Manifest, lambda_: float, rankers: dict[str, Ranker] | None = None
) -> AlignResult:
    """All that can be said of the episodes done so far. rankers: further baselines. Deterministic by manifest.seed."""
    prescriptions = Prescriptions()
    failures: list[tuple[str, str, str]] = []
    indications: list[str] = []
    labels: list[str | None] = []
    goals: Counter[str] = Counter()
    left_out = 0
    for episode in read():
        if episode.failure is not None:
            failures.append((episode.id, episode.failure.code, episode.failure.message))
            continue
        prescriptions.add(episode)
        indications.append(episode.indication)
        labels.append(_label(episode))
        goals[episode.goal or "none given"] += 1
        left_out += episode.left_out
    neighbours = Neighbours((e for e in read() if e.failure is None), prescriptions)
    baselines: dict[str, Ranker] = {
        "random within mask": by_lot,
        "popularity": prescriptions.overall,
        "popularity by indication": prescriptions.by_indication,
        "nearest neighbour": neighbours.rank,
        "without spread (lambda 0)": lambda e: by_risk(e, Scoring(0.0)),
        "score alone (eq. 3)": lambda e: by_risk(e, Scoring(lambda_, goal_first=False)),
        **(rankers or {}),
    }
    settings = _settings(lambda_, manifest.k)
    swapped = permute_prescriptions(indications, labels, manifest.seed)
    gathered = _Gathered()
    for number, episode in enumerate(e for e in read() if e.failure is None):
        keys = by_risk(episode, Scoring(lambda_))
        _gather(gathered, episode, keys, baselines, settings)
        gathered.overlap.add(episode, keys, prescriptions)
        others = [labels[i] for i in swapped[:, number]]
        for label in others:
            gathered.permuted.extend(agreement(place(keys, label)))
    return _result(gathered, baselines, settings, failures, goals, left_out, manifest, lambda_)


def _settings(lambda_: float, k: int) -> dict[str, list[tuple[float | str, Scoring]]]:
    """Curves of the pipeline with one setting changed: from the stored risks of each sample."""
    return {
        "lambda": [(value, Scoring(value)) for value in LAMBDAS],
        "k": [(float(few), Scoring(lambda_, k=few)) for few in range(1, k + 1)],
        "risk": [(name, Scoring(lambda_, risk=name)) for name in RISKS],
    }


def _label(episode: EpisodeKept) -> str | None:
    """The candidate that was prescribed, where it is ranked."""
    return episode.prescribed.candidate if episode.prescribed.standing == "ranked" else None


def _gather(
    gathered: _Gathered,
    episode: EpisodeKept,
    keys: Keys,
    baselines: dict[str, Ranker],
    settings: dict[str, list[tuple[float | str, Scoring]]],
) -> None:
    label = _label(episode)
    where = place(keys, label)
    gathered.subjects.append(episode.subject)
    gathered.standings.append(episode.prescribed.standing)
    for name, value in _groups(episode).items():
        gathered.groups[name].append(value)
    refused = [c for c in episode.candidates if c.risks and c.verdict in REFUSED]
    gathered.violations.append(float(bool(refused)))
    gathered.places[where] += 1
    for name, ordered in {
        PIPELINE: keys,
        **{name: rank(episode) for name, rank in baselines.items()},
    }.items():
        gathered.rows["action", name].extend(agreement(place(ordered, label)))
        by_drug = place(_by_drug(ordered, episode), _drug_label(episode))
        gathered.rows["drug", name].extend(agreement(by_drug))
    for curve, points in settings.items():
        for x, how in points:
            gathered.rows[curve, str(x)].extend(agreement(place(by_risk(episode, how), label)))
    gathered.lists.add(episode, keys, where)


def _by_drug(keys: Keys, episode: EpisodeKept) -> Keys:
    """Drugs, each by its best dose and route."""
    best: dict[str, Key] = {}
    for candidate in ranked(episode):
        drugs = " + ".join(candidate.drugs)
        best[drugs] = min(best.get(drugs, keys[candidate.action]), keys[candidate.action])
    return best


def _drug_label(episode: EpisodeKept) -> str | None:
    """The drugs that were prescribed, unless the mask refuses them as they were."""
    refused = episode.prescribed.standing in REFUSED
    return None if refused or not episode.prescribed.drugs else " + ".join(episode.prescribed.drugs)


def _groups(episode: EpisodeKept) -> dict[str, str]:
    age = episode.age_years
    return {
        "drug": " + ".join(episode.prescribed.drugs) or episode.prescribed.text,
        "indication": episode.indication,
        "severity": episode.severity or "unknown",
        "sex": episode.sex,
        "age": "unknown" if age is None else next(name for top, name in AGE_BANDS if age < top),
    }


def _result(
    gathered: _Gathered,
    baselines: dict[str, Ranker],
    settings: dict[str, list[tuple[float | str, Scoring]]],
    failures: Sequence[tuple[str, str, str]],
    goals: Counter[str],
    left_out: int,
    manifest: Manifest,
    lambda_: float,
) -> AlignResult:
    seed, subjects = manifest.seed, gathered.subjects
    scored = len(subjects)

    def metrics(rows: NDArray[np.float64], of: Sequence[str] = subjects) -> Metrics:
        return dict(zip(METRICS, estimate(rows, of, seed), strict=True))

    pipeline = gathered.table("action", PIPELINE)
    standings = np.array(gathered.standings)
    whole = metrics(pipeline)
    not_among = np.array([standings == "not_among", gathered.violations], dtype=float).reshape(2, -1).T
    shares = estimate(not_among, subjects, seed)
    whole |= dict(zip(("not_among_candidates", "mask_violation_rate"), shares, strict=True))
    among = standings == "ranked"

    def grouped(name: str) -> dict[str, Group]:
        values = np.array(gathered.groups[name])
        found = {}
        for value, _ in Counter(gathered.groups[name]).most_common(LISTED):
            own = values == value
            of = [subject for subject, mine in zip(subjects, own, strict=True) if mine]
            counts = {s: int((standings[own] == s).sum()) for s in ("ranked", *REFUSED, "not_among")}
            found[str(value)] = Group(episodes=int(own.sum()), **counts, metrics=metrics(pipeline[own], of))
        return found

    return AlignResult(
        episodes=manifest.episodes,
        done=scored + len(failures),
        scored=scored,
        skipped=dict(Counter(code for _, code, _ in failures).most_common()),
        prescriptions={s: int((standings == s).sum()) for s in ("ranked", *sorted(REFUSED), "not_among")},
        metrics=whole,
        among_ranked=metrics(pipeline[among], [s for s, here in zip(subjects, among, strict=True) if here]),
        drugs=metrics(gathered.table("drug", PIPELINE)),
        baselines={name: metrics(gathered.table("action", name)) for name in baselines},
        baselines_drugs={name: metrics(gathered.table("drug", name)) for name in baselines},
        by_drug=grouped("drug"),
        by_indication=grouped("indication"),
        by_severity=grouped("severity"),
        by_sex=grouped("sex"),
        by_age=grouped("age"),
        sensitivity={
            curve: tuple(
                CurvePoint(
                    x=x,
                    metrics={
                        name: one
                        for name, one in metrics(gathered.table(curve, str(x))).items()
                        if name in CURVE
                    },
                )
                for x, _ in points
            )
            for curve, points in settings.items()
        },
        ranks=_rank_shares(gathered.places),
        overlap=gathered.overlap.result(),
        permuted=_control(gathered.permuted),
        not_ranked=tuple(gathered.lists.not_ranked),
        disagreements=gathered.lists.examples(),
        failures=tuple(f"{name}: {message}" for name, _, message in failures[:LISTED]),
        lambda_=lambda_,
        goals=dict(goals.most_common()),
        manifest=manifest,
        warnings=_warnings(scored, len(set(subjects)), goals, left_out, manifest),
    )


def _rank_shares(places: Counter[Place]) -> tuple[RankShare, ...]:
    """The calibration of the ranking: where prescriptions stand, beside where chance puts them."""
    total = sum(count for where, count in places.items() if where.first)
    shares = []
    for rank in range(1, RANKS_SHOWN + 1):
        stand = sum(
            count / (where.last - where.first + 1)
            for where, count in places.items()
            if where.first and where.first <= rank <= where.last
        )
        chance = sum(count / where.n for where, count in places.items() if where.first and rank <= where.n)
        shares.append(
            RankShare(
                rank=rank, share=round(stand / max(1, total), 4), chance=round(chance / max(1, total), 4)
            )
        )
    return tuple(shares)


def _control(permuted: "array[float]") -> Control:
    if not permuted:
        return Control(permutations=PERMUTATIONS, metrics={})
    with np.errstate(invalid="ignore"):
        table = np.array(permuted, dtype=float).reshape(-1, PERMUTATIONS, len(METRICS))
        known = ~np.isnan(table)
        means = np.where(known, table, 0.0).sum(0) / known.sum(0).clip(min=1)
    return Control(
        permutations=PERMUTATIONS,
        metrics={
            name: (round(float(c.mean()), 4), round(float(c.min()), 4), round(float(c.max()), 4))
            for name, c in zip(METRICS, means.T, strict=True)
        },
    )


def _warnings(
    scored: int, subjects: int, goals: Counter[str], left_out: int, manifest: Manifest
) -> tuple[str, ...]:
    told = []
    if subjects < FEW_SUBJECTS:
        told.append(
            f"{subjects} subjects are few: the intervals are rough, and of extreme values too narrow."
        )
    if goals["none given"]:
        told.append(
            f"{goals['none given']} of {scored} episodes have no goal; their candidates are the drugs for rate and "
            "rhythm control, ranked by risk alone."
        )
    if left_out:
        told.append(f"{left_out} entries of patient files are of after the decision and were left out.")
    if manifest.model.synthetic:
        told.append("The world model has learned from simulated trials, not from real post-dose ECGs.")
    return tuple(told)
