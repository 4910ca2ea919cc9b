"""A conversation: one thread, one case, one chat model; each question goes through the graph and is recorded."""

import platform
import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from langchain_core.messages import BaseMessage, HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.types import Command

from agent.approval import MARK, approved_actions
from agent.cases import fingerprint
from agent.errors import ApprovalPending, ProviderError, ThreadError
from agent.graph import Graph, build_graph
from agent.models import ChatModel, offline_planner
from agent.nodes import Services
from agent.redaction import disclosure
from agent.state import AgentState, CaseReference, Json
from agent.threads import ThreadStore, TurnRecord
from agent.tool_results import brief
from agent.transcript import Found, Turn, turns_of
from agent.workbench import Workbench
from tools.provenance import knowledge_sha256, version_of

OnStep = Callable[[Json], None]
STEPS_PER_TURN = 60  # of the graph; the rounds of the model are bounded before


@dataclass(frozen=True)
class Answer:
    """One answered question. tool_calls, ranking and simulations are as in the JSON of `ask`."""

    answer: str
    tool_calls: list[Json]
    citations: list[Json]
    thread_id: str
    usage: Json
    model: str
    ranking: list[Json] | None = None
    simulations: list[Json] | None = None
    warnings: tuple[str, ...] = ()
    found: tuple[Found, ...] = field(default=(), repr=False)

    def as_json(self) -> Json:
        """The `data` of `ask --json`."""
        data = asdict(replace(self, found=()))
        for key in ("warnings", "found"):
            del data[key]
        return {key: value for key, value in data.items() if value is not None}


@dataclass
class Conversation:
    """A thread that questions are asked in."""

    chat: ChatModel
    bench: Workbench
    store: ThreadStore
    thread_id: str
    case: CaseReference
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def ask(self, question: str, on_step: OnStep | None = None) -> Answer:
        """Answers a question. Raises ProviderError with the question kept in the thread, see `ask_offline`;
        and ApprovalPending in research mode, see `decide`.
        """
        state = AgentState(messages=[HumanMessage(question)], case=self.case)
        return self._run_kept(state, on_step)

    def decide(self, approved: bool, on_step: OnStep | None = None) -> Answer:
        """Goes on with the question that waits for approval. Raises ThreadError where none waits."""
        if not self.waiting():
            raise ThreadError(f"nothing in thread {self.thread_id!r} waits for approval", "Ask a question.")
        return self._run_kept(Command(resume=approved), on_step)

    def resume(self, on_step: OnStep | None = None) -> Answer | None:
        """Goes on with a question at which the program was stopped; None where none was left."""
        left = self._graph(self.chat).get_state(self._config)
        return self._run_kept(None, on_step) if left.next and not left.interrupts else None

    def waiting(self) -> list[Json]:
        """The verdicts on the blocked actions that wait for a person's approval."""
        interrupts = self._graph(self.chat).get_state(self._config).interrupts
        return [verdict for one in interrupts for verdict in one.value["blocked"]]

    def _run_kept(self, state: "AgentState | Command[Any] | None", on_step: OnStep | None) -> Answer:
        """Runs with the chosen model. Raises ProviderError with the question kept, ApprovalPending."""
        try:
            return self._run(self.chat, state, on_step)
        except ProviderError as error:
            hint = f"{error.hint} The question is kept in thread {self.thread_id}."
            raise ProviderError(error.message, hint) from error

    def ask_offline(self, on_step: OnStep | None = None) -> Answer:
        """Lets the offline planner answer the question at which the chat model failed."""
        return self._run(offline_planner(), None, on_step)

    def turns(self) -> list[Turn]:
        """The questions of the thread so far, with what followed them."""
        return turns_of(self._state(self.chat).get("messages", []))

    def _graph(self, chat: ChatModel) -> Graph:
        return build_graph(Services(chat, self.bench), self.store.saver)

    @property
    def _config(self) -> RunnableConfig:
        return {"configurable": {"thread_id": self.thread_id}, "recursion_limit": STEPS_PER_TURN}

    def _state(self, chat: ChatModel) -> Json:
        return dict(self._graph(chat).get_state(self._config).values)

    def _run(
        self, chat: ChatModel, state: "AgentState | Command[Any] | None", on_step: OnStep | None
    ) -> Answer:
        with self.store.holding(self.thread_id):
            return self._run_alone(chat, state, on_step)

    def _run_alone(
        self, chat: ChatModel, state: "AgentState | Command[Any] | None", on_step: OnStep | None
    ) -> Answer:
        began, clock = self.now(), time.monotonic()
        for event in self._graph(chat).stream(state, self._config, stream_mode="custom", durability="sync"):
            if on_step:
                on_step(event)
        if waiting := self.waiting():
            raise _pending(waiting, self.thread_id, self.bench)
        after = self._state(chat)
        turns = turns_of(after["messages"])
        answer = _answer_of(turns[-1].messages, after, self.thread_id, chat.name, self.bench)
        manifest = self._manifest(chat, answer, after, time.monotonic() - clock)
        record = TurnRecord(len(turns), began.isoformat(), turns[-1].question, answer.as_json(), manifest)
        self.store.record(self.thread_id, record)
        return answer

    def _manifest(self, chat: ChatModel, answer: Answer, after: Json, duration_s: float) -> Json:
        """What it takes to get the same numbers again."""
        simulated = any("model" in found.result for found in answer.found)
        packages = ("ecgwm-agent", "langgraph", "langchain-core", "langchain-openai", "torch", "numpy")
        return {
            "versions": {"python": platform.python_version()} | {name: version_of(name) for name in packages},
            "weights_sha256": weights_sha256(self.bench) if simulated else None,
            "knowledge_sha256": knowledge_sha256(),
            "case": dict(self.case),
            **fingerprint(self.bench.case),
            "seed": self.bench.seed,
            "k": self.bench.k,
            "lambda": self.bench.lambda_,
            "model": chat.name,
            "host": chat.host,
            "left_this_machine": disclosure(chat, self.bench) or None,
            "usage": answer.usage,
            "rounds": after.get("rounds"),
            "corrected": after.get("corrected", False),
            "withheld": after.get("withheld", False),
            "approved": approved_actions(after),
            "duration_s": round(duration_s, 3),
        }


def _pending(waiting: Iterable[Json], thread_id: str, bench: Workbench) -> ApprovalPending:
    told = [
        f"{v['action']['text']} is blocked [{', '.join(rule['id'] for rule in v['rules'])}]" for v in waiting
    ]
    return ApprovalPending(
        f"{'; '.join(told)}: it is simulated for research only, and only if you approve it",
        f"Say `ecgwm-agent ask --thread {thread_id} -k {bench.k} --seed {bench.seed} --approve` or `--decline`.",
    )


def new_thread_id() -> str:
    """A short random name."""
    return secrets.token_hex(4)


def _answer_of(
    turn: Sequence[BaseMessage], after: Json, thread_id: str, model: str, bench: Workbench
) -> Answer:
    found = turns_of(turn)[0].found
    text = turn[-1].text
    ranks = [f for f in found if f.tool == "rank" and f.ok]
    simulations = [f for f in found if f.tool == "simulate" and f.ok]
    approved = [f"{MARK} {', '.join(actions)}"] if (actions := approved_actions(after)) else []
    warnings = [w for f in found for w in f.result.get("warnings", ()) if isinstance(w, str)]
    return Answer(
        answer=text,
        tool_calls=[{"name": f.tool, "args": f.args, "ok": f.ok, "result": brief(f.result)} for f in found],
        citations=_cited(text, found),
        thread_id=thread_id,
        usage=after.get("usage") or {"input_tokens": 0, "output_tokens": 0},
        model=model,
        ranking=ranks[-1].result["ranking"] if ranks else None,
        simulations=[action for f in simulations for action in f.result["actions"]] if simulations else None,
        warnings=tuple(dict.fromkeys((*approved, *bench.case.warnings, *warnings))),
        found=tuple(found),
    )


def _cited(text: str, found: Iterable[Found]) -> list[Json]:
    """The rules and entries that the answer names, with their sources."""
    sources: dict[str, str] = {}
    for item in _entries([f.result for f in found]):
        sources.setdefault(item["id"], item["source"])
    return [{"id": name, "source": source} for name, source in sources.items() if f"[{name}]" in text]


def _entries(value: Any) -> Iterable[Json]:
    """Every object in a result that has an id and a source."""
    if isinstance(value, dict):
        if isinstance(value.get("id"), str) and isinstance(value.get("source"), str):
            yield value
        for inner in value.values():
            yield from _entries(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _entries(inner)


def weights_sha256(bench: Workbench) -> str:
    """The hash of the world model's weights that this bench simulates with."""
    from tools.model import shared_model

    return (bench.model or shared_model()).info.sha256
