"""The graph: intake, mask, propose, then consult, simulate or score as asked, and explain. Built on demand.

In research mode a call that the mask blocks waits in `approve` until a person has decided.
"""

from functools import partial
from typing import Any

from langchain_core.messages import AIMessage
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from agent.approval import approve, waits_for_approval
from agent.nodes import MAX_ROUNDS, Services, explain_answer, intake, mask, propose, run_tools
from agent.state import AgentState
from agent.toolbox import Group, group_of

Graph = CompiledStateGraph[AgentState, None, AgentState, AgentState]
GROUPS: tuple[Group, ...] = ("consult", "simulate", "score")


def build_graph(services: Services, checkpointer: BaseCheckpointSaver[Any] | None = None) -> Graph:
    """The compiled graph for one case and one chat model; threads live in `checkpointer`, if one is given."""
    graph = StateGraph(AgentState)
    graph.add_node("intake", partial(intake, services=services))
    graph.add_node("mask", partial(mask, services=services))
    graph.add_node("approve", partial(approve, services=services))
    graph.add_node("propose", partial(propose, services=services))
    for group in GROUPS:
        graph.add_node(group, partial(run_tools, services=services, group=group))
        graph.add_edge(group, "propose")
    graph.add_node("explain", partial(explain_answer, services=services))
    graph.add_edge(START, "intake")
    graph.add_edge("intake", "mask")
    graph.add_edge("mask", "propose")
    route = partial(_after_proposal, services=services)
    graph.add_conditional_edges("propose", route, ["approve", *GROUPS, "explain"])
    graph.add_conditional_edges("approve", _groups_asked, list(GROUPS))
    graph.add_conditional_edges("explain", _after_explanation, ["propose", END])
    return graph.compile(checkpointer=checkpointer)


def _after_proposal(state: AgentState, services: Services) -> list[str]:
    """The nodes that run the calls of the last reply, in research mode after an approval where one is blocked.

    `explain` when there are no calls, or too many rounds.
    """
    reply = state["messages"][-1]
    assert isinstance(reply, AIMessage)
    if state["rounds"] >= MAX_ROUNDS or not (reply.tool_calls or reply.invalid_tool_calls):
        return ["explain"]
    return ["approve"] if waits_for_approval(state, services) else _groups_asked(state)


def _groups_asked(state: AgentState) -> list[str]:
    reply = state["messages"][-1]
    assert isinstance(reply, AIMessage)
    wanted = {group_of(call["name"]) for call in reply.tool_calls}
    if reply.invalid_tool_calls:
        wanted.add("consult")
    return [group for group in GROUPS if group in wanted]


def _after_explanation(state: AgentState) -> str:
    return "propose" if state.get("objections") else END
