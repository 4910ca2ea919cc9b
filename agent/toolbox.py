"""The tools the chat model can call: the plain functions of `tools`, with arguments a model can write.

Each returns what it found as text for the model and as JSON for the thread; what fails becomes a
message to the model. Before anything is simulated the mask is asked, and again inside of the tool.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from langchain_core.messages import ToolCall, ToolMessage
from langchain_core.tools import BaseTool, StructuredTool
from pydantic import ValidationError

from agent.assumptions import Assumptions, suppose
from agent.errors import AgentError
from agent.interactions import interactions_of
from agent.state import Json
from agent.tool_arguments import (
    Arguments,
    ExcludeArgs,
    MaskArgs,
    MeasureArgs,
    RankArgs,
    RecordArgs,
    SearchArgs,
    SimulateArgs,
)
from agent.tool_results import brief, free_texts, quotes_fenced, record_fenced
from knowledge.errors import KnowledgeError
from tools.case import Case
from tools.errors import ToolError
from worldmodel.errors import WorldModelError

if TYPE_CHECKING:
    from tools.rank import RankResult
    from worldmodel.model import WorldModel

Progress = Callable[[float], None]
OWN_ERRORS = (WorldModelError, KnowledgeError, ToolError, AgentError)


@dataclass
class Workbench:
    """One case with the tools on it. ranking: the last one, with its waveforms, for the report."""

    case: Case
    k: int = 3
    seed: int = 0
    lambda_: float = 0.6
    model: "WorldModel | None" = None
    progress: Progress | None = None
    ranking: "RankResult | None" = None

    def measure_ecg(self) -> Json:
        """What the ECG shows, as `measure --json` says it."""
        from tools.measure import recording_of

        ecg, measured = self.case.pre_dose()
        return recording_of(_file_name(self.case), ecg, measured).model_dump(mode="json")

    def read_record(self) -> Json:
        """The patient's record; its free text is fenced as data."""
        if self.case.patient is None:
            return {
                "patient": None,
                "note": "No patient record was given, so everything about the patient is unknown.",
            }
        record = self.case.patient.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
        return {"patient": record_fenced("patient", record)}

    def check_mask(
        self,
        actions: Sequence[str] = (),
        drugs: Sequence[str] = (),
        goal: str | None = None,
        assume: Assumptions | None = None,
    ) -> Json:
        """Verdicts as `mask --json` gives them."""
        from tools.mask import mask_actions

        case, hypothetical = self._supposing(assume)
        result = mask_actions(case, drugs=drugs, actions=actions, goal=goal)
        return hypothetical | result.model_dump(mode="json")

    def simulate(
        self,
        actions: Sequence[str],
        hours: float | None = None,
        k: int | None = None,
        assume: Assumptions | None = None,
    ) -> Json:
        """What `simulate --json` gives for the actions the mask lets through, and the verdicts on the others."""
        from knowledge.policy import NOT_SIMULATED
        from tools.mask import mask_actions
        from tools.simulate import simulate_actions

        case, hypothetical = self._supposing(assume)
        verdicts = mask_actions(case, actions=actions).verdicts
        refused = [v.model_dump(mode="json") for v in verdicts if v.verdict in NOT_SIMULATED]
        simulated = [
            text
            for text, verdict in zip(actions, verdicts, strict=True)
            if verdict.verdict not in NOT_SIMULATED
        ]
        if not simulated:
            return hypothetical | {"actions": [], "refused": refused}
        result = simulate_actions(
            case,
            simulated,
            hours=hours,
            k=k or self.k,
            seed=self.seed,
            model=self.model,
            progress=self.progress,
        )
        return hypothetical | {"k": k or self.k} | result.model_dump(mode="json") | {"refused": refused}

    def rank(
        self,
        goal: str | None = None,
        drugs: Sequence[str] = (),
        without: Sequence[str] = (),
        hours: float | None = None,
        k: int | None = None,
        assume: Assumptions | None = None,
    ) -> Json:
        """What `rank --json` gives; `without` leaves out some of the drugs or of those for the goal."""
        from tools.rank import rank_candidates

        case, hypothetical = self._supposing(assume)
        if without:
            drugs = _others(goal or (case.patient.goal if case.patient else None), drugs, without)
        result = rank_candidates(
            case,
            goal=goal,
            drugs=drugs,
            k=k or self.k,
            lambda_=self.lambda_,
            seed=self.seed,
            hours=hours,
            model=self.model,
            progress=self.progress,
        )
        self.ranking = result
        return hypothetical | result.model_dump(mode="json")

    def search_knowledge(self, query: str, drugs: Sequence[str] = (), n: int = 5) -> Json:
        """What `kb search --json` gives; with drugs, every rule on their interactions, exactly read."""
        if drugs:
            return {"query": query, "hits": interactions_of(drugs)}
        from tools.knowledge import search_knowledge

        return search_knowledge(query, n).model_dump(mode="json")

    def explain_exclusion(self, action: str, assume: Assumptions | None = None) -> Json:
        """The verdicts on one action, or on the usual doses of a drug, with rules, values and what is missing."""
        from knowledge.doses import read_doses
        from tools.mask import mask_actions

        case, hypothetical = self._supposing(assume)
        dosed = bool(read_doses(action))
        result = mask_actions(case, actions=[action]) if dosed else mask_actions(case, drugs=[action])
        return hypothetical | result.model_dump(mode="json")

    def _supposing(self, assume: Assumptions | None) -> tuple[Case, Json]:
        if not assume:
            return self.case, {}
        patient, lines = suppose(self.case.patient, assume)
        return replace(self.case, patient=patient), {"hypothetical": lines}


Group = Literal["consult", "simulate", "score"]
_TOOLS: dict[str, tuple[type[Arguments], Group]] = {
    "measure_ecg": (MeasureArgs, "consult"),
    "read_record": (RecordArgs, "consult"),
    "check_mask": (MaskArgs, "consult"),
    "explain_exclusion": (ExcludeArgs, "consult"),
    "search_knowledge": (SearchArgs, "consult"),
    "simulate": (SimulateArgs, "simulate"),
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
    record = bench.case.patient.model_dump(mode="json") if bench.case.patient else {}
    try:
        return _answer(call, _result(bench, call), "success", tuple(free_texts(record)))
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
    call: ToolCall, result: Json, status: Literal["success", "error"], quotes: Sequence[str] = ()
) -> ToolMessage:
    """The message for the model, with what it quotes of the record fenced; the artifact keeps the result as it is."""
    text = json.dumps(quotes_fenced(brief(result), quotes), ensure_ascii=False, separators=(",", ":"))
    return ToolMessage(text, name=call["name"], tool_call_id=call["id"] or "", artifact=result, status=status)


def _others(goal: str | None, drugs: Sequence[str], without: Sequence[str]) -> list[str]:
    """The drugs named, or else those for the goal, but for some. Raises ToolError where none is left."""
    from knowledge.candidates import candidates
    from knowledge.drugs import load_catalogue
    from tools.goals import candidates_for

    catalogue = load_catalogue()
    given = candidates_for(goal, drugs, catalogue)
    left_out = {dose.drug_id for action in candidates(None, without, catalogue) for dose in action.doses}
    ids = dict.fromkeys(dose.drug_id for action in given for dose in action.doses)
    others = [catalogue.get(drug_id).name for drug_id in ids if drug_id not in left_out]
    if not others:
        raise ToolError("No candidate is left.", "Leave out fewer drugs, or name another goal.")
    return others


def _file_name(case: Case) -> str:
    return case.ecg_path.name if case.ecg_path else (case.ecg.source if case.ecg else "")
