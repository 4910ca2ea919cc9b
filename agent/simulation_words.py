"""Simulations and rankings as sentences."""

import re
from collections.abc import Mapping, Sequence

from agent.state import Json
from agent.transcript import Found
from agent.verdict_words import SAID, actions_told, reasons_told, sentence_of, verdicts_told
from agent.wording import number

NAMES = {
    "qtcf_ms": ("QTcF", "ms"),
    "hr_bpm": ("rate", "bpm"),
    "pr_ms": ("PR", "ms"),
    "qrs_ms": ("QRS", "ms"),
    "tpeak_tend_ms": ("Tpeak-Tend", "ms"),
    "qt_ms": ("QT", "ms"),
    "qtcb_ms": ("QTcB", "ms"),
    "rr_ms": ("RR", "ms"),
    "jtpeak_ms": ("J-Tpeak", "ms"),
}
USUAL = ("qtcf_ms", "hr_bpm", "pr_ms", "qrs_ms", "tpeak_tend_ms")
_ASKED = {
    "qtcf_ms": r"\bqtcf?\b|\bfridericia\b",
    "qtcb_ms": r"\bqtcb\b|\bbazett\b",
    "qt_ms": r"\bqt\b",
    "pr_ms": r"\bpr\b",
    "qrs_ms": r"\bqrs\b",
    "hr_bpm": r"\b(?:rate|hr|pulse|bpm)\b(?![ -]control)",
    "tpeak_tend_ms": r"\bt-?peak|\btpte\b",
    "rr_ms": r"\brr\b",
}
_SAFER = re.compile(r"\b(?:safer|safest|better|worse|compar\w+|versus|vs|differ\w+|or)\b")
TOP = 5


def asked_for(question: str) -> list[str]:
    """The intervals that a question names, in its own order of importance."""
    return [name for name, pattern in _ASKED.items() if re.search(pattern, question)]


def simulation_told(question: str, result: Json) -> str:
    """What each action does, and why others were not simulated."""
    pre = result.get("pre", {}).get("intervals", {})
    names = asked_for(question) or USUAL
    parts = [_action_told(action, names, pre) for action in result["actions"]]
    if result.get("refused"):
        parts.append(f"Not simulated:\n{verdicts_told(result['refused'])}")
    return "\n\n".join(parts)


def course_told(question: str, result: Json) -> str:
    """What each step of a course leaves, with all that was given before it; or why there is none."""
    pre = result.get("pre", {}).get("intervals", {})
    names = asked_for(question) or USUAL
    steps = result["steps"]
    parts = [
        _action_told(action, names, pre, f"After {step}, {action['hours']:g} h from the first dose")
        for step, action in zip(steps, result["actions"], strict=False)
    ]
    if result["refused"]:
        parts.append(f"No course is simulated, for together they are:\n{verdicts_told(result['refused'])}")
    return "\n\n".join(parts)


def leads_told(_: str, result: Json) -> str:
    """The intervals of each lead; the beats themselves are drawn, not told."""
    if result.get("refused"):
        return f"Not simulated:\n{verdicts_told(result['refused'])}"
    lines = []
    if after := result.get("after"):
        lines.append(f"{after['action']['text']}, {after['hours']:g} h after the dose, one simulated ECG:")
    for lead, ecgs in result["leads"].items():
        told = [f"{when} {_lead_intervals(values)}" for when, values in ecgs.items()]
        lines.append(f"- {lead}: {'; '.join(told)}")
    if after and after["verdict"]["verdict"] != "allowed":
        lines += [f"The mask: {SAID[after['verdict']['verdict']]}.", *reasons_told(after["verdict"])]
    return "\n".join(lines)


def _lead_intervals(values: Mapping[str, float | None]) -> str:
    known = [
        f"{NAMES[name][0]} {number(value)} {NAMES[name][1]}"
        for name, value in values.items()
        if value is not None
    ]
    return ", ".join(known) or "not measurable in this lead"


def _action_told(action: Json, names: Sequence[str], pre: Mapping[str, float | None], head: str = "") -> str:
    summary, delta = action["summary"], action["delta"]
    samples = len(action["samples"])
    head = head or f"{action['action']['text']}, {action['hours']:g} h after the dose"
    lines = [f"{head} ({samples} simulated ECGs):"]
    for name in names:
        if summary.get(name):
            lines.append(f"- {_change_told(name, summary[name], delta.get(name), pre.get(name))}")
        elif names is not USUAL:
            reason = action["not_measurable"].get(name, "no reason was given")
            lines.append(f"- {NAMES[name][0]} not measurable {reason}")
    if summary.get("risk"):
        lines.append(f"- risk {_score(summary['risk']['mean'])} (SD {_score(summary['risk']['sd'])})")
    support = action["support"]
    if not support["in_distribution"]:
        lines.append(f"- outside of what the model has learned: {'; '.join(support['reasons'])}")
    verdict = action["verdict"]
    if verdict["verdict"] == "blocked":
        lines[0] = f"BLOCKED, for research only: {lines[0]}"
    if verdict["verdict"] == "cannot_evaluate":
        lines += ["A what-if only: for this patient it cannot be evaluated.", *reasons_told(verdict)]
    elif verdict["verdict"] != "allowed":
        lines += [f"It is {SAID[verdict['verdict']]}:", *reasons_told(verdict)]
    return "\n".join(lines)


def _change_told(name: str, after: Json, change: Json | None, before: float | None) -> str:
    """ "QTcF 451 ms (SD 7), +39 ms from 412 ms, between +28 and +47 ms"."""
    label, unit = NAMES[name]
    said = f"{label} {number(after['mean'])} {unit}"
    if after["sd"] is not None:
        said += f" (SD {_sd(after['sd'])})"
    if not change or before is None:
        return said
    low, high = number(change["q05"], signed=True), number(change["q95"], signed=True)
    within = f", between {low} and {high} {unit}" if low != high else ""
    return f"{said}, {number(change['mean'], signed=True)} {unit} from {number(before)} {unit}{within}"


def _sd(value: float) -> str:
    return number(value) if value >= 1 else f"{value:g}"


def _score(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.2f}"


def ranking_told(result: Json) -> str:
    """The best rows, "no drug" among them, the reasons of the first drug, and what is excluded."""
    rows, goal = result["ranking"], result.get("goal")
    drugs = [row for row in rows if row["action"]["drugs"]]
    if not drugs:
        lines = ["The mask refuses every candidate, so nothing is ranked."]
    else:
        shown = rows[:TOP] if result["reference"]["rank"] <= TOP else [*rows[:TOP], result["reference"]]
        lines = [f"Ranked{f' for {goal}' if goal else ''}, best first:", *map(_row_told, shown)]
        lines.append(f"{drugs[0]['action']['text']} is the first drug:")
        lines += [f"- {reason}" for reason in drugs[0]["reasons"][:3]]
    if result["excluded"]:
        lines += ["Excluded:", *_excluded_told(result["excluded"])]
    return "\n".join(lines)


def _row_told(row: Json) -> str:
    said = [f"{row['rank']}. {row['action']['text']}: score {_score(row['score'])}"]
    said.append(f"risk {_score(row['risk_mean'])} (SD {_score(row['risk_sd'])})")
    goal = row.get("goal")
    if goal and goal["attained_probability"] is not None:
        said.append(f"{goal['name']} reached with probability {_score(goal['attained_probability'])}")
    for name in ("hr_bpm", "qtcf_ms"):
        if row["intervals"].get(name) is not None:
            label, unit = NAMES[name]
            said.append(f"{label} {number(row['intervals'][name])} {unit}")
    if row["verdict"] != "allowed" and row["action"]["drugs"]:
        said.append(f"{row['verdict']} {' '.join('[' + rule['id'] + ']' for rule in row['rules'])}")
    return ", ".join(said)


def _excluded_told(excluded: Sequence[Json]) -> list[str]:
    """Each drug and verdict once, with the rule that decides."""
    groups: dict[tuple[str, str], list[Json]] = {}
    for verdict in excluded:
        drug = " + ".join(drug["name"] for drug in verdict["action"]["drugs"])
        groups.setdefault((drug, verdict["verdict"]), []).append(verdict)
    lines = []
    for (_, name), alike in groups.items():
        rules = alike[0]["rules"]
        why = sentence_of(rules[0]) if rules else alike[0]["reason"]
        lines.append(f"- {actions_told(alike)} {SAID[name]}: {why}")
    return lines


def comparison_told(question: str, found: Sequence[Found]) -> str:
    """Which of the simulated actions has the lower risk, where that is the question; for each hour asked for."""
    simulated = [f.result for f in found if f.tool == "simulate" and f.ok and f.result["actions"]]
    if not _SAFER.search(question):
        return ""
    lines = [_compared(result["actions"], name_hours=len(simulated) > 1) for result in simulated]
    refused = [v["action"]["text"] for result in simulated for v in result["refused"]]
    if refused:
        lines.append(f"Not compared, because not simulated: {', '.join(dict.fromkeys(refused))}.")
    return "\n".join(filter(None, lines))


def _compared(actions: Sequence[Json], name_hours: bool) -> str:
    """The safest against the riskiest, if they differ by more than the larger of their spreads."""
    judged = sorted(
        (action["summary"]["risk"]["mean"], action["summary"]["risk"]["sd"] or 0.0, action["action"]["text"])
        for action in actions
        if action["summary"].get("risk") and action["verdict"]["verdict"] != "blocked"
    )
    if len(judged) < 2:
        return ""
    (low, low_sd, best), (high, high_sd, worst) = judged[0], judged[-1]
    when = f"{actions[0]['hours']:g} h after the dose: " if name_hours else ""
    against = f"(risk {_score(low)} against {_score(high)})"
    if high - low > max(low_sd, high_sd):
        return f"{when}{best} has a lower simulated risk than {worst} {against}."
    return f"{when}{best} and {worst} differ by no more than the spread of their risk {against}."
