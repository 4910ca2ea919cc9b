"""Why a row ranks where it does: what moved the risk, what the mask warns of, what is not known."""

from collections.abc import Sequence

from tools.judging import EcgRisk
from tools.outcomes import Outcome, why_not_measurable
from tools.results import RuleFired
from worldmodel.risk import HAZARDS, Hazard, Risk, hazards

WORTH_TELLING = 0.02  # a component's own risk, or its change from the pre-dose ECG
LABEL_MOVED = 0.1  # a label's probability


def reasons_for(
    outcome: Outcome, before: EcgRisk, rules: Sequence[RuleFired], female: bool | None
) -> tuple[str, ...]:
    """Sentences for one row, the strongest component first; female as the risk was judged by. Labels are told of where
    the risk goes by them."""
    return (
        *(_what_moved(outcome, before.intervals, female) or ("no interval is beyond its limit",)),
        *(() if before.chosen == "intervals" else _labels_moved(outcome, before)),
        *(f"{rule.severity}: {rule.text} [{rule.id}]" for rule in rules if rule.severity != "info"),
        *_what_was_lost(outcome, before.intervals),
        *(f"outside the model's ground: {reason}" for reason in outcome.support.reasons),
    )


def _what_was_lost(outcome: Outcome, before: Risk) -> list[str]:
    """Intervals that the pre-dose ECG shows and samples do not: a flattened wave is no normal one."""
    why = why_not_measurable(outcome)
    seen = {component.name for component in before.components}
    return [
        f"{hazard.text} not measurable {why[hazard.interval]}"
        for hazard in HAZARDS
        if hazard.name in seen - {"slow_rate"} and hazard.interval in why
    ]


def _what_moved(outcome: Outcome, before: Risk, female: bool | None) -> list[str]:
    old = {component.name: component.risk for component in before.components}
    told = []
    for hazard in hazards(female):
        found = [c for risk in outcome.risks for c in risk.intervals.components if c.name == hazard.name]
        if not found:
            continue
        risk = sum(c.risk for c in found) / len(found)
        was = old.get(hazard.name)
        if max(risk, abs(risk - (was or 0.0))) >= WORTH_TELLING:
            told.append((risk, _sentence(hazard, sum(c.value for c in found) / len(found), risk, was)))
    return [sentence for _, sentence in sorted(told, key=lambda pair: -pair[0])]


def _labels_moved(outcome: Outcome, before: EcgRisk) -> list[str]:
    """Labels whose mean probability is another than before the dose."""
    told = []
    for name, was in before.labels.probabilities.items():
        after = [p for risk in outcome.risks if (p := risk.labels.probabilities[name]) is not None]
        if was is None or not after:
            continue
        mean = sum(after) / len(after)
        if abs(mean - was) >= LABEL_MOVED:
            told.append(f"label {name}: probability {mean:.2f}, {was:.2f} before the dose")
    return told


def _sentence(hazard: Hazard, mean: float, risk: float, was: float | None) -> str:
    """Such as "QTcF change +79 ms (limit 5, alarm 60): alone a risk of 0.72"."""
    past = "" if was is None else f", {was:.2f} before the dose"
    return f"{hazard.sentence(mean)}: alone a risk of {risk:.2f}{past}"
