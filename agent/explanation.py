"""Results of tools as sentences. Every number in them is taken from a result; none is calculated here."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from agent.state import Json
from agent.transcript import Found

NAMES = {
    "hr_bpm": ("heart rate", "bpm"),
    "pr_ms": ("PR", "ms"),
    "qrs_ms": ("QRS", "ms"),
    "qt_ms": ("QT", "ms"),
    "qtcf_ms": ("QTcF (Fridericia)", "ms"),
    "qtcb_ms": ("QTcB (Bazett)", "ms"),
    "tpeak_tend_ms": ("Tpeak-Tend", "ms"),
    "jtpeak_ms": ("J-Tpeak", "ms"),
    "p_ms": ("P", "ms"),
    "rr_ms": ("RR", "ms"),
}
SHORT = {"qtcf_ms": "QTcF", "qtcb_ms": "QTcB"}
_ASKED = {
    "qtcf_ms": r"\bqtcf?\b|\bfridericia\b|\bqt corrected\b",
    "qtcb_ms": r"\bqtcb\b|\bbazett\b",
    "qt_ms": r"\bqt\b",
    "pr_ms": r"\bpr\b",
    "qrs_ms": r"\bqrs\b",
    "hr_bpm": r"\b(?:heart rate|ventricular rate|rate|hr|pulse|bpm)\b(?![ -]control)",
    "tpeak_tend_ms": r"\bt-?peak|\btpte\b",
    "rr_ms": r"\brr\b",
}
_USUAL = ("qtcf_ms", "hr_bpm", "pr_ms", "qrs_ms", "tpeak_tend_ms")
_SEVERITY = ("allowed", "caution", "warning", "blocked", "cannot_evaluate")
TOP = 5


def explain(question: str, found: Sequence[Found], notes: Sequence[str] = ()) -> str:
    """The answer to a question from what the tools found, one paragraph for each."""
    parts: list[str] = []
    for finding in found:
        if not finding.ok:
            parts.append(_failed(finding.result))
            continue
        supposed = finding.result.get("hypothetical")
        if supposed:
            parts.append(f"Hypothetical, not on record: {'; '.join(supposed)}.")
        parts.append(_EXPLAINERS[finding.tool](question.lower(), finding.result))
    compared = _compared(question.lower(), found)
    kept = [part for part in dict.fromkeys((*notes, *parts, compared)) if part]
    return "\n\n".join(kept) or "No tool was needed for that, so there is nothing to report."


def _failed(result: Json) -> str:
    return f"{_sentence(result.get('error', 'That failed'))} {_sentence(result.get('hint', ''))}".strip()


def _sentence(text: str) -> str:
    text = text.strip()
    return text if not text or text[-1] in ".!?" else f"{text}."


def _asked(question: str) -> list[str]:
    return [name for name, pattern in _ASKED.items() if re.search(pattern, question)]


# --- what is measured and recorded -------------------------------------------------------------------------------------


def _measured(question: str, result: Json) -> str:
    intervals, reasons = result["intervals"], result.get("not_measurable", {})
    asked = _asked(question)
    if "qtcf_ms" in asked and "qtcb_ms" not in asked and not re.search(r"\bfridericia|qtcf", question):
        asked.insert(1, "qtcb_ms")
    names = asked or [
        name for name in NAMES if name in ("hr_bpm", "pr_ms", "qrs_ms", "qt_ms", "qtcf_ms", "qtcb_ms")
    ]
    known = [_value(name, intervals[name]) for name in names if intervals.get(name) is not None]
    lines = [f"Measured: {_list(known)}."] if known else []
    for name in names:
        if intervals.get(name) is None:
            lines.append(
                f"{NAMES[name][0]} is not measurable: {_sentence(reasons.get(name, 'no reason was given'))}"
            )
    rhythm, quality = result.get("rhythm") or {}, result.get("quality") or {}
    if not asked or re.search(r"\brhythm\b", question):
        label = rhythm.get("label", "unknown").replace("_", " ")
        lines.append(f"Rhythm: {label} (confidence {rhythm.get('confidence')}).")
    if quality.get("verdict") not in (None, "good"):
        lines.append(
            f"Recording quality: {quality['verdict']}. {' '.join(map(_sentence, quality.get('reasons', ())))}".strip()
        )
    lines += [_sentence(warning) for warning in result.get("warnings", ())]
    return " ".join(lines)


def _value(name: str, value: float) -> str:
    text, unit = NAMES[name]
    return f"{text} {value:g} {unit}"


def _recorded(question: str, result: Json) -> str:
    patient = result.get("patient")
    if not patient:
        return str(result["note"])
    wanted = {
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
    }
    keys = [key for key, pattern in wanted.items() if re.search(pattern, question)] or [
        k for k in wanted if k in patient
    ]
    lines = [
        f"{_plain(key)}: {_record_text(patient.get(key), question if key == 'labs' else '')}" for key in keys
    ]
    return "On record: " + "; ".join(lines) + "."


def _record_text(value: Any, question: str) -> str:
    if value in (None, []):
        return "unknown"
    if isinstance(value, list):
        named = [item for item in value if question and str(item.get("name", "-")).lower() in question]
        asked_one = question and re.search(
            r"potassium|magnesium|calcium|sodium|creatinine|glucose|\binr\b|platelets", question
        )
        chosen = named or ([] if asked_one else value)
        return ", ".join(_item(item) for item in chosen) or "unknown"
    return str(value)


def _item(item: Json) -> str:
    keys = ("name", "value", "unit", "dose", "route", "frequency", "text", "code", "substance", "reaction")
    return " ".join(
        f"{item[k]:g}" if isinstance(item.get(k), float) else str(item[k])
        for k in keys
        if item.get(k) is not None
    )


# --- the mask ----------------------------------------------------------------------------------------------------------


def _judged(question: str, result: Json) -> str:
    verdicts = sorted(result["verdicts"], key=lambda v: -_SEVERITY.index(v["verdict"]))
    if not verdicts:
        return "There is nothing to judge: no candidate fits the question."
    groups: dict[str, list[Json]] = {}
    for verdict in verdicts:
        reason = _why(verdict)
        groups.setdefault(f"{verdict['verdict']}|{reason}", []).append(verdict)
    lines = []
    for alike in groups.values():
        actions = ", ".join(v["action"]["text"] for v in alike)
        lines.append(f"{actions}: {_verdict(alike[0]['verdict'])}. {_why(alike[0])}".strip())
    return "\n".join(lines)


def _verdict(name: str) -> str:
    return {
        "cannot_evaluate": "cannot be evaluated",
        "blocked": "blocked",
        "warning": "allowed with a warning",
    }.get(name, "allowed with caution" if name == "caution" else name)


def _why(verdict: Json) -> str:
    rules = verdict.get("rules", [])
    texts = [f"{_sentence(rule['text'])} {_evidence(rule)}[{rule['id']}]" for rule in rules]
    if verdict.get("missing"):
        texts.append(f"Missing: {', '.join(_plain(name) for name in verdict['missing'])}.")
    if not texts and verdict.get("reason"):
        texts.append(_sentence(verdict["reason"]))
    return " ".join(texts)


def _evidence(rule: Json) -> str:
    evidence = rule.get("evidence") or {}
    said = ", ".join(f"{_plain(name)} {_plain_value(value)}" for name, value in evidence.items())
    return f"({said}) " if said else ""


_UNITS = {
    "ms": "ms",
    "bpm": "bpm",
    "years": "years",
    "percent": "%",
    "kg": "kg",
    "mmhg": "mmHg",
    "mg": "mg",
    "ug": "ug",
}


def _plain(name: str) -> str:
    return name.replace("_mmol_l", " mmol/L").replace("_umol_l", " umol/L").replace("_", " ")


def _plain_value(value: Any) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list | tuple):
        return ", ".join(map(_plain_value, value))
    return str(value)


# --- simulation and ranking ----------------------------------------------------------------------------------------------


def _simulated(question: str, result: Json) -> str:
    pre = result.get("pre", {}).get("intervals", {})
    names = _asked(question) or list(_USUAL)
    parts = [_action(action, names, pre, result.get("k")) for action in result["actions"]]
    parts += [
        f"Not simulated: {_judged(question, {'verdicts': [verdict]})}"
        for verdict in result.get("refused", ())
    ]
    model = result.get("model") or {}
    if model.get("synthetic"):
        parts.append("The world model was trained on simulated trials, so these are model predictions.")
    return "\n".join(parts)


def _action(action: Json, names: Sequence[str], pre: Mapping[str, float | None], k: int | None) -> str:
    summary, delta = action["summary"], action["delta"]
    told = [_change(name, summary.get(name), delta.get(name), pre.get(name)) for name in names]
    lost = [
        f"{NAMES[name][0]} is not measurable: {_sentence(action.get('not_measurable', {}).get(name, 'not in the pre-dose ECG'))}"
        for name, text in zip(names, told, strict=True)
        if text is None and (len(names) < len(_USUAL) or pre.get(name) is not None)
    ]
    risk = summary.get("risk")
    samples = f" over {k} simulated ECGs" if k else ""
    lines = [
        f"{action['action']['text']}, {action['hours']:g} h after the dose{samples}: {_list([t for t in told if t])}."
    ]
    lines += lost
    if risk:
        lines.append(f"Risk {_spread(risk['mean'], risk['sd'], '')}.")
    verdict = action.get("verdict")
    if isinstance(verdict, dict) and verdict["verdict"] != "allowed":
        lines.append(f"It is {_verdict(verdict['verdict'])}: {_why(verdict)}")
    support = action["support"]
    if not support["in_distribution"]:
        lines.append(
            f"The model is outside of what it was trained on: {' '.join(map(_sentence, support['reasons']))}".strip()
        )
    return " ".join(lines)


def _change(name: str, after: Json | None, change: Json | None, before: float | None) -> str | None:
    if not after:
        return None
    text, unit = NAMES[name]
    said = f"{text} {_spread(after['mean'], after['sd'], unit)}"
    if not change or before is None:
        return said
    return f"{said}, {change['mean']:+g} {unit} from {before:g} (likely {change['q05']:+g} to {change['q95']:+g} {unit})"


def _spread(mean: float, sd: float | None, unit: str) -> str:
    unit = f" {unit}" if unit else ""
    return f"{mean:g}{unit}" + (f" (SD {sd:g})" if sd is not None else " (spread unknown from one sample)")


def _ranked(question: str, result: Json) -> str:
    rows, goal = result["ranking"], result.get("goal")
    drugs = [row for row in rows if row["action"]["drugs"]]
    lines = []
    if not drugs:
        lines.append("No candidate is left: the mask refuses every drug.")
    else:
        lines.append(f"Ranked{f' for {goal}' if goal else ''}, best first:")
        lines += [_row(row) for row in rows[:TOP]]
        reference = result["reference"]
        if reference["rank"] > TOP:
            lines.append(_row(reference))
        if len(rows) > TOP:
            lines.append(
                f"{drugs[0]['action']['text']} is first. {' '.join(map(_sentence, drugs[0]['reasons'][:3]))}".strip()
            )
    for verdict in _by_drug(result["excluded"]):
        lines.append(f"Excluded: {verdict}")
    if (result.get("model") or {}).get("synthetic"):
        lines.append("The world model was trained on simulated trials, so these are model predictions.")
    return "\n".join(lines)


def _row(row: Json) -> str:
    said = [
        f"{row['rank']}. {row['action']['text']}: score {_number(row['score'])}, risk {_number(row['risk_mean'])}"
    ]
    if row["risk_sd"] is not None:
        said.append(f"SD {row['risk_sd']:g}")
    goal = row.get("goal")
    if goal and goal["attained_probability"] is not None:
        said.append(f"{goal['name']} reached with probability {goal['attained_probability']:g}")
    for name in ("hr_bpm", "qtcf_ms"):
        if row["intervals"].get(name) is not None:
            said.append(f"{SHORT.get(name, NAMES[name][0])} {row['intervals'][name]:g} {NAMES[name][1]}")
    if row["verdict"] not in ("allowed",) and row["action"]["drugs"]:
        said.append(f"{_verdict(row['verdict'])} [{', '.join(rule['id'] for rule in row['rules'])}]")
    return ", ".join(said)


def _number(value: float | None) -> str:
    return "not known" if value is None else f"{value:g}"


def _by_drug(excluded: Sequence[Json]) -> list[str]:
    """Each excluded drug once, with the rule that speaks first."""
    lines: dict[str, str] = {}
    for verdict in excluded:
        name = " + ".join(drug["name"] for drug in verdict["action"]["drugs"])
        if name not in lines:
            rules = verdict["rules"]
            why = f"{_sentence(rules[0]['text'])} [{rules[0]['id']}]" if rules else _why(verdict)
            lines[name] = f"{name} {_verdict(verdict['verdict'])}. {why}".strip()
    return list(lines.values())


def _compared(question: str, found: Sequence[Found]) -> str:
    """Which of the simulated actions has the lower risk, where that is the question."""
    if not re.search(r"\b(?:safer|safest|better|worse|compar\w+|versus|vs|differ\w+|or)\b", question):
        return ""
    simulated = [f for f in found if f.tool == "simulate" and f.ok]
    rows = [action for f in simulated for action in f.result["actions"]]
    refused = [verdict for f in simulated for verdict in f.result.get("refused", ())]
    judged = sorted(
        (row["summary"]["risk"]["mean"], row["summary"]["risk"]["sd"] or 0.0, row["action"]["text"])
        for row in rows
        if row["summary"].get("risk")
    )
    lines = []
    if len({name for _, _, name in judged}) > 1:
        (low, low_sd, best), (high, high_sd, worst) = judged[0], judged[-1]
        against = f"({low:g} against {high:g})"
        if high - low > max(low_sd, high_sd):
            lines.append(f"By simulated risk {best} is safer than {worst} {against}.")
        else:
            lines.append(
                f"By simulated risk neither is clearly safer: they differ by no more than their spread {against}."
            )
    if refused and rows:
        lines.append(
            f"What is not simulated is not compared: {', '.join(v['action']['text'] for v in refused)}."
        )
    return " ".join(lines)


# --- knowledge -----------------------------------------------------------------------------------------------------------


def _known(question: str, result: Json) -> str:
    hits = result.get("hits") or []
    if not hits:
        return "The knowledge base has nothing on that."
    return "\n".join(f"{_sentence(hit['text'])} [{hit['id']}] ({hit['source']})" for hit in hits[:TOP])


def _list(parts: Sequence[str]) -> str:
    return "; ".join(parts)


_EXPLAINERS: dict[str, Callable[[str, Json], str]] = {
    "measure_ecg": _measured,
    "read_record": _recorded,
    "check_mask": _judged,
    "explain_exclusion": _judged,
    "simulate": _simulated,
    "rank": _ranked,
    "search_knowledge": _known,
}
