"""Verdicts of the mask as sentences: what is refused or warned of, by which rule, for which value of the patient."""

from collections.abc import Sequence
from typing import Any

from agent.state import Json
from agent.wording import UNITS

GRAVEST_FIRST = ("blocked", "cannot_evaluate", "warning", "caution", "allowed")
SAID = {
    "blocked": "blocked",
    "cannot_evaluate": "cannot be evaluated",
    "warning": "allowed with a warning",
    "caution": "allowed with caution",
    "allowed": "allowed",
}
_DECISIVE = {"blocked": "block", "cannot_evaluate": "block", "warning": "warning", "caution": "caution"}
_UNSAID = ("given", "rules")  # the action itself, and rules that the text names
MOST = 3  # rules told in full; the others by their id


def verdicts_told(verdicts: Sequence[Json], most: int = MOST) -> str:
    """One line for what is judged alike, gravest first, and below it the rules that decide."""
    ordered = sorted(verdicts, key=lambda v: GRAVEST_FIRST.index(v["verdict"]))
    groups: dict[str, list[Json]] = {}
    for verdict in ordered:
        alike = (
            verdict["verdict"],
            [rule["id"] for rule in verdict["rules"]],
            verdict["missing"],
            verdict["reason"],
        )
        groups.setdefault(repr(alike), []).append(verdict)
    return "\n".join(
        "\n".join((f"{actions_told(alike)}: {SAID[alike[0]['verdict']]}.", *reasons_told(alike[0], most)))
        for alike in groups.values()
    )


def reasons_told(verdict: Json, most: int = MOST) -> list[str]:
    """The rules that decide with the patient's values, the others by id, what is missing; as list items."""
    decisive = [rule for rule in verdict["rules"] if rule["severity"] == _DECISIVE.get(verdict["verdict"])]
    decisive.sort(key=lambda rule: None in rule["evidence"].values())  # what is known before what is not
    told = decisive[:most]
    lines = [f"- {sentence_of(rule)}" for rule in told]
    others = [
        f"[{rule['id']}]" for rule in verdict["rules"] if rule not in told and rule["severity"] != "info"
    ]
    if others:
        lines.append(f"- also {', '.join(others)}")
    if verdict["missing"]:
        lines.append(f"- not known: {', '.join(plain(name) for name in verdict['missing'])}")
    if not verdict["rules"] and verdict["reason"] and verdict["verdict"] != "allowed":
        lines.append(f"- {verdict['reason']}")
    return lines


def sentence_of(rule: Json) -> str:
    """A rule with the values it looked at: "No ... below 3.5 mmol/L (potassium 3.1 mmol/L) [R54]"."""
    values = [_fact(name, value) for name, value in rule["evidence"].items() if name not in _UNSAID]
    looked_at = f" ({', '.join(values)})" if values else ""
    return f"{rule['text'].rstrip('.')}{looked_at} [{rule['id']}]"


def actions_told(alike: Sequence[Json]) -> str:
    """ "sotalol 80, 120, 160 mg oral; sotalol 75 mg iv infusion" of verdicts on single doses; else the actions."""
    doses: dict[tuple[str, str, str], list[str]] = {}
    others: list[str] = []
    for verdict in alike:
        drugs = verdict["action"]["drugs"]
        if len(drugs) == 1 and drugs[0]["dose"]:
            amount, _, unit = drugs[0]["dose"].partition(" ")
            doses.setdefault((drugs[0]["name"], unit, drugs[0]["route"] or ""), []).append(amount)
        else:
            others.append(verdict["action"]["text"])
    grouped = [
        f"{name} {', '.join(amounts)} {unit} {route}".strip()
        for (name, unit, route), amounts in doses.items()
    ]
    return "; ".join((*grouped, *others))


def _fact(name: str, value: Any) -> str:
    if name == "female" and value is not None:
        return "female" if value else "male"
    if name == "last_taken_hours_ago" and value is not None:
        return f"last taken {value:g} h ago"
    suffix = next((s for s in sorted(UNITS, key=len, reverse=True) if name.endswith(s)), "")
    label = plain(name.removesuffix(suffix))
    if value is None:
        return f"{label} unknown"
    if isinstance(value, bool):
        return label if value else f"no {label}"
    if isinstance(value, int | float):
        digits = ".3g" if abs(value) < 1000 else ".0f"
        return f"{label} {value:{digits}} {UNITS.get(suffix, '')}".strip()
    return f"{label} {', '.join(map(str, value)) if isinstance(value, list) else value}"


def plain(name: str) -> str:
    """A name of the data as people read it: "qtc" -> "QTc", "continuous_ecg" -> "continuous ECG"."""
    words = {
        "qtc": "QTc",
        "qt": "QT",
        "ecg": "ECG",
        "crcl": "creatinine clearance",
        "ef": "EF",
        "lvef": "LVEF",
    }
    return " ".join(words.get(word, word) for word in name.split("_"))
