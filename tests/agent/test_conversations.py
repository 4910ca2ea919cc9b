"""The written conversations through the whole graph: with the planner, and with ChatOpenAI against a local server.

The mask judges every action; what it lets through is simulated by nothing here, for only the calls are looked at.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from agent.models import ChatModel, choose_model
from agent.session import Answer, Conversation
from agent.workbench import Workbench
from tests.agent.conftest import Talk
from tests.agent.openai_server import OpenAiServer, serving, text, tool_call
from tests.agent.written import CONVERSATIONS, Turn

DONE = "I have asked the tools."
TALKS = pytest.mark.parametrize("turns", CONVERSATIONS.values(), ids=CONVERSATIONS)


class JudgingBench(Workbench):
    """A bench that stops where a simulation would begin, after the mask has judged."""

    def simulate(self, actions: Sequence[str], **more: Any) -> dict[str, Any]:
        return self._judged(actions, **more)

    def roll_out(self, steps: Sequence[str], **more: Any) -> dict[str, Any]:
        so_far = [" + ".join(steps[: i + 1]) for i in range(len(steps))]
        return {"steps": list(steps)} | self._judged(so_far, **more)

    def show_ecg(self, leads: Sequence[str] = (), action: str | None = None, **more: Any) -> dict[str, Any]:
        return {"leads": {lead: {} for lead in leads}} | self._judged([action] if action else [], **more)

    def rank(self, goal: str | None = None, assume: Any = None, **_: Any) -> dict[str, Any]:
        verdicts = self.check_mask(goal=goal, assume=assume)["verdicts"]
        return {"goal": goal, "ranking": [], "excluded": verdicts}

    def _judged(self, actions: Sequence[str], assume: Any = None, **_: Any) -> dict[str, Any]:
        found = self.check_mask(actions=actions, assume=assume)
        return {"actions": [], "refused": [v for v in found["verdicts"] if v["verdict"] == "blocked"]}


@pytest.fixture
def judging(talk: Talk, bench: Workbench) -> Conversation:
    return replace(talk(), bench=JudgingBench(bench.case))


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[OpenAiServer, ChatModel]]:
    with serving(text(DONE)) as running:
        yield running, choose_model("made-model", running.url)


def called(answer: Answer) -> list[tuple[str, dict[str, Any]]]:
    return [(call["name"], call["args"]) for call in answer.tool_calls]


@TALKS
def test_the_planner_runs_the_right_tools_and_leaves_the_record_alone(
    judging: Conversation, turns: list[Turn]
) -> None:
    before = judging.bench.case
    for turn in turns:
        answer = judging.ask(turn.ask)
        assert called(answer) == turn.calls
        assert turn.says.lower() in answer.answer.lower()
        supposed = any("assume" in args for _, args in turn.calls)
        assert ("Hypothetical" in answer.answer) <= supposed
    assert judging.bench.case is before


@TALKS
def test_chat_openai_runs_the_tools_it_asks_for(
    judging: Conversation, server: tuple[OpenAiServer, ChatModel], turns: list[Turn]
) -> None:
    running, chat = server
    conversation = replace(judging, chat=chat)
    for turn in turns:
        asked = [tool_call(name, json.dumps(args)) for name, args in turn.calls]
        for number, reply in enumerate(asked):
            reply["tool_calls"][0]["id"] = f"call_{number}"
        together = {
            "role": "assistant",
            "content": None,
            "tool_calls": [r["tool_calls"][0] for r in asked],
        }
        running.script, running.requests = ([together] if asked else []) + [text(DONE)], []
        answer = conversation.ask(turn.ask)
        assert called(answer) == turn.calls
        assert answer.answer == DONE
        shown = [m for m in running.requests[-1]["messages"] if m["role"] == "tool"]
        assert {m["tool_call_id"] for m in shown[-len(asked) :]} == {
            f"call_{n}" for n in range(len(asked))
        } or (not asked)


def test_there_are_sixty() -> None:
    assert len(CONVERSATIONS) >= 60
