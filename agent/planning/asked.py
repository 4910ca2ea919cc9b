"""A question as it is read, and what is made of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from agent.planning.memory import Call, Turns
from agent.planning.reading import Reading
from agent.planning.vocabulary import Vocabulary


@dataclass(frozen=True)
class Understood:
    """Calls to make; notes to say beside their results; or a reply where there is nothing to call."""

    calls: tuple[Call, ...] = ()
    notes: tuple[str, ...] = ()
    reply: str = ""


@dataclass(frozen=True)
class Question:
    """A question with what was called before it and the words it may use."""

    reading: Reading
    earlier: Turns
    words: Vocabulary

    @property
    def text(self) -> str:
        return self.reading.text


def listed(names: Sequence[str]) -> str:
    """ "A, B and C"."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
