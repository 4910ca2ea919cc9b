"""Ways to rank what the mask allows: the pipeline by its stored risks, and the baselines beside it.

A ranker gives each ranked candidate a key; lower is better, equal keys share a rank. What a baseline learns of an
episode it learns from other subjects only: these are dealt into FOLDS, and it learns from the other folds.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from math import inf

import numpy as np
from numpy.typing import NDArray

from tools.alignment.record import CandidateKept, EpisodeKept
from tools.goals import shows_in_ecg
from tools.results import REFUSED
from worldmodel.scoring import LAMBDA, mean_and_spread, score

Key = tuple[float, ...]
Keys = dict[str, Key]
Ranker = Callable[[EpisodeKept], Keys]
NEIGHBOURS = 10
FOLDS = 10


@dataclass(frozen=True)
class Scoring:
    """How stored risks become an order. k: the first k samples, None all; risk: one of record.RISKS.

    goal_first: the order of `rank`, which asks for the goal, warnings and lower bounds before the score; otherwise the
    score alone, as in the paper's eq. 3.
    """

    lambda_: float = LAMBDA
    k: int | None = None
    risk: str = "intervals"
    goal_first: bool = True


def ranked(episode: EpisodeKept) -> list[CandidateKept]:
    """The candidates that the mask lets be ranked."""
    return [candidate for candidate in episode.candidates if candidate.verdict not in REFUSED]


def by_risk(episode: EpisodeKept, how: Scoring) -> Keys:
    """The pipeline's order, from the stored risk of every sample; nothing is simulated again."""
    at_goal = episode.goal is not None and shows_in_ecg(episode.goal)
    return {candidate.action: _key(candidate, at_goal, how) for candidate in ranked(episode)}


def _key(candidate: CandidateKept, at_goal: bool, how: Scoring) -> Key:
    k = how.k or len(candidate.full)
    risks = candidate.risks.get(how.risk, ())[:k]
    known = [risk for risk in risks if risk is not None]
    full = [risk for risk, whole in zip(risks, candidate.full, strict=False) if whole and risk is not None]
    enough = len(full) >= min(2, k)  # a single one of several would hide their spread
    values = full if enough else known
    scored = round(score(mean_and_spread(values), how.lambda_), 4) if values else inf
    if not how.goal_first:
        return (scored,)
    shown = [reached for reached in candidate.reaches[:k] if reached is not None]
    misses = at_goal and sum(shown) < 0.5 * max(1, len(shown))
    return (float(misses), float(candidate.verdict == "warning"), float(not enough), scored)


def by_lot(episode: EpisodeKept) -> Keys:
    """Random within the mask: all are equal, which the metrics take as any order."""
    return {candidate.action: (0.0,) for candidate in ranked(episode)}


class Prescriptions:
    """How often each candidate was prescribed, and for what, to subjects of other folds.

    Leaving out one subject alone would not do: where drugs are given about equally often, the one that a subject was
    given is then just behind the others, and the baseline does worse than chance.
    """

    def __init__(self) -> None:
        self.counts: Counter[tuple[str | None, str]] = Counter()
        self.of_fold: Counter[tuple[int, str | None, str]] = Counter()

    def add(self, episode: EpisodeKept) -> None:
        """Count one episode, whatever the mask says of its prescription."""
        action = episode.prescribed.candidate
        if action is not None:
            for indication in (None, episode.indication):
                self.counts[indication, action] += 1
                self.of_fold[fold_of(episode.subject), indication, action] += 1

    def to_others(self, subject: str, indication: str | None, action: str) -> int:
        """How often subjects of other folds were prescribed `action`, for `indication` or (None) for any."""
        return self.counts[indication, action] - self.of_fold[fold_of(subject), indication, action]

    def overall(self, episode: EpisodeKept) -> Keys:
        """Most prescribed first."""
        return {
            candidate.action: (-self.to_others(episode.subject, None, candidate.action),)
            for candidate in ranked(episode)
        }

    def by_indication(self, episode: EpisodeKept) -> Keys:
        """Most prescribed for this indication first; of equals, overall."""
        return {
            candidate.action: (
                -self.to_others(episode.subject, episode.indication, candidate.action),
                -self.to_others(episode.subject, None, candidate.action),
            )
            for candidate in ranked(episode)
        }


class Neighbours:
    """What was prescribed to the most similar patients with the same goal, in age, sex, intervals and potassium.

    The neighbours of an episode are of the other folds. A value that is not known is taken as the mean.
    """

    def __init__(self, episodes: Iterable[EpisodeKept], prescriptions: Prescriptions) -> None:
        self.prescriptions = prescriptions
        rows: dict[str | None, list[NDArray[np.float64]]] = {}
        self.actions: dict[str | None, list[str]] = {}
        folds: dict[str | None, list[int]] = {}
        for episode in episodes:
            if episode.prescribed.candidate is not None:
                rows.setdefault(episode.goal, []).append(_features(episode))
                self.actions.setdefault(episode.goal, []).append(episode.prescribed.candidate)
                folds.setdefault(episode.goal, []).append(fold_of(episode.subject))
        self.rows = {goal: np.stack(found) for goal, found in rows.items()}
        self.folds = {goal: np.array(found) for goal, found in folds.items()}
        self._grown: dict[tuple[str | None, int], _Grown] = {}

    def rank(self, episode: EpisodeKept) -> Keys:
        """Most prescribed to the nearest first; of equals, for the indication."""
        votes: Mapping[str, int] = Counter()
        if episode.goal in self.rows:
            fold = fold_of(episode.subject)
            grown = self._grown.get((episode.goal, fold)) or _Grown(self, episode.goal, fold)
            self._grown[episode.goal, fold] = grown
            votes = grown.votes(_features(episode))
        popular = self.prescriptions.by_indication(episode)
        return {action: (-float(votes.get(action, 0)), *key) for action, key in popular.items()}


class _Grown:
    """A tree of the episodes of one goal that are not of one fold."""

    def __init__(self, neighbours: Neighbours, goal: str | None, fold: int) -> None:
        from scipy.spatial import KDTree

        others = neighbours.folds[goal] != fold
        rows = neighbours.rows[goal][others]
        self.actions = [a for a, other in zip(neighbours.actions[goal], others, strict=True) if other]
        if not self.actions:
            return
        known = ~np.isnan(rows)
        count = known.sum(0).clip(min=1)
        self.mean = np.where(known, rows, 0.0).sum(0) / count
        sd = np.sqrt((np.where(known, rows - self.mean, 0.0) ** 2).sum(0) / count)
        self.sd = np.where(sd > 0, sd, 1.0)
        self.tree = KDTree(np.nan_to_num((rows - self.mean) / self.sd))

    def votes(self, features: NDArray[np.float64]) -> Counter[str]:
        if not self.actions:
            return Counter()
        _, nearest = self.tree.query(
            np.nan_to_num((features - self.mean) / self.sd), k=min(NEIGHBOURS, len(self.actions))
        )
        return Counter(self.actions[i] for i in np.atleast_1d(nearest))


def _features(episode: EpisodeKept) -> NDArray[np.float64]:
    sex = {"female": 1.0, "male": 0.0}.get(episode.sex)
    values = (episode.age_years, sex, *(value for _, value in sorted(episode.before.items())))
    return np.array([np.nan if value is None else value for value in values], dtype=float)


def fold_of(subject: str) -> int:
    """Which of FOLDS a subject is dealt into, by its name alone."""
    return sha256(subject.encode()).digest()[0] % FOLDS
