"""Threads again: the same tool calls for the same numbers, and a copy that goes another way."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agent.cases import fingerprint, open_case
from agent.errors import ThreadError
from agent.state import Json
from agent.threads import ThreadStore, TurnRecord
from agent.tool_results import brief
from agent.toolbox import result_of, run_call
from agent.workbench import Workbench
from tools.provenance import knowledge_sha256

if TYPE_CHECKING:
    from worldmodel.model import WorldModel

MOST_TOLD = 10


@dataclass(frozen=True)
class Replayed:
    """One turn again. changed: what of the manifest is another now; differences: results that came out otherwise."""

    turn: int
    question: str
    answer: str
    changed: tuple[str, ...]
    differences: tuple[str, ...]

    @property
    def same(self) -> bool:
        return not self.differences


def replay(record: TurnRecord, model: "WorldModel | None" = None) -> Replayed:
    """Runs the tool calls of an answered turn on its case with its seed; no chat model takes part.

    Raises the errors of `open_case` where the case is not there any more.
    """
    manifest = record.manifest
    bench = Workbench(
        open_case(manifest["case"]),
        k=manifest["k"],
        seed=manifest["seed"],
        lambda_=manifest["lambda"],
        model=model,
        approved=frozenset(manifest.get("approved", ())),
    )
    differences: list[str] = []
    for call in record.answer["tool_calls"]:
        asked = {"name": call["name"], "args": call["args"], "id": "again", "type": "tool_call"}
        now = brief(result_of(run_call(bench, asked)))  # type: ignore[arg-type]
        differences += [f"{call['name']}: {line}" for line in _differences(call["result"], now, "")]
    return Replayed(
        record.turn,
        record.question,
        record.answer["answer"],
        tuple(_changed(manifest, bench)),
        tuple(differences[:MOST_TOLD]),
    )


def _changed(manifest: Json, bench: Workbench) -> Iterator[str]:
    """What the numbers hang on that is not what it was."""
    from agent.session import weights_sha256

    now: Json = {**fingerprint(bench.case), "knowledge_sha256": knowledge_sha256()}
    if manifest["weights_sha256"]:
        now["weights_sha256"] = weights_sha256(bench)
    yield from (key for key, value in now.items() if manifest.get(key) != value)


def _differences(then: Any, now: Any, where: str) -> Iterator[str]:
    if isinstance(then, dict) and isinstance(now, dict):
        for key in sorted(then.keys() | now.keys()):
            yield from _differences(then.get(key), now.get(key), f"{where}.{key}".lstrip("."))
    elif isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        for place, pair in enumerate(zip(then, now, strict=True)):
            yield from _differences(*pair, f"{where}[{place}]")
    elif then != now:
        yield f"{where} was {then!r}, is {now!r}"


def fork(store: ThreadStore, thread_id: str, turns: int | None = None) -> str:
    """A copy of a thread, whole or up to some turn, under a new name; the thread itself stays. Raises ThreadError."""
    from langchain_core.runnables import RunnableConfig

    from agent.graph import build_graph
    from agent.models import offline_planner
    from agent.nodes import Services
    from agent.session import new_thread_id
    from agent.transcript import turns_of
    from tools.case import Case

    records = store.turns(thread_id)
    graph = build_graph(Services(offline_planner(), Workbench(Case())), store.saver)
    before = graph.get_state(RunnableConfig(configurable={"thread_id": thread_id})).values
    parts = turns_of(before["messages"])
    kept = len(parts) if turns is None else turns
    if not 0 <= kept <= len(parts):
        raise ThreadError(f"thread {thread_id!r} has {len(parts)} turns", "Give --turn within them.")
    copy = new_thread_id()
    messages = [message for part in parts[:kept] for message in part.messages]
    config = RunnableConfig(configurable={"thread_id": copy})
    graph.update_state(
        config, {"messages": messages, "case": before["case"], "objections": []}, as_node="explain"
    )
    for record in records:
        if record.turn <= kept:
            store.record(copy, record)
    return copy
