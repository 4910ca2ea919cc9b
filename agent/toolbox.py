"""The tools the chat model can call: the plain functions of `tools`, with arguments a model can write.

Each returns what it found as text for the model and as JSON for the thread; what fails becomes a
message to the model.
"""

from collections.abc import Sequence
from typing import Literal

from langchain_core.messages import ToolCall, ToolMessage
from langchain_core.tools import BaseTool, StructuredTool
from pydantic import ValidationError

from agent.errors import AgentError
from agent.state import Json
from agent.tool_arguments import (
    Arguments,
    CourseArgs,
    ExcludeArgs,
    MaskArgs,
    MeasureArgs,
    RankArgs,
    RecordArgs,
    SearchArgs,
    ShowArgs,
    SimulateArgs,
)
from agent.tool_results import brief, foreign_texts, shown_to_model
from agent.workbench import Workbench
from knowledge.errors import KnowledgeError
from tools.errors import ToolError
from worldmodel.errors import WorldModelError

OWN_ERRORS = (WorldModelError, KnowledgeError, ToolError, AgentError)


Group = Literal["consult", "simulate", "score"]
_TOOLS: dict[str, tuple[type[Arguments], Group]] = {
    "measure_ecg": (MeasureArgs, "consult"),
    "read_record": (RecordArgs, "consult"),
    "check_mask": (MaskArgs, "consult"),
    "explain_exclusion": (ExcludeArgs, "consult"),
    "search_knowledge": (SearchArgs, "consult"),
    "simulate": (SimulateArgs, "simulate"),
    "roll_out": (CourseArgs, "simulate"),
    "show_ecg": (ShowArgs, "simulate"),
    "rank": (RankArgs, "score"),
}


def group_of(tool: str) -> Group:
    """Which node of the graph runs a tool; unknown names are answered where lookups are."""
    return _TOOLS[tool][1] if tool in _TOOLS else "consult"


def tools_on(bench: Workbench) -> list[BaseTool]:
    """The tools as LangChain binds them to a chat model."""
    return [
        StructuredTool.from_function(
            func=getattr(bench, name), name=name, description=(args.__doc__ or "").strip(), args_schema=args
        )
        for name, (args, _) in _TOOLS.items()
    ]


def run_call(bench: Workbench, call: ToolCall) -> ToolMessage:
    """Run one tool call; whatever fails becomes a message that says what to do instead."""
    try:
        found = _result(bench, call)
        return _answer(call, found, "success", foreign_texts(bench.case))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or call["name"]
        return _answer(call, {"error": f"{where}: {first['msg']}", "hint": "Mend the arguments."}, "error")
    except OWN_ERRORS as error:
        return _answer(call, {"error": error.message, "hint": error.hint}, "error")


def _result(bench: Workbench, call: ToolCall) -> Json:
    name = call["name"]
    if name not in _TOOLS:
        raise ToolError(f"There is no tool {name!r}.", f"Tools: {', '.join(_TOOLS)}.")
    args = _TOOLS[name][0].model_validate(call["args"])
    result: Json = getattr(bench, name)(**{key: getattr(args, key) for key in args.model_fields_set})
    return result


def failed_call(call_id: str, name: str, reason: str) -> ToolMessage:
    """The answer to a call that was not run."""
    call = ToolCall(name=name, args={}, id=call_id, type="tool_call")
    return _answer(call, {"error": reason, "hint": ""}, "error")


def result_of(message: ToolMessage) -> Json:
    """What a tool returned, whole."""
    return message.artifact if isinstance(message.artifact, dict) else {}


def _answer(
    call: ToolCall,
    result: Json,
    status: Literal["success", "error"],
    quotes: Sequence[str] = (),
) -> ToolMessage:
    """The message for the model, with what it quotes of the record fenced; the artifact keeps the result as it is."""
    text = shown_to_model(brief(result), quotes)
    return ToolMessage(text, name=call["name"], tool_call_id=call["id"] or "", artifact=result, status=status)
