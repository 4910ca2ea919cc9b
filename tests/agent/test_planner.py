"""The offline planner is a chat model like any other: it binds tools, calls them, streams, and repeats itself."""

from typing import Any, cast

from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_core.runnables import Runnable

from agent.planner import OfflinePlanner
from agent.studio import make_graph
from agent.toolbox import run_call, tools_on
from agent.workbench import Workbench

QUESTION = "What would verapamil 40 mg oral do to the PR?"


def bound(bench: Workbench) -> Runnable[Any, AIMessage]:
    return OfflinePlanner().bind_tools(tools_on(bench))


def test_it_calls_a_tool_and_then_answers(bench: Workbench) -> None:
    called = bound(bench).invoke([HumanMessage(QUESTION)])
    (call,) = called.tool_calls
    assert (call["name"], call["args"]) == ("simulate", {"actions": ["verapamil 40 mg oral"]})
    answered = bound(bench).invoke([HumanMessage(QUESTION), called, run_call(bench, call)])
    assert not answered.tool_calls
    assert "verapamil 40 mg oral" in answered.text


def test_the_same_thread_gives_the_same_reply(bench: Workbench) -> None:
    first, again = (bound(bench).invoke([HumanMessage(QUESTION)]) for _ in range(2))
    assert first.tool_calls == again.tool_calls


def test_binding_makes_a_copy(bench: Workbench) -> None:
    planner = OfflinePlanner()
    planner.bind_tools(tools_on(bench))
    assert planner.tools == ()


def test_it_calls_no_tool_that_is_not_bound(bench: Workbench) -> None:
    others = [tool for tool in tools_on(bench) if tool.name != "simulate"]
    reply = OfflinePlanner().bind_tools(others).invoke([HumanMessage(QUESTION)])
    assert not reply.tool_calls
    assert "not at hand" in reply.text


def test_streamed_text_is_the_same_and_ends_with_the_usage(bench: Workbench) -> None:
    chunks = [cast(AIMessageChunk, chunk) for chunk in bound(bench).stream([HumanMessage("help")])]
    assert len(chunks) > 10
    assert "".join(chunk.text for chunk in chunks) == bound(bench).invoke([HumanMessage("help")]).text
    assert chunks[-1].usage_metadata == {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}
    assert chunks[-1].chunk_position == "last"


def test_streamed_calls_are_the_same(bench: Workbench) -> None:
    (chunk,) = bound(bench).stream([HumanMessage(QUESTION)])
    assert cast(AIMessageChunk, chunk).tool_calls == bound(bench).invoke([HumanMessage(QUESTION)]).tool_calls


def test_the_graph_for_langgraphs_own_tools_has_every_step(home: object) -> None:  # noqa: ARG001
    steps = {"intake", "mask", "propose", "consult", "simulate", "score", "explain"}
    assert steps <= set(make_graph().get_graph().nodes)
