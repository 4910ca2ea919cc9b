"""Whether a simulated ECG shows that the goal is reached: ranking by risk alone prefers what does nothing."""

from collections.abc import Sequence

from knowledge.candidates import ALL, candidates
from knowledge.drugs import Catalogue
from tools.results import Result
from worldmodel.measurement import Measurement

# Lenient rate control: below 110/min at rest (RACE II, doi:10.1056/NEJMoa1001337); not below 50/min, the
# limit of bradycardia (ACC/AHA/HRS 2018, doi:10.1161/CIR.0000000000000628).
RATE_CONTROL_BPM = (50.0, 110.0)


class GoalJudged(Result):
    """attained_probability: share of the samples that reach the goal; null where none can show it."""

    name: str
    attained_probability: float | None
    reason: str


def goal_named(text: str | None, catalogue: Catalogue) -> str | None:
    """The goal as the catalogue spells it; None for none, and for "all". Raises UnknownDrugError."""
    goal = "-".join((text or ALL).lower().replace("_", " ").replace("-", " ").split())
    candidates(goal, None, catalogue)  # which knows the goals there are
    return None if goal == ALL else goal


def judge_goal(goal: str, samples: Sequence[Measurement]) -> GoalJudged:
    """How many of the simulated ECGs show that `goal` is reached, of those that can show it."""
    if not shows_in_ecg(goal):
        reason = f"a simulated ECG keeps its rhythm, so it cannot show whether {goal} is reached"
        return GoalJudged(name=goal, attained_probability=None, reason=reason)
    rates = [sample.intervals.hr_bpm for sample in samples if sample.intervals.hr_bpm is not None]
    low, high = RATE_CONTROL_BPM
    target = f"rate of at least {low:.0f} and below {high:.0f} bpm"
    if not rates:
        return GoalJudged(
            name=goal, attained_probability=None, reason=f"{target}: no sample's rate could be measured"
        )
    reached = sum(low <= rate < high for rate in rates)
    reason = f"{target} in {reached} of {len(rates)} samples (RACE II, doi:10.1056/NEJMoa1001337)"
    return GoalJudged(name=goal, attained_probability=round(reached / len(rates), 4), reason=reason)


def shows_in_ecg(goal: str) -> bool:
    """Whether a simulated ECG can show that this goal is reached."""
    return goal == "rate-control"
