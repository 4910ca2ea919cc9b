"""Research mode: what the mask blocks is simulated only after a person has approved it, and marked in every answer.

A person decides, not the chat model: research mode is a flag of the command, the approval an interrupt of the graph
that only the user's program can answer. Approved is one action of one tool call; the mask's verdict stays as it is.
"""

from typing import TYPE_CHECKING

from langchain_core.messages import AIMessage, ToolCall
from langgraph.types import interrupt
from pydantic import ValidationError

from agent.state import AgentState, Json
from agent.tool_arguments import SimulateArgs
from agent.toolbox import OWN_ERRORS

if TYPE_CHECKING:
    from agent.nodes import Services

MARK = (
    "Research mode: blocked by the mask, simulated after a person's approval, and no candidate for treatment:"
)


def waits_for_approval(state: AgentState, services: "Services") -> bool:
    """Whether a simulation of a blocked action is asked for where a person may approve it."""
    return services.bench.research and bool(_blocked_calls(state, services))


def approve(state: AgentState, services: "Services") -> AgentState:
    """Stops the graph until a person has decided; resumed with True, or with anything else for no."""
    blocked = _blocked_calls(state, services)
    asked = [verdict for verdicts in blocked.values() for verdict in verdicts]
    decision = interrupt({"blocked": asked})
    approved = dict(state.get("approved", {}))
    if decision is True:
        approved |= {key: [v["action"]["text"] for v in verdicts] for key, verdicts in blocked.items()}
    return {"approved": approved}


def call_key(reply: AIMessage, call: ToolCall) -> str:
    """Of one call of one reply; the ids of calls alone are used again by some providers."""
    return f"{reply.id}/{call['id']}"


def approved_actions(state: AgentState | Json) -> list[str]:
    """The blocked actions that a person has approved in this turn."""
    approved: dict[str, list[str]] = state.get("approved") or {}
    return list(dict.fromkeys(action for actions in approved.values() for action in actions))


def with_mark(reply: AIMessage, state: AgentState) -> AIMessage | None:
    """The answer with the mark of what was approved, whichever model wrote it; None where nothing was."""
    actions = approved_actions(state)
    if not actions:
        return None
    return AIMessage(f"{MARK} {', '.join(actions)}.\n\n{reply.text}", id=reply.id)


def _blocked_calls(state: AgentState, services: "Services") -> dict[str, list[Json]]:
    """By the key of each call of `simulate` in the last reply, the verdicts on what of it is blocked."""
    reply = state["messages"][-1]
    assert isinstance(reply, AIMessage)
    blocked = {}
    for call in reply.tool_calls:
        if call["name"] == "simulate":
            try:
                args = SimulateArgs.model_validate(call["args"])
                blocked[call_key(reply, call)] = services.bench.blocked(args.actions, args.assume)
            except (ValidationError, *OWN_ERRORS):  # the tool answers such a call with the reason
                continue
    return {key: verdicts for key, verdicts in blocked.items() if verdicts}
