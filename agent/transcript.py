"""Reading a thread's messages: turns, tool calls, and what the tools found."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from agent.state import Json
from agent.toolbox import failed_call, result_of


@dataclass(frozen=True)
class Found:
    """The answer of one tool call: `result` as the tool gave it."""

    tool: str
    args: Json
    result: Json
    ok: bool = True


@dataclass(frozen=True)
class Turn:
    """A question and all that followed it until the next one."""

    question: str
    messages: tuple[BaseMessage, ...]
    calls: tuple[tuple[str, Json], ...] = field(default=())

    @property
    def found(self) -> list[Found]:
        """The answered tool calls, in order."""
        asked: dict[str | None, Json] = {
            call["id"]: call["args"]
            for message in self.messages
            if isinstance(message, AIMessage)
            for call in message.tool_calls
        }
        return [
            Found(m.name or "", asked.get(m.tool_call_id, {}), result_of(m), m.status == "success")
            for m in self.messages
            if isinstance(m, ToolMessage)
        ]


def turns_of(messages: Sequence[BaseMessage]) -> list[Turn]:
    """The thread, question by question; what precedes the first question is left out."""
    starts = [place for place, message in enumerate(messages) if isinstance(message, HumanMessage)]
    parts = [messages[start:end] for start, end in pairwise([*starts, len(messages)])]
    return [Turn(part[0].text, tuple(part), _calls(part)) for part in parts]


def results_in(messages: Sequence[BaseMessage]) -> list[Json]:
    """What every tool of the thread has returned."""
    return [result_of(message) for message in messages if isinstance(message, ToolMessage)]


def closed(messages: Sequence[BaseMessage]) -> list[BaseMessage]:
    """The thread with an answer to every tool call, as providers demand: one that was cut off is said to be."""
    answered = {message.tool_call_id for message in messages if isinstance(message, ToolMessage)}
    complete: list[BaseMessage] = []
    for message in messages:
        complete.append(message)
        if isinstance(message, AIMessage):
            complete += unanswered(message, answered, "The step was interrupted.")
    return complete


def unanswered(reply: AIMessage, answered: set[str], reason: str) -> list[ToolMessage]:
    """An answer with the reason to every call of the reply, well-formed or not, that has none."""
    return [
        failed_call(call["id"] or "", call["name"] or "", reason)
        for call in (*reply.tool_calls, *reply.invalid_tool_calls)
        if call["id"] not in answered
    ]


def _calls(messages: Sequence[BaseMessage]) -> tuple[tuple[str, Any], ...]:
    return tuple(
        (call["name"], call["args"])
        for message in messages
        if isinstance(message, AIMessage)
        for call in message.tool_calls
    )
