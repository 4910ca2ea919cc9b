"""The offline planner: a chat model that understands fixed kinds of questions and is always the same.

It is a chat model like any other: it sees messages, answers with tool calls or text, and streams. What it
understands is in `understanding`, what it says in `explanation`; numbers come out of tool results only.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models.base import LanguageModelInput
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ToolCall,
)
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool

from agent.explanation import explain
from agent.planning.memory import Call
from agent.planning.understanding import understand
from agent.planning.vocabulary import shared_vocabulary
from agent.transcript import turns_of

NO_TOKENS = UsageMetadata(input_tokens=0, output_tokens=0, total_tokens=0)


class OfflinePlanner(BaseChatModel):
    """A deterministic tool-calling chat model: no key, no network, no randomness."""

    tools: tuple[str, ...] = ()

    @property
    def _llm_type(self) -> str:
        return "offline-planner"

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,  # noqa: ARG002  the question chooses
        **_: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """A copy that calls only these tools."""
        names = tuple(tool.name for tool in tools if isinstance(tool, BaseTool))
        return self.model_copy(update={"tools": names})

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002
        **_: Any,
    ) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self._answer(messages))])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002
        run_manager: CallbackManagerForLLMRun | None = None,
        **_: Any,
    ) -> Iterator[ChatGenerationChunk]:
        message = self._answer(messages)
        words = str(message.content).split(" ")
        for place, word in enumerate(words[:-1] if not message.tool_calls else []):
            text = word if place == 0 else f" {word}"
            chunk = ChatGenerationChunk(message=AIMessageChunk(content=text, id=message.id))
            if run_manager:
                run_manager.on_llm_new_token(text, chunk=chunk)
            yield chunk
        yield ChatGenerationChunk(message=_last_chunk(message, words))

    def _answer(self, messages: Sequence[BaseMessage]) -> AIMessage:
        *before, now = turns_of(messages)
        earlier = [[Call(name, args) for name, args in turn.calls] for turn in before]
        understood = understand(now.question, earlier, shared_vocabulary())
        calls = [call for call in understood.calls if call.name in self.tools]
        if calls and not now.found:
            return AIMessage("", tool_calls=_numbered(calls, len(messages)), usage_metadata=NO_TOKENS)
        if understood.calls and not calls:
            return AIMessage("The tool for that is not at hand here.", usage_metadata=NO_TOKENS)
        text = understood.reply or explain(now.question, now.found, understood.notes)
        return AIMessage(text, usage_metadata=NO_TOKENS)


def _last_chunk(message: AIMessage, words: list[str]) -> AIMessageChunk:
    calls = [
        tool_call_chunk(
            name=call["name"], args=json.dumps(call["args"], ensure_ascii=False), id=call["id"], index=place
        )
        for place, call in enumerate(message.tool_calls)
    ]
    text = "" if calls else (words[-1] if len(words) == 1 else f" {words[-1]}")
    return AIMessageChunk(
        content=text, id=message.id, tool_call_chunks=calls, usage_metadata=NO_TOKENS, chunk_position="last"
    )


def _numbered(calls: Sequence[Call], place: int) -> list[ToolCall]:
    """Tool calls with ids that are the same whenever the same thread asks the same question."""
    return [
        ToolCall(name=call.name, args=call.args, id=f"plan-{place}-{number}", type="tool_call")
        for number, call in enumerate(calls)
    ]
