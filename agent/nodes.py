"""The steps of the graph, one small function each. The flow is in `graph`; the model chooses words and tools."""

from dataclasses import dataclass
from typing import Any

from langchain_core.messages import (
    AIMessage,
    AnyMessage,
    BaseMessage,
    RemoveMessage,
    SystemMessage,
)
from langgraph.config import get_stream_writer

from agent.approval import call_key, with_mark
from agent.explanation import explain
from agent.grounding import untraced
from agent.models import ChatModel, provider_errors
from agent.planner import NO_TOKENS
from agent.prompts import SYSTEM, objection_text
from agent.redaction import redacted_messages, with_true_dates
from agent.state import AgentState
from agent.toolbox import OWN_ERRORS, Group, group_of, run_call, tools_on
from agent.transcript import closed, results_in, turns_of, unanswered
from agent.workbench import Workbench

MAX_ROUNDS = 6
NOT_TRACED = (
    "The answer of the chat model could not be traced to the results, so here is what the tools found."
)
NOTHING_CALLED = (
    "The chat model gave no answer that could be traced, and called no tool that found anything. Ask again, or ask "
    "with --model offline."
)
TOO_MANY_ROUNDS = "The chat model asked for tools again and again; here is what they found."
EMPTY = "The chat model gave no answer; here is what the tools found."


@dataclass(frozen=True)
class Services:
    """What the steps work with: the chat model and the bench with the case on it."""

    chat: ChatModel
    bench: Workbench


def tell(step: str, **what: Any) -> None:
    """Says on the stream which step is done; whoever streams may show it."""
    get_stream_writer()({"step": step, **what})


def intake(_: AgentState, services: Services) -> AgentState:
    """Measures the ECG, in code and before any model speaks. A new turn begins: its counters are reset."""
    usage = {"input_tokens": 0, "output_tokens": 0}
    fresh = AgentState(
        rounds=0, usage=usage, draft="", objections=[], corrected=False, withheld=False, approved={}
    )
    if services.bench.case.measurement is None:
        tell("intake", text="no ECG")
        return {**fresh, "record": {}}
    record = services.bench.measure_ecg()
    tell("intake", text=f"measured {record['file']}".strip())
    return {**fresh, "record": record}


def mask(_: AgentState, services: Services) -> AgentState:
    """Judges the usual doses of every candidate, in code and before anything is proposed."""
    try:
        verdicts = services.bench.check_mask()["verdicts"]
    except OWN_ERRORS as error:
        tell("mask", text=error.message)
        return {"verdicts": []}
    brief = [{"action": v["action"]["text"], "verdict": v["verdict"]} for v in verdicts]
    refused = sum(v["verdict"] in ("blocked", "cannot_evaluate") for v in brief)
    tell("mask", text=f"{len(brief) - refused} of {len(brief)} doses pass the mask")
    return {"verdicts": brief}


def propose(state: AgentState, services: Services) -> AgentState:
    """Asks the chat model for tool calls or an answer. Raises ProviderError."""
    messages = state["messages"]
    model = services.chat.model.bind_tools(tools_on(services.bench))
    prompt: list[BaseMessage] = [SystemMessage(SYSTEM), *closed(messages)]
    if state.get("objections"):
        prompt += [AIMessage(state["draft"]), SystemMessage(objection_text(state["objections"]))]
    hidden = services.bench.redacted and not services.chat.offline
    if hidden:
        prompt = redacted_messages(prompt, services.bench.case)
    with provider_errors(services.chat):
        reply = model.invoke(prompt)
    if hidden and isinstance(reply.content, str):
        reply.content = with_true_dates(reply.content, services.bench.case)
    names = [call["name"] for call in reply.tool_calls]
    tell("propose", text=", ".join(names) if names else "answer")
    tokens = reply.usage_metadata or NO_TOKENS
    usage = {key: used + tokens[key] for key, used in state["usage"].items()}  # type: ignore[literal-required]
    return {"messages": [reply], "rounds": state["rounds"] + 1, "usage": usage}


def run_tools(state: AgentState, services: Services, group: Group) -> AgentState:
    """Runs those calls of the last reply that belong to this group; every call gets an answer."""
    reply = state["messages"][-1]
    assert isinstance(reply, AIMessage)
    write = get_stream_writer()
    services.bench.progress = lambda fraction: write({"step": group, "progress": fraction})
    answers: list[AnyMessage | RemoveMessage] = []
    for call in reply.tool_calls:
        if group_of(call["name"]) == group:
            services.bench.approved = frozenset(state.get("approved", {}).get(call_key(reply, call), ()))
            answer = run_call(services.bench, call)
            services.bench.approved = frozenset()
            tell(group, text=call["name"], ok=answer.status == "success")
            answers.append(answer)
    if group == "consult":
        well_formed = {call["id"] or "" for call in reply.tool_calls}
        answers += unanswered(reply, well_formed, "The arguments are not valid JSON.")
    return {"messages": answers}


def explain_answer(state: AgentState, services: Services) -> AgentState:
    """Lets an answer pass that can be traced; asks once for a better one; then explains without the model."""
    reply = state["messages"][-1]
    assert isinstance(reply, AIMessage)
    if unrun := unanswered(reply, set(), "Too many rounds of tools."):
        answer = AIMessage(_fallback(state, TOO_MANY_ROUNDS))
        answer = with_mark(answer, state) or answer
        return {"messages": [*unrun, answer], "withheld": True, "objections": []}
    draft = reply.text.strip()
    questions = [turn.question for turn in turns_of(state["messages"])]
    objections = untraced(draft, results_in(state["messages"]), questions)
    if draft and not objections:
        tell("explain", text="every number traced")
        if marked := with_mark(reply, state):
            return {"messages": [marked], "objections": []}
        return {"objections": []}
    remove = RemoveMessage(id=reply.id or "")
    if draft and not state.get("objections") and state["rounds"] < MAX_ROUNDS and not services.chat.offline:
        told = [f"“{text}” is in no result of a tool" for text in objections]
        tell("explain", text="asked again: a number is in no result")
        return {"messages": [remove], "draft": draft, "objections": told, "corrected": True}
    tell("explain", text="withheld")
    answer = AIMessage(_fallback(state, NOT_TRACED if draft else EMPTY))
    answer = with_mark(answer, state) or answer
    return {"messages": [remove, answer], "withheld": True, "objections": []}


def _fallback(state: AgentState, because: str) -> str:
    """The deterministic explanation of what the tools found in this turn."""
    turn = turns_of(state["messages"])[-1]
    found = [finding for finding in turn.found if finding.ok]
    return explain(turn.question, found, [because if found else NOTHING_CALLED])
