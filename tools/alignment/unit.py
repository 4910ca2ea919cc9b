"""A few episodes, from the files to the risks of every sample: the unit of work of every engine.

Each episode is seeded by its own id, and a unit is always made of the same episodes, computed by one thread. So the
numbers are the same to the last digit whoever computes which unit, in whatever order.
"""

import hashlib
import logging
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import torch

from knowledge.doses import GivenAction
from knowledge.drugs import load_catalogue
from knowledge.errors import CatalogueError, KnowledgeError
from knowledge.mask import Verdict
from tools.alignment.choices import Combinations, choices_for
from tools.alignment.episode import Episode
from tools.alignment.known import case_at_decision
from tools.alignment.prescription import drugs_of, judge_prescription
from tools.alignment.record import CandidateKept, EpisodeKept, Failure, PrescribedKept
from tools.case import Case
from tools.errors import ToolError
from tools.exposure import action_of
from tools.goals import goal_named, judge_goal, shows_in_ecg
from tools.mask import judge_given
from tools.model import shared_model
from tools.outcomes import Outcome, judge_outcomes, pre_dose_risk, sample_given
from tools.results import REFUSED
from worldmodel.ecg import Ecg
from worldmodel.errors import WeightsError, WorldModelError
from worldmodel.labels.pooling import pool
from worldmodel.measurement import Measurement
from worldmodel.model import Request, Simulation, WorldModel
from worldmodel.risk import JUDGED_INTERVALS
from worldmodel.scoring import PoolingName

T = TypeVar("T")
PAPER_POOLINGS: tuple[PoolingName, ...] = ("mean", "max", "top3")
FEATURES = ("hr_bpm", "pr_ms", "qrs_ms", "qtcf_ms")
SEVERITIES = ((0.2, "risk below 0.2"), (0.5, "risk 0.2 to 0.5"), (2.0, "risk above 0.5"))


@dataclass(frozen=True)
class Plan:
    """What all units share. combinations: see choices.combinations_prescribed."""

    k: int
    seed: int
    combinations: Combinations


@dataclass(frozen=True)
class _Opened:
    """An episode that can be simulated. kept: without the risks of its candidates; request: of those not refused."""

    kept: EpisodeKept
    case: Case
    request: Request
    allowed: tuple[GivenAction, ...]


def align_unit(episodes: Sequence[Episode], plan: Plan, model: WorldModel | None = None) -> list[EpisodeKept]:
    """Candidates, verdicts and the risks of all samples of each episode, in order; one that fails says why.

    Candidates of all episodes x K samples are one batch of the world model, and each ECG is encoded once. Raises
    WeightsError, CatalogueError.
    """
    model = model or shared_model()
    with _one_thread():
        opened = [_attempt(partial(_open, e, plan, model), e, plan) for e in episodes]
        ready = [one for one in opened if isinstance(one, _Opened) and one.allowed]
        simulations = iter(_simulate(ready, plan.k, model))
        kept = []
        for episode, one in zip(episodes, opened, strict=True):
            if not isinstance(one, _Opened):
                kept.append(one)
                continue
            simulation = next(simulations) if one.allowed else None
            done = _attempt(partial(_judge, one, simulation, plan.k), episode, plan)
            kept.append(
                done if done.failure is None else one.kept.model_copy(update={"failure": done.failure})
            )
    return kept


def seed_of(seed: int, episode_id: str) -> int:
    """The seed of one episode: of the run's and its id alone."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{episode_id}".encode()).digest()[:4]) >> 1


def _open(episode: Episode, plan: Plan, model: WorldModel) -> _Opened:
    catalogue = load_catalogue()
    case, left_out = case_at_decision(episode)
    patient = case.patient
    ecg, measured = case.pre_dose()
    goal = episode.goal or (patient.goal if patient else None)
    goal = goal_named(goal, catalogue) if goal else None
    choices = choices_for(goal, episode.subject, plan.combinations, catalogue)
    verdicts = judge_given(case, choices, catalogue)
    allowed = tuple(v.action for v in verdicts if v.verdict not in REFUSED)
    encoded = model.encode(ecg, measured)
    risk = pre_dose_risk(case).value
    kept = _bare(episode, plan).model_copy(
        update={
            "goal": goal,
            "indication": _plain(
                episode.indication or (patient.indication if patient else None) or goal or "none"
            ),
            "severity": episode.severity or _severity(risk),
            "sex": patient.sex if patient else "unknown",
            "age_years": patient.age_years if patient else None,
            "before": {
                **{name: getattr(measured.intervals, name) for name in FEATURES},
                "potassium_mmol_l": case.context.potassium_mmol_l,
                "risk": risk,
            },
            "prescribed": judge_prescription(episode.prescribed, case, verdicts, catalogue),
            "candidates": tuple(_candidate(v) for v in verdicts),
            "left_out": left_out,
        }
    )
    actions = [action_of(action, catalogue) for action in allowed]
    request = Request(encoded, ecg, measured, actions, case.context, kept.seed)
    return _Opened(kept, case, request, allowed)


def _candidate(verdict: Verdict) -> CandidateKept:
    return CandidateKept(
        action=str(verdict.action),
        drugs=drugs_of(verdict.action),
        verdict=verdict.verdict,
        rules=tuple(rule.id for rule in verdict.rules if rule.verdict == verdict.verdict),
    )


def _simulate(opened: Sequence[_Opened], k: int, model: WorldModel) -> list[Simulation | Exception]:
    """The simulations of all in one batch; where that fails, each alone, so that one cannot spoil the others."""
    requests = [one.request for one in opened]
    try:
        return list(model.simulate_many(requests, k))
    except Exception as error:
        if len(requests) == 1:
            return [error]
        logging.getLogger(__name__).exception("a batch of %d episodes", len(requests))
        return [simulated for one in opened for simulated in _simulate([one], k, model)]


def _judge(one: _Opened, simulation: Simulation | Exception | None, k: int) -> EpisodeKept:
    """The same with the risks of every sample."""
    if isinstance(simulation, Exception):
        raise simulation
    if simulation is None:
        return one.kept
    hours = [action.hours for action in one.request.actions]
    outcomes = judge_outcomes(one.case, one.allowed, hours, simulation, k)
    by_action = {str(outcome.action): outcome for outcome in outcomes}
    candidates = tuple(
        _with_risks(candidate, by_action[candidate.action], one)
        if candidate.action in by_action
        else candidate
        for candidate in one.kept.candidates
    )
    return one.kept.model_copy(update={"candidates": candidates})


def _with_risks(candidate: CandidateKept, outcome: Outcome, one: _Opened) -> CandidateKept:
    before = one.request.measured.intervals
    shown = [name for name in JUDGED_INTERVALS if getattr(before, name) is not None]
    samples = [sample_given(m, risk) for m, risk in zip(outcome.measurements, outcome.risks, strict=True)]
    labels = [risk.labels.tensor() for risk in outcome.risks]
    risks: dict[str, tuple[float | None, ...]] = {
        "intervals": tuple(sample.risk for sample in samples),
        "labels": tuple(sample.label_risk for sample in samples),
        "combined": tuple(sample.combined_risk for sample in samples),
    }
    for name in PAPER_POOLINGS:
        pooled = [float(pool(p, name)) for p in labels]
        risks[f"labels_{name}"] = tuple(None if r != r else round(r, 4) for r in pooled)
    return candidate.model_copy(
        update={
            "hours": outcome.hours,
            "risks": risks,
            "full": tuple(
                all(getattr(m.intervals, name) is not None for name in shown) for m in outcome.measurements
            ),
            "reaches": tuple(_reaches(one.kept.goal, m) for m in outcome.measurements),
        }
    )


def _reaches(goal: str | None, sample: Measurement) -> bool | None:
    if goal is None or not shows_in_ecg(goal):
        return None
    attained = judge_goal(goal, [sample]).attained_probability
    return None if attained is None else attained == 1.0


def _attempt(work: Callable[[], T], episode: Episode, plan: Plan) -> T | EpisodeKept:
    """What `work` gives, or the episode with the reason why it failed."""
    try:
        return work()
    except (WeightsError, CatalogueError):  # of the installation: no episode could be scored
        raise
    except (WorldModelError, KnowledgeError, ToolError) as error:
        failure = Failure(code=_code(error), message=f"{error.message} {error.hint}".strip())
    except Exception as error:  # one strange file must not end a run over a hundred thousand
        logging.getLogger(__name__).exception(episode.id)
        failure = Failure(code="fault", message=f"{type(error).__name__}: {error}")
    return _bare(episode, plan).model_copy(update={"failure": failure})


def _bare(episode: Episode, plan: Plan) -> EpisodeKept:
    return EpisodeKept(
        id=episode.id,
        subject=episode.subject,
        seed=seed_of(plan.seed, episode.id),
        ecg="" if isinstance(episode.ecg, Ecg) else str(episode.ecg),
        patient=str(episode.patient) if isinstance(episode.patient, Path) else "",
        prescribed=PrescribedKept(text=episode.prescribed, standing="not_among"),
    )


def _code(error: Exception) -> str:
    """EcgFileError -> "ecg_file"."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(error).__name__.removesuffix("Error")).lower()


def _plain(text: str) -> str:
    return " ".join(text.lower().split())


def _severity(risk: float | None) -> str | None:
    return None if risk is None else next(name for top, name in SEVERITIES if risk < top)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Sums are made in one order only; cores are shared by units, not within one."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
