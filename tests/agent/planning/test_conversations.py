"""Conversations that were written before the code: the planner asks for the right tools, or says what it lacks."""

import pytest

from agent.planning.memory import Call
from agent.planning.understanding import understand
from agent.planning.vocabulary import shared_vocabulary
from tests.agent.written import CONVERSATIONS, Turn


@pytest.mark.parametrize("turns", CONVERSATIONS.values(), ids=CONVERSATIONS)
def test_every_turn_calls_what_was_written(turns: list[Turn]) -> None:
    earlier: list[list[Call]] = []
    for turn in turns:
        understood = understand(turn.ask, earlier, shared_vocabulary())
        assert [(call.name, call.args) for call in understood.calls] == turn.calls, turn.ask
        assert turn.says.lower() in understood.reply.lower(), turn.ask
        assert bool(understood.reply) == bool(turn.says)
        earlier.append(list(understood.calls))


def test_there_are_sixty() -> None:
    assert len(CONVERSATIONS) >= 60
