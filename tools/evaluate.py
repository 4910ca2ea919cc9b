"""Tool: does the world model show the effects it should, on virtual patients it has not seen?"""

from collections.abc import Callable, Sequence
from math import sqrt

from knowledge.doses import parse_action
from knowledge.drugs import load_catalogue
from tools.exposure import action_of
from tools.model import model_used, shared_model
from tools.results import Answer, ModelUsed, Result, rounded

# The arms of the trial the effects come from (doi:10.1038/clpt.2014.155), at the hour of their largest effect.
ARMS = (
    ("no drug", 2.0),
    ("dofetilide 500 ug oral", 2.5),
    ("quinidine 400 mg oral", 2.0),
    ("ranolazine 1500 mg oral", 7.0),
    ("verapamil 120 mg oral", 1.0),
)


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


class EvaluationResult(Answer):
    """One row for each action and interval, and one summary for each interval."""

    patients: int
    k: int
    seed: int
    effects: tuple[EffectGiven, ...]
    summary: tuple[Summary, ...]
    model: ModelUsed


def evaluate_worldmodel(
    patients: int, k: int, seed: int, progress: Callable[[float], None] | None = None
) -> EvaluationResult:
    """Simulate ARMS on virtual patients in sinus rhythm and measure what was to be seen. Raises WeightsError."""
    from worldmodel.evaluation.effects import evaluate_effects

    catalogue = load_catalogue()
    actions = {text: action_of(parse_action(text, catalogue), catalogue, hours) for text, hours in ARMS}
    model = shared_model()
    effects = tuple(
        EffectGiven(
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
        for row in evaluate_effects(model, actions, patients, k, seed, progress)
    )
    return EvaluationResult(
        patients=patients,
        k=k,
        seed=seed,
        effects=effects,
        summary=_summaries(effects),
        model=model_used(model.info),
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
