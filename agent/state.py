"""The state that flows through the graph: JSON-like, so that a thread outlives the program that wrote it."""

from typing import Annotated, Any, TypedDict

from langchain_core.messages import AnyMessage, RemoveMessage
from langgraph.graph.message import add_messages

Json = dict[str, Any]


class CaseReference(TypedDict, total=False):
    """Where the case of a thread lies: paths, or the name of the built-in patient.

    stated: what the user said of the ECG's file, by the names of `Stated`; window: "12-22", in seconds. redact: a
    remote model is shown nothing that identifies the patient; once said, it holds for the whole thread.
    """

    ecg: str | None
    patient: str | None
    stated: Json | None
    window: str | None
    redact: bool


class AgentState(TypedDict, total=False):
    """One thread. Everything but `messages` and `case` belongs to the turn that is being answered.

    record: what intake found, as `measure_ecg` returns it. verdicts: what the mask says of the usual doses.
    rounds: how often the chat model has spoken; usage: its tokens. draft, objections: an answer that is
    being corrected, and what could not be traced in it. corrected, withheld: how the answer came about.
    approved: by approval.call_key, the blocked actions of it that a person has approved for research.
    """

    messages: Annotated[list[AnyMessage | RemoveMessage], add_messages]
    case: CaseReference
    record: Json
    verdicts: list[Json]
    rounds: int
    draft: str
    objections: list[str]
    usage: dict[str, int]
    corrected: bool
    withheld: bool
    approved: dict[str, list[str]]
