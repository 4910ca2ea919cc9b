"""Results of tools as an answer. Every number in it is taken from a result; none is calculated here."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from agent.prompts import unfenced
from agent.simulation_words import (
    asked_for,
    comparison_told,
    course_told,
    leads_told,
    ranking_told,
    simulation_told,
)
from agent.state import Json
from agent.transcript import Found
from agent.verdict_words import plain, verdicts_told

NAMES = {
    "hr_bpm": ("rate", "bpm"),
    "pr_ms": ("PR", "ms"),
    "qrs_ms": ("QRS", "ms"),
    "qt_ms": ("QT", "ms"),
    "qtcf_ms": ("QTcF (Fridericia)", "ms"),
    "qtcb_ms": ("QTcB (Bazett)", "ms"),
    "tpeak_tend_ms": ("Tpeak-Tend", "ms"),
    "rr_ms": ("RR", "ms"),
}
_FIRST = ("hr_bpm", "pr_ms", "qrs_ms", "qt_ms", "qtcf_ms", "qtcb_ms")
_RECORD = {
    "labs": r"potassium|magnesium|calcium|sodium|creatinine|glucose|inr|platelets|labs?\b|level",
    "medications": r"medic|drugs?\b|taking|takes",
    "allergies": r"allerg",
    "conditions": r"condition|diagnos|history",
    "age_years": r"\bage\b|\bold\b",
    "sex": r"\bsex\b",
    "weight_kg": r"weigh",
    "lvef_percent": r"lvef|ejection",
    "systolic_bp_mmhg": r"pressure",
    "goal": r"\bgoal\b",
    "indication": r"indication",
    "notes": r"\bnotes?\b",
}
_ITEM = ("name", "value", "unit", "dose", "route", "frequency", "text", "code", "substance", "reaction")
SYNTHETIC = "The world model has learned from simulated trials only."
HITS = 8
ALL = 20  # rules told in full where they are what is asked for


def explain(question: str, found: Sequence[Found], notes: Sequence[str] = ()) -> str:
    """The answer to a question from what the tools found, a paragraph or a list for each."""
    asked = question.lower()
    parts = list(notes)
    for finding in found:
        if finding.ok and finding.result.get("hypothetical"):
            parts.append(f"Hypothetical, not on record: {'; '.join(finding.result['hypothetical'])}.")
        parts.append(
            _TOLD[finding.tool](asked, finding.result) if finding.ok else _failure_told(finding.result)
        )
    parts.append(comparison_told(asked, found))
    if any(finding.result.get("model", {}).get("synthetic") for finding in found):
        parts.append(SYNTHETIC)
    return "\n\n".join(part for part in dict.fromkeys(parts) if part) or "There is nothing to report."


def _failure_told(result: Json) -> str:
    return " ".join(_sentence(text) for text in (result.get("error", ""), result.get("hint", "")) if text)


def _sentence(text: str) -> str:
    text = text.strip()
    return text if not text or text[-1] in ".!?" else f"{text}."


def _measurement_told(question: str, result: Json) -> str:
    intervals, reasons = result["intervals"], result.get("not_measurable", {})
    asked = [name for name in asked_for(question) if name in NAMES]
    if re.search(r"\bqtc\b", question):
        asked = list(dict.fromkeys(("qtcf_ms", "qtcb_ms", *asked)))
    names = asked or _FIRST
    known = [f"{NAMES[n][0]} {intervals[n]:.0f} {NAMES[n][1]}" for n in names if intervals.get(n) is not None]
    lines = [f"Measured: {', '.join(known)}."] if known else []
    lines += [
        f"{NAMES[name][0]} is not measurable: {_sentence(reasons.get(name, 'no reason was given'))}"
        for name in names
        if intervals.get(name) is None
    ]
    rhythm, quality = result["rhythm"], result["quality"]
    if not asked or "rhythm" in question:
        lines.append(f"Rhythm: {plain(rhythm['label'])} (confidence {rhythm['confidence']:g}).")
    if quality["verdict"] != "good":
        lines.append(f"The recording is {quality['verdict']}: {' '.join(map(_sentence, quality['reasons']))}")
    return " ".join(lines)


def _record_told(question: str, result: Json) -> str:
    record = result["patient"]
    if record is None:
        return str(result["note"])
    asked = [key for key, pattern in _RECORD.items() if re.search(pattern, question)]
    keys = asked or [key for key in _RECORD if key in record]
    return f"On record: {'; '.join(f'{plain(key)} {_entry_told(record.get(key), key, question)}' for key in keys)}."


def _entry_told(value: Any, key: str, question: str) -> str:
    if key == "labs" and value:
        one_lab = re.search(_RECORD["labs"].replace(r"|labs?\b|level", ""), question)
        value = [item for item in value if not one_lab or str(item["name"]).lower() == one_lab[0]]
    if isinstance(value, list):
        items = [
            " ".join(_plain_value(item[part]) for part in _ITEM if item.get(part) is not None)
            for item in value
        ]
        return ", ".join(items) or ("unknown" if key == "labs" else "none")
    return "unknown" if value is None else _plain_value(value)


def _plain_value(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else unfenced(str(value))


def _verdicts_told(_: str, result: Json) -> str:
    return verdicts_told(result["verdicts"]) or "There is nothing to judge: no candidate fits the question."


def _exclusion_told(_: str, result: Json) -> str:
    told = verdicts_told(result["verdicts"], ALL)
    if not told:
        return "There is nothing to judge: no candidate fits the question."
    return "\n".join((told, *_changes_told(result.get("would_allow") or {})))


def _changes_told(would: Json) -> Iterator[str]:
    """Which changes of the patient lift which rules, as the mask judges copies of the record."""
    if not would:
        return
    yield "What would have to change, tried on copies of the record:"
    for change in would["changes"]:
        yield f"- {'; '.join(change['change'])}: lifts {_ids(change['lifts'])}"
    left = would["left"]
    if left and would["changes"]:
        yield f"- with all of these together it is still refused by {_ids(left)}"
    elif left:
        yield f"- no change of a lab or a medication lifts {_ids(left)}"
    else:
        yield "- with all of these together nothing refuses it"


def _ids(rules: Sequence[str]) -> str:
    return ", ".join(f"[{rule}]" for rule in rules)


def _knowledge_told(_: str, result: Json) -> str:
    hits = result["hits"]
    lines = [f"- {_severity(hit)}{_sentence(hit['text'])} [{hit['id']}]" for hit in hits[:HITS]]
    if len(hits) > HITS:
        lines.append(f"- also {', '.join('[' + hit['id'] + ']' for hit in hits[HITS:])}")
    return (
        "\n".join(("In the knowledge base:", *lines)) if lines else "The knowledge base has nothing on that."
    )


def _severity(hit: Json) -> str:
    return f"{hit['severity']}: " if hit.get("severity") else ""


_TOLD: dict[str, Callable[[str, Json], str]] = {
    "measure_ecg": _measurement_told,
    "read_record": _record_told,
    "check_mask": _verdicts_told,
    "explain_exclusion": _exclusion_told,
    "simulate": simulation_told,
    "roll_out": course_told,
    "show_ecg": leads_told,
    "rank": lambda _, result: ranking_told(result),
    "search_knowledge": _knowledge_told,
}
