"""Whether the data can say anything of the pipeline's choices at all, and what agreement is left without any reason.

Nothing here is an estimate of benefit. Effective sample size and propensities say how far the pipeline's first choices
were prescribed in practice; where they were not, no data of this kind, and no outcome, could judge them.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tools.alignment.rankers import Keys, Prescriptions
from tools.alignment.record import EpisodeKept
from tools.results import Result

PERMUTATIONS = 20
PRIOR = 0.5  # prescriptions of each candidate that are supposed before any is counted
RARE = 0.05


class Overlap(Result):
    """propensity: how often others with this indication were prescribed it, with PRIOR added to each candidate.

    Others: the subjects that baselines learn from, see rankers.Prescriptions. effective_sample_size: (sum w)^2 / sum
    w^2 of the weights w = 1 / propensity of the episodes in which the prescription is the pipeline's first choice;
    agreeing: how many these are. first_choice_never_prescribed: share of the episodes whose first choice no other with
    that indication was prescribed; prescribed_rare: share whose prescription has a propensity below RARE.
    """

    episodes: int
    agreeing: float
    effective_sample_size: float | None
    propensity_of_prescribed: dict[str, float] | None
    first_choice_never_prescribed: float | None
    prescribed_rare: float | None


@dataclass
class Overlapping:
    """What is gathered for Overlap, episode by episode."""

    weights: list[float] = field(default_factory=list)
    agreeing: float = 0.0
    propensities: list[float] = field(default_factory=list)
    never: list[float] = field(default_factory=list)

    def add(self, episode: EpisodeKept, keys: Keys, prescriptions: Prescriptions) -> None:
        """One episode; keys: of the pipeline."""
        if not keys:
            return
        counts = {
            action: prescriptions.to_others(episode.subject, episode.indication, action) for action in keys
        }
        total = sum(counts.values()) + PRIOR * len(counts)
        best = min(keys.values())
        first = [action for action, key in keys.items() if key == best]
        self.never.append(sum(counts[action] == 0 for action in first) / len(first))
        prescribed = episode.prescribed.candidate
        if prescribed in counts:
            propensity = (counts[prescribed] + PRIOR) / total
            self.propensities.append(propensity)
            if prescribed in first:
                self.agreeing += 1 / len(first)
                self.weights.append(1 / (len(first) * propensity))

    def result(self) -> Overlap:
        """What was gathered, in numbers."""
        w, e = np.array(self.weights), np.array(self.propensities)
        return Overlap(
            episodes=len(self.never),
            agreeing=round(self.agreeing, 2),
            effective_sample_size=round(float(w.sum() ** 2 / (w**2).sum()), 1) if len(w) else None,
            propensity_of_prescribed={
                name: round(float(np.quantile(e, q)), 4)
                for name, q in (("q05", 0.05), ("q50", 0.5), ("q95", 0.95))
            }
            if len(e)
            else None,
            first_choice_never_prescribed=round(float(np.mean(self.never)), 4) if self.never else None,
            prescribed_rare=round(float((e < RARE).mean()), 4) if len(e) else None,
        )


def permute_prescriptions(
    indications: list[str], prescribed: list[str | None], seed: int
) -> NDArray[np.int_]:
    """For each of PERMUTATIONS and each episode, whose prescription it is given: of the same indication, by lot.

    Only episodes with a prescription among the candidates take part; the others keep their own.
    """
    generator = np.random.default_rng(seed)
    given = np.tile(np.arange(len(prescribed)), (PERMUTATIONS, 1))
    by_indication: dict[str, list[int]] = {}
    for number, indication in enumerate(indications):
        if prescribed[number] is not None:
            by_indication.setdefault(indication, []).append(number)
    for row in given:
        for members in by_indication.values():
            row[members] = generator.permutation(members)
    return given
