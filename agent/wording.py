"""How results read to people: the words, groups and number formats that terminal and report share."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tools.mask import VerdictGiven
    from tools.rank import RankedAction
    from tools.results import ActionGiven, RuleFired

UNKNOWN = "–"
INTERVALS = {
    "hr_bpm": ("rate", "bpm"),
    "rr_ms": ("RR", "ms"),
    "pr_ms": ("PR", "ms"),
    "qrs_ms": ("QRS", "ms"),
    "qt_ms": ("QT", "ms"),
    "qtcf_ms": ("QTcF", "ms"),
    "qtcb_ms": ("QTcB", "ms"),
    "jtpeak_ms": ("JTp", "ms"),
    "tpeak_tend_ms": ("TpTe", "ms"),
    "p_ms": ("P", "ms"),
}
# Measured, too, but without a column of their own.
OTHER_NAMES = {
    "jtpeakc_ms": "JTpc",
    "qt_tangent_ms": "QTtan",
    "qtcfram_ms": "QTcFram",
    "qtch_ms": "QTcH",
    "t_amplitude_mv": "T amplitude",
    "p_axis_deg": "P axis",
    "qrs_axis_deg": "QRS axis",
    "t_axis_deg": "T axis",
    "t_flatness": "T flatness",
    "t_asymmetry": "T asymmetry",
    "rr_sd_ms": "SD of RR",
    "rmssd_ms": "RMSSD",
    "qt_sd_ms": "SD of QT",
}
LEGEND = "JTp: J point to T peak; TpTe: T peak to T end; QTcF by Fridericia, QTcB by Bazett"
ABBREVIATIONS = {
    name.lower(): name
    for name in ("AV", "CrCl", "EF", "INR", "LBBB", "PR", "QRS", "QT", "QTc", "RBBB", "RR", "ST")
}
UNITS = {
    "_mmol_l": "mmol/L",
    "_umol_l": "umol/L",
    "_ng_ml": "ng/mL",
    "_ml_min": "mL/min",
    "_ml_min_1_73": "mL/min",
    "_u_l": "U/L",
    "_10e9_l": "10^9/L",
    "_percent": "%",
    "_mmhg": "mmHg",
    "_bpm": "bpm",
    "_ms": "ms",
    "_kg": "kg",
    "_mg": "mg",
    "_years": "years",
    "_hours": "h",
}


@dataclass(frozen=True)
class VerdictGroup:
    """Doses of one drug, or one action, that the mask judged alike and by the same rules.

    rules: of each dose in turn, since the values that a rule looked at may differ.
    """

    action: str
    verdict: str
    rules: tuple["RuleFired", ...]
    missing: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class RuleReport:
    """A rule, the actions it speaks about, and the different values of the patient that it looked at."""

    rule: "RuleFired"
    actions: list[str]
    evidence: list[str]

    def add(self, action: str, evidence: str) -> None:
        self.actions.extend([action] * (action not in self.actions))
        self.evidence.extend([evidence] * (bool(evidence) and evidence not in self.evidence))


def words(label: str) -> str:
    """A label of the data as people read it: "atrial_fibrillation" -> "atrial fibrillation", "rbbb" -> "RBBB"."""
    return " ".join(ABBREVIATIONS.get(word, word) for word in label.split("_"))


def interval_name(name: str) -> str:
    """The short name of an interval: "qtcf_ms" -> "QTcF"; the words of its name where there is none."""
    return (
        INTERVALS[name][0] if name in INTERVALS else OTHER_NAMES.get(name) or words(name.removesuffix("_ms"))
    )


def one_line(text: str) -> str:
    """Text of a record without line breaks, terminal escapes and other control characters."""
    return "".join(c for c in " ".join(text.split()) if c.isprintable())


def number(value: float | None, digits: int = 0, *, signed: bool = False) -> str:
    """A number, or a dash where it is not known; never "-0"."""
    if value is None:
        return UNKNOWN
    return f"{round(value, digits) + 0.0:{'+' if signed else ''}.{digits}f}"


def spread(mean: float | None, sd: float | None, digits: int = 0, *, signed: bool = False) -> str:
    """ "412 ± 6"; the mean alone where one sample cannot tell a spread."""
    if mean is None or sd is None:
        return number(mean, digits, signed=signed)
    return f"{number(mean, digits, signed=signed)} ± {number(sd, digits)}"


def limits(low: float, high: float, digits: int = 0, *, signed: bool = False) -> str:
    """ "398 to 427"."""
    return f"{number(low, digits, signed=signed)} to {number(high, digits, signed=signed)}"


def percent(share: float | None) -> str:
    """A share in 0..1 as "67 %"."""
    return UNKNOWN if share is None else f"{100 * share:.0f} %"


def because(group: VerdictGroup) -> str:
    """The rules that hold, then those that cannot be decided and what they need; else the reason in words."""
    return "; ".join(filter(None, (rule_ids(group.rules), _needed(group.missing)))) or group.reason


def rule_ids(rules: Iterable["RuleFired"]) -> str:
    """The rules that hold by id, then those that cannot be decided."""
    unique = {rule.id: rule for rule in rules}.values()
    holding = ", ".join(rule.id for rule in unique if not rule.missing)
    undecided = ", ".join(rule.id for rule in unique if rule.missing)
    return "; ".join(filter(None, (holding, f"undecided {undecided}" if undecided else "")))


def decisive(group: VerdictGroup) -> str:
    """The gravest rule behind the verdict with its source, then the other rules by id, and what is needed."""
    undecided = group.verdict == "cannot_evaluate"
    deciding = [rule for rule in group.rules if bool(rule.missing) == undecided] or list(group.rules)
    if not deciding:
        return because(group)
    first = deciding[0]
    others = rule_ids(rule for rule in group.rules if rule.id != first.id)
    also = f"also {others}" if others else ""
    told = f"{first.text} [{first.id}: {first.source}]"
    return "; ".join(filter(None, (told, also, _needed(group.missing))))


def standing(rule: "RuleFired") -> str:
    """How grave a rule is and whether it holds: "block", or "block, undecided: needs potassium"."""
    severity = words(rule.severity)
    return f"{severity}, undecided: {_needed(rule.missing)}" if rule.missing else severity


def _needed(missing: Sequence[str]) -> str:
    names = (interval_name(name) if name in INTERVALS else words(name) for name in missing)
    return f"needs {', '.join(names)}" if missing else ""


def by_reason(not_measurable: Mapping[str, str]) -> dict[str, list[str]]:
    """Each reason once, with the short names of the intervals it concerns."""
    grouped: dict[str, list[str]] = {}
    for name, reason in not_measurable.items():
        grouped.setdefault(reason, []).append(interval_name(name))
    return grouped


def group_verdicts(verdicts: Iterable["VerdictGiven"]) -> list[VerdictGroup]:
    """Verdicts in order of appearance, those merged that differ in nothing but the dose."""
    groups: dict[tuple[Any, ...], list[VerdictGiven]] = {}
    for verdict in verdicts:
        rules = tuple((rule.id, rule.missing) for rule in verdict.rules)
        drug = _only_drug(verdict.action) or verdict.action.text
        groups.setdefault((drug, verdict.verdict, rules, verdict.missing, verdict.reason), []).append(verdict)
    return [_merge(alike) for alike in groups.values()]


def group_ranked(rows: Iterable["RankedAction"]) -> list[VerdictGroup]:
    """The rules that speak about ranked actions, in the form of `group_verdicts`."""
    return [VerdictGroup(row.action.text, row.verdict, row.rules, (), "") for row in rows]


def reasons_of_rows(rows: Sequence["RankedAction"]) -> tuple[list[str], list[list[str]]]:
    """Reasons that all rows share, and the own ones of each, but for those that only cite a rule."""
    told = [
        [r for r in row.reasons if not any(r.endswith(f"[{rule.id}]") for rule in row.rules)] for row in rows
    ]
    common = [reason for reason in told[0] if len(told) > 1 and all(reason in other for other in told)]
    return common, [[reason for reason in reasons if reason not in common] for reasons in told]


def fired_rules(groups: Iterable[VerdictGroup]) -> list[RuleReport]:
    """Each rule once, in order of appearance, with its actions and the values it looked at.

    A rule that holds for one action and cannot be decided for another is told for each.
    """
    reports: dict[tuple[str, tuple[str, ...]], RuleReport] = {}
    for group in groups:
        for rule in group.rules:
            report = reports.setdefault((rule.id, rule.missing), RuleReport(rule, [], []))
            report.add(group.action, evidence_text(rule.evidence))
    return list(reports.values())


def evidence_text(evidence: Mapping[str, Any]) -> str:
    """The patient's values that a rule looked at, "potassium 3.1 mmol/L, sex female"; the action stands elsewhere."""
    return ", ".join(fact_text(name, value) for name, value in evidence.items() if name != "given")


def fact_text(name: str, value: Any) -> str:
    """A fact with the unit that its name carries: ("potassium_mmol_l", 3.1) -> "potassium 3.1 mmol/L"."""
    ending = next((ending for ending in UNITS if name.endswith(ending)), "")
    unit = f" {UNITS[ending]}" if ending and value is not None else ""
    return f"{words(name.removesuffix(ending))} {_value(value)}{unit}"


def _value(value: Any) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 10000 else f"{value:.0f}"
    return ", ".join(map(_value, value)) if isinstance(value, (list, tuple, set)) else str(value)


def _merge(alike: Sequence["VerdictGiven"]) -> VerdictGroup:
    first = alike[0]
    action = _doses_of([verdict.action for verdict in alike])
    rules = tuple(rule for verdict in alike for rule in verdict.rules)
    return VerdictGroup(action, first.verdict, rules, first.missing, first.reason)


def _only_drug(action: "ActionGiven") -> str | None:
    """The drug that doses may be listed under; None for combinations and what could not be understood."""
    return action.drugs[0].name if len(action.drugs) == 1 and action.drugs[0].dose is not None else None


def _doses_of(actions: Sequence["ActionGiven"]) -> str:
    """ "sotalol 80, 120 mg oral; 75 mg iv" of three actions; the text of the action where it stands alone."""
    if len(actions) == 1:
        return actions[0].text
    by_unit_and_route: dict[str, list[str]] = {}
    for action in actions:
        drug = action.drugs[0]
        amount, _, unit = (drug.dose or "").partition(" ")
        by_unit_and_route.setdefault(f"{unit} {drug.route or ''}".strip(), []).append(amount)
    doses = (f"{', '.join(amounts)} {rest}".strip() for rest, amounts in by_unit_and_route.items())
    return f"{actions[0].drugs[0].name} {'; '.join(doses)}"
