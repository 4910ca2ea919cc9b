"""Tool: does the world model show what it should, on virtual patients it has not seen, beside its rivals?"""

from collections.abc import Callable, Sequence
from math import sqrt
from pathlib import Path
from typing import TYPE_CHECKING

from knowledge.doses import DrugDose, parse_action
from knowledge.drugs import load_catalogue
from tools.exposure import action_of, exposure_of
from tools.find import find_recordings
from tools.model import model_used, shared_model
from tools.results import Answer, ModelUsed, Result, rounded
from tools.worldmodel_goals import LEFT_OUT, MISTAKEN_PRIORS, GoalRow, goal_rows

if TYPE_CHECKING:
    from worldmodel.ecg import Ecg
    from worldmodel.evaluation.effects import EffectRow
    from worldmodel.pharmacology import Action, DrugExposure

# The arms of the trial the effects come from (doi:10.1038/clpt.2014.155), at the hour of their largest effect.
ARMS = (
    ("no drug", 2.0),
    ("dofetilide 500 ug oral", 2.5),
    ("quinidine 400 mg oral", 2.0),
    ("ranolazine 1500 mg oral", 7.0),
    ("verapamil 120 mg oral", 1.0),
)
STEPS = (4, 0, 3, 0, 4)  # of a roll-out, by their place in ARMS
RIVAL_SAMPLES = 2  # of a contestant that is only asked for means
SMALLER = 4  # missing leads and roll-outs take a quarter of the patients
SAMPLES_IN_PASSING = (2, 3)  # simulated ECGs, of a missing lead and of a step
LEAST_EFFECT = 5.0  # ms or bpm, from which on the sign of a left-out drug's effect has to be right
NO_DATA = "no folder of recordings was named with --data"


class EffectGiven(Result):
    """Change of one interval from the pre-dose ECG under one action; bias = simulated - true mean."""

    action: str
    hours: float
    interval: str
    pairs: int
    true_mean: float | None
    true_sd: float | None
    simulated_mean: float | None
    simulated_sd: float | None
    bias: float | None


class Summary(Result):
    """Over the actions: RMS of the bias, and of the bias of saying "no change" (persistence)."""

    interval: str
    rms_bias: float | None
    rms_bias_of_persistence: float | None


class LeadsMissing(Result):
    """Simulated QTcF without these leads in the input less that with all."""

    leads: tuple[str, ...]
    patients: int
    bias_ms: float | None
    sd_ms: float | None


class RollOutStep(Result):
    """Errors of QTcF after one step in ms, from simulated ECGs all the way and, the oracle, from the true one."""

    step: int
    action: str
    patients: int
    rolled_rmse_ms: float | None
    rolled_bias_ms: float | None
    rolled_spread_ms: float | None
    oracle_rmse_ms: float | None
    oracle_bias_ms: float | None
    oracle_spread_ms: float | None


class Fidelity(Result):
    """One interval of real recordings after encoding and decoding, less as recorded; ms."""

    interval: str
    recordings: int
    bias_ms: float | None
    sd_ms: float | None
    median_abs_ms: float | None


class EvaluationResult(Answer):
    """The table of goals, and what it was made from: one row for each action and interval, lead, step, recording."""

    patients: int
    k: int
    seed: int
    goals: tuple[GoalRow, ...]
    effects: tuple[EffectGiven, ...]
    summary: tuple[Summary, ...]
    missing_leads: tuple[LeadsMissing, ...]
    roll_out: tuple[RollOutStep, ...]
    encode_decode: tuple[Fidelity, ...]
    recordings: int
    model: ModelUsed


def arms() -> "dict[str, Action]":
    """ARMS as actions of the world model."""
    catalogue = load_catalogue()
    return {text: action_of(parse_action(text, catalogue), catalogue, hours) for text, hours in ARMS}


def _drugs_with_mechanism() -> "dict[str, DrugExposure]":
    """The first usual dose of each drug that acts on the ECG, by name."""
    catalogue = load_catalogue()
    found = {}
    for drug in catalogue:
        if drug.routes and drug.mechanism and drug.effects.known():
            route = drug.routes[0]
            dose = DrugDose(drug_id=drug.id, dose=route.reference_dose, unit=route.unit, route=route.route)
            found[drug.name] = exposure_of(dose, catalogue)
    return found


def evaluate_worldmodel(
    patients: int,
    k: int,
    seed: int,
    progress: Callable[[float], None] | None = None,
    data: Sequence[Path] = (),
) -> EvaluationResult:
    """Simulate ARMS on virtual patients in sinus rhythm and measure what was to be seen, beside the rivals.

    data: folders of real recordings for encode-decode. Raises WeightsError, EcgFileError.
    """
    from worldmodel.evaluation.beliefs import left_out_profiles, mistaken_profiles, wrong_signs
    from worldmodel.evaluation.comparison import compare
    from worldmodel.evaluation.effects import OURS, effect_rows
    from worldmodel.evaluation.fidelity import evaluate_fidelity
    from worldmodel.evaluation.missing_leads import evaluate_missing_leads
    from worldmodel.evaluation.rivals import Believing, Simulates, anchor_alone, prior_alone, prior_scaled
    from worldmodel.evaluation.roll_outs import evaluate_roll_outs

    recordings, doubts = read_recordings(data)
    actions, model = arms(), shared_model()
    every = list(actions.values())
    fewer = max(2, patients // SMALLER)
    drugs = _drugs_with_mechanism()
    names = [drug.name for action in every for drug in action.drugs]
    left_out = left_out_profiles(drugs, names, seed)
    believing = {text: mistaken_profiles(drugs, factor, seed) for text, factor in MISTAKEN_PRIORS.items()} | {
        LEFT_OUT: left_out
    }
    contestants: dict[str, tuple[Simulates, int]] = {
        OURS: (model, k),
        "prior": (prior_alone(model), RIVAL_SAMPLES),
        "anchor": (anchor_alone(model), RIVAL_SAMPLES),
        "no EPK": (prior_scaled(model, 0.0), RIVAL_SAMPLES),
        **{text: (Believing(model, profiles), RIVAL_SAMPLES) for text, profiles in believing.items()},
    }
    compared = compare(contestants, actions, patients, seed, _part(progress, 0.0, 0.75))
    in_leads, in_step = SAMPLES_IN_PASSING
    missing = evaluate_missing_leads(model, every[1], fewer, in_leads, seed, _part(progress, 0.75, 0.88))
    steps = [every[i] for i in STEPS]
    rolled = evaluate_roll_outs(model, steps, fewer, in_step, seed, _part(progress, 0.88, 0.97))
    kept, used = evaluate_fidelity(model.vae, recordings, _part(progress, 0.97, 1.0))
    effects = tuple(_effect(row, actions) for row in effect_rows(compared, OURS))
    why_no_fidelity = (
        None if used else NO_DATA if not data else "no recording was complete and in sinus rhythm"
    )
    return EvaluationResult(
        warnings=doubts,
        patients=patients,
        k=k,
        seed=seed,
        goals=goal_rows(
            compared,
            actions,
            missing,
            rolled,
            kept,
            why_no_fidelity,
            wrong_signs(left_out, drugs, LEAST_EFFECT),
            seed,
        ),
        effects=effects,
        summary=_summaries(effects),
        missing_leads=tuple(
            LeadsMissing(
                leads=row.leads, patients=row.patients, bias_ms=rounded(row.bias_ms), sd_ms=rounded(row.sd_ms)
            )
            for row in missing
        ),
        roll_out=tuple(
            RollOutStep(
                step=row.step,
                action=ARMS[STEPS[row.step - 1]][0],
                patients=row.patients,
                **{
                    name: _finite(getattr(row, name))
                    for name in RollOutStep.model_fields
                    if name.endswith("_ms")
                },
            )
            for row in rolled
        ),
        encode_decode=tuple(
            Fidelity(
                interval=row.interval,
                recordings=row.recordings,
                bias_ms=rounded(row.bias_ms),
                sd_ms=rounded(row.sd_ms),
                median_abs_ms=rounded(row.median_abs_ms),
            )
            for row in kept
            if used
        ),
        recordings=used,
        model=model_used(model.info),
    )


def read_recordings(folders: Sequence[Path]) -> "tuple[list[Ecg], tuple[str, ...]]":
    """The recordings below these folders, and a sentence for each file that could not be read.

    Raises EcgFileError for a folder that is not there.
    """
    from worldmodel.errors import EcgFileError
    from worldmodel.readers import read_ecg

    for folder in folders:
        if not folder.expanduser().is_dir():
            raise EcgFileError(f"There is no folder {folder}.", "Name a folder of recordings with --data.")
    found = find_recordings(folders)
    ecgs, doubts = [], [f"{one.file}: {one.error.message}" for one in found.problems if one.error]
    for file in found.files:
        try:
            ecgs.append(read_ecg(file))
        except EcgFileError as error:
            doubts.append(f"{file.name}: {error.message}")
    return ecgs, tuple(doubts)


def _part(
    progress: Callable[[float], None] | None, start: float, end: float
) -> Callable[[float], None] | None:
    """Progress of one part among all."""
    return None if progress is None else lambda done: progress(start + (end - start) * done)


def _effect(row: "EffectRow", actions: "dict[str, Action]") -> EffectGiven:
    return EffectGiven(
        action=row.action,
        hours=actions[row.action].hours,
        interval=row.interval,
        pairs=row.patients,
        true_mean=rounded(row.true_mean),
        true_sd=rounded(row.true_sd),
        simulated_mean=rounded(row.simulated_mean),
        simulated_sd=rounded(row.simulated_sd),
        bias=rounded(row.bias),
    )


def _summaries(effects: Sequence[EffectGiven]) -> tuple[Summary, ...]:
    by_interval: dict[str, list[EffectGiven]] = {}
    for effect in effects:
        by_interval.setdefault(effect.interval, []).append(effect)
    return tuple(
        Summary(
            interval=name,
            rms_bias=_rms([effect.bias for effect in rows]),
            rms_bias_of_persistence=_rms([effect.true_mean for effect in rows]),
        )
        for name, rows in by_interval.items()
    )


def _rms(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return rounded(sqrt(sum(value**2 for value in known) / len(known))) if known else None


def _finite(value: float) -> float | None:
    return rounded(value) if value == value else None
