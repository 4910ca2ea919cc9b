"""Episodes to look into: prescriptions that are not ranked, and those that the pipeline ranks last of many."""

from dataclasses import dataclass, field
from heapq import heappush, heappushpop
from shlex import quote

from tools.alignment.episode import BUILT_IN
from tools.alignment.metrics import Place
from tools.alignment.rankers import Keys
from tools.alignment.record import EpisodeKept
from tools.alignment.result import Listed

LISTED = 50
EXAMPLES = 10


@dataclass
class Lists:
    """Grows episode by episode, to LISTED and EXAMPLES entries."""

    not_ranked: list[Listed] = field(default_factory=list)
    disagreements: list[tuple[float, int, Listed]] = field(default_factory=list)
    seen: int = 0

    def add(self, episode: EpisodeKept, keys: Keys, where: Place) -> None:
        """One episode; keys and where: of the pipeline."""
        self.seen += 1
        listed = Listed(
            id=episode.id,
            prescribed=episode.prescribed.text,
            standing=episode.prescribed.standing,
            first=min(keys, key=lambda action: (keys[action], action)) if keys else None,
            rank=(where.first + where.last) / 2 if where.first else None,
            candidates=len(keys),
            why=episode.prescribed.why,
            look=_look(episode),
        )
        if listed.rank is None:
            if len(self.not_ranked) < LISTED:
                self.not_ranked.append(listed)
        elif (
            2 * listed.rank > where.n + 1
        ):  # behind the middle; the more candidates there are before it, the sooner
            push = heappush if len(self.disagreements) < EXAMPLES else heappushpop
            push(self.disagreements, ((listed.rank - 1) / where.n, -self.seen, listed))

    def examples(self) -> tuple[Listed, ...]:
        """The disagreements, the greatest first."""
        return tuple(listed for _, _, listed in sorted(self.disagreements, key=lambda e: e[:2], reverse=True))


def _look(episode: EpisodeKept) -> str:
    """The command that shows this episode's ranking and its reasons, where it is made of files."""
    if not (episode.ecg and episode.patient) or episode.ecg == BUILT_IN:
        return ""
    goal = f" --goal {quote(episode.goal)}" if episode.goal else ""
    files = f"--ecg {quote(episode.ecg)} --patient {quote(episode.patient)}"
    return f"ecgwm-agent rank {files}{goal} --seed {episode.seed}"
