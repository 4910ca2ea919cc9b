"""The bench: one case, and the functions of `tools` on it as the conversation calls them.

Before anything is simulated the mask is asked here, and again inside of the tool.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from agent.allowing import what_would_allow
from agent.assumptions import Assumptions, suppose
from agent.interactions import interactions_of
from agent.state import Json
from agent.tool_results import record_fenced
from tools.case import Case
from tools.errors import ToolError

if TYPE_CHECKING:
    from knowledge.patient import Patient
    from tools.mask import VerdictGiven
    from tools.rank import RankResult
    from worldmodel.model import WorldModel

Progress = Callable[[float], None]


@dataclass
class Workbench:
    """One case with the tools on it. ranking: the last one, with its waveforms, for the report.

    research: whether a person may be asked to approve what is blocked; approved: what one has, for the call that is
    being run. redacted: whether a remote model is shown results without identifiers, true dates and notes.
    """

    case: Case
    k: int = 3
    seed: int = 0
    lambda_: float = 0.6
    model: "WorldModel | None" = None
    progress: Progress | None = None
    ranking: "RankResult | None" = None
    research: bool = False
    redacted: bool = False
    approved: frozenset[str] = frozenset()

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
        from tools.simulate import simulate_actions

        case, hypothetical = self._supposing(assume)
        simulated, refused = _passing(case, actions, self.approved)
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
            approved=self.approved,
        )
        return hypothetical | {"k": k or self.k} | result.model_dump(mode="json") | {"refused": refused}

    def blocked(self, actions: Sequence[str], assume: Assumptions | None = None) -> list[Json]:
        """The verdicts on those of the actions that the mask blocks."""
        return _passing(self._supposing(assume)[0], actions)[1]

    def roll_out(
        self,
        steps: Sequence[str],
        hours: float | None = None,
        k: int | None = None,
        assume: Assumptions | None = None,
    ) -> Json:
        """What `simulate --then --json` gives; where the mask stops one step, its verdict and no course at all."""
        from tools.simulate import roll_out

        case, hypothetical = self._supposing(assume)
        so_far = [" + ".join(steps[: i + 1]) for i in range(len(steps))]
        simulated, refused = _passing(case, so_far)
        if len(simulated) < len(steps):
            return hypothetical | {"steps": list(steps), "actions": [], "refused": refused}
        result = roll_out(case, steps, hours, k or self.k, self.seed, self.model, progress=self.progress)
        found = result.model_dump(mode="json")
        return hypothetical | {"k": k or self.k, "steps": list(steps)} | found | {"refused": []}

    def show_ecg(
        self,
        leads: Sequence[str] = (),
        action: str | None = None,
        hours: float | None = None,
        assume: Assumptions | None = None,
    ) -> Json:
        """Leads of the recording; with an action that the mask lets through, also of one simulated ECG."""
        from agent.leads import leads_before_and_after, leads_now, named_leads
        from tools.simulate import simulate_actions

        names = named_leads(leads)
        case, hypothetical = self._supposing(assume)
        if action is None:
            return hypothetical | leads_now(case, names)
        _, refused = _passing(case, [action])
        if refused:
            return hypothetical | {"leads": {}, "refused": refused}
        result = simulate_actions(
            case, [action], hours, self.k, self.seed, self.model, progress=self.progress
        )
        (after,) = result.model_dump(mode="json", include={"actions": {0: {"action", "verdict", "hours"}}})[
            "actions"
        ]
        told = {"model": result.model.model_dump(mode="json"), "warnings": list(result.warnings)}
        return hypothetical | leads_before_and_after(case, names, result) | {"after": after} | told

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
        """The verdicts on one action, or on the usual doses of a drug; rules, values, and what would have to change."""
        from knowledge.doses import read_doses
        from tools.mask import mask_actions

        case, hypothetical = self._supposing(assume)
        dosed = bool(read_doses(action))

        def judge(patient: "Patient | None") -> "Sequence[VerdictGiven]":
            copy = replace(case, patient=patient)
            of = mask_actions(copy, actions=[action]) if dosed else mask_actions(copy, drugs=[action])
            return of.verdicts

        verdicts = judge(case.patient)
        told = [verdict.model_dump(mode="json") for verdict in verdicts]
        return hypothetical | {
            "verdicts": told,
            "would_allow": what_would_allow(case.patient, verdicts, judge),
        }

    def _supposing(self, assume: Assumptions | None) -> tuple[Case, Json]:
        if not assume:
            return self.case, {}
        patient, lines = suppose(self.case.patient, assume)
        return replace(self.case, patient=patient), {"hypothetical": lines}


def _passing(
    case: Case, actions: Sequence[str], approved: Collection[str] = ()
) -> tuple[list[str], list[Json]]:
    """The actions that may be simulated, and the verdicts on the others."""
    from knowledge.policy import NOT_SIMULATED
    from tools.mask import mask_actions

    judged = list(zip(actions, mask_actions(case, actions=actions).verdicts, strict=True))
    stopped = [v for _, v in judged if v.verdict in NOT_SIMULATED and v.action.text not in approved]
    passing = [text for text, verdict in judged if verdict not in stopped]
    return passing, [verdict.model_dump(mode="json") for verdict in stopped]


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
