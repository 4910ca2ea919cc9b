"""Whether a simulated ECG shows that the goal is reached: ranking by risk alone prefers what does nothing."""

from collections.abc import Sequence

from knowledge.candidates import candidates
from knowledge.doses import GivenAction
from knowledge.drugs import Catalogue
from tools.results import Result
from worldmodel.measurement import Measurement

# Lenient rate control: below 110/min at rest (RACE II, doi:10.1056/NEJMoa1001337); not below 50/min, the
# limit of bradycardia (ACC/AHA/HRS 2018, doi:10.1161/CIR.0000000000000628).
RATE_CONTROL_BPM = (50.0, 110.0)
# What is ranked when nobody says what for: the drugs that are given for what an ECG shows.
USUAL_GOALS = ("rate-control", "rhythm-control")


class GoalJudged(Result):
    """attained_probability: share of the samples that reach the goal; null where none can show it."""

    name: str
    attained_probability: float | None
    reason: str


def goal_named(text: str, catalogue: Catalogue) -> str:
    """The goal as the catalogue spells it; "all" stands for every drug. Raises UnknownDrugError."""
    goal = "-".join(text.lower().replace("_", " ").replace("-", " ").split())
    candidates(goal, None, catalogue)  # which knows the goals there are
    return goal


def candidates_for(goal: str | None, drugs: Sequence[str], catalogue: Catalogue) -> list[GivenAction]:
    """What is ranked: the usual doses of `drugs`; else those for `goal`; else those for USUAL_GOALS."""
    if drugs:
        return candidates(None, drugs, catalogue)
    goals = [goal] if goal else USUAL_GOALS
    found = [action for name in goals for action in candidates(name, None, catalogue)]
    return list(dict.fromkeys(found))


def judge_goal(goal: str, samples: Sequence[Measurement]) -> GoalJudged:
    """How many of the simulated ECGs show that `goal` is reached, of those that can show it."""
    if not shows_in_ecg(goal):
        reason = f"a simulated ECG, which keeps its rhythm, cannot show whether {goal} is reached"
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
