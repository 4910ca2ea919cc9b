"""The graph as `langgraph.json` names it for LangGraph's own tools, on the built-in patient."""

from agent.cases import built_in_case
from agent.graph import Graph, build_graph
from agent.models import choose_model
from agent.nodes import Services
from agent.settings import load_settings
from agent.workbench import Workbench


def make_graph() -> Graph:
    """A graph without a checkpointer: the tool that loads it brings its own."""
    settings = load_settings()
    chat = choose_model(settings.model, settings.base_url, settings.key)
    return build_graph(Services(chat, Workbench(built_in_case())))
