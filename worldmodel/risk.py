"""How dangerous an ECG looks by its intervals: a number in 0..1 and why.

The label model of the paper has no QT label, so it cannot see the very risk that drug trials are
about. This risk reads the intervals. Each hazard starts at the limit of normal and is 1 at its alarm
value:

    h(x) = ((x - limit) / (alarm - limit))^2   beyond the limit, 0 before it
    risk of one component = 1 - 2^(-h)         0 up to the limit, 1/2 at the alarm value, towards 1
    risk of the ECG       = 1 - 2^(-sum h)     hazards add: one alarm is not averaged away by normal values

The square makes it smooth at the limit. Limits and alarm values are published where a source is
named. That every alarm value counts the same, 1/2, and that hazards add is policy: ours, no result.

An interval that could not be measured is not normal: it is named in `unknown`, and the risk is then
a lower bound. With neither QT nor rate there is no risk to speak of, and it is None.

Other risks stand beside it: of the patient's circumstances (torsade.py) and of what an ECG shows apart
from intervals (labels/). `combined_risk` joins them by the same rule.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import exp2, prod
from typing import TYPE_CHECKING, Literal

from worldmodel.measurement import Intervals

if TYPE_CHECKING:  # the command line reads this module, and must not wait for torch
    from torch import Tensor

AHA_2009_QRS = "AHA/ACCF/HRS 2009 ECG standardisation III, doi:10.1161/CIRCULATIONAHA.108.191095"
AHA_2009_QT = "AHA/ACCF/HRS 2009 ECG standardisation IV, doi:10.1161/CIRCULATIONAHA.108.191096"
AHA_2010 = "AHA/ACCF 2010 torsades statement, doi:10.1161/CIRCULATIONAHA.109.192704"
AHA_2018 = "ACC/AHA/HRS 2018 bradycardia guideline, doi:10.1161/CIR.0000000000000628"
ICH_E14 = "ICH E14 (2005)"
NEWS2 = "NEWS2, Royal College of Physicians 2017"
BOEHNERT = "Boehnert and Lovejoy 1985, doi:10.1056/NEJM198508223130804"
TSE_2017 = "Tse 2017, doi:10.1016/j.hrthm.2017.05.031: mean cut-off, and two SD beyond it"
CLASS_I_LABELS = "labels of class I antiarrhythmics: stop at a widening of 50 %"


@dataclass(frozen=True)
class Hazard:
    """One way in which an interval is dangerous; alarm < limit means that low values are.

    of: the interval itself, its change from before the dose, or that change in percent.
    """

    name: str
    text: str
    interval: str
    of: Literal["value", "change", "change_percent"]
    limit: float
    alarm: float
    unit: str
    source: str

    def at(self, x: float) -> float:
        """h(x): 0 up to the limit, 1 at the alarm value, growing as the square beyond."""
        return max(0.0, (x - self.limit) / (self.alarm - self.limit)) ** 2

    def quantity(self, after: Intervals, before: Intervals | None) -> float | None:
        """What this hazard looks at, None where it was not measured."""
        now: float | None = getattr(after, self.interval)
        if self.of == "value" or now is None:
            return now
        then: float | None = getattr(before, self.interval) if before else None
        if then is None:
            return None
        return now - then if self.of == "change" else 100.0 * (now / then - 1.0)

    def sentence(self, x: float) -> str:
        """Such as "QTcF 512 ms (limit 460, alarm 500)"."""
        sign = "" if self.of == "value" else "+"
        return f"{self.text} {x:{sign}.0f} {self.unit} (limit {self.limit:.0f}, alarm {self.alarm:.0f})"


QTC = Hazard("qtc", "QTcF", "qtcf_ms", "value", 450, 500, "ms", f"limit: {AHA_2009_QT}; alarm: {AHA_2010}")
QTC_LIMIT_FEMALE_MS = 460  # same source; unknown sex is held to the stricter 450
PR = Hazard("pr", "PR", "pr_ms", "value", 200, 300, "ms", f"first-degree block and marked: {AHA_2018}")
HAZARDS = (
    QTC,
    Hazard("qtc_change", "QTcF change", "qtcf_ms", "change", 5, 60, "ms", f"{ICH_E14}; alarm: {AHA_2010}"),
    PR,
    Hazard("qrs", "QRS", "qrs_ms", "value", 120, 160, "ms", f"limit: {AHA_2009_QRS}; alarm: {BOEHNERT}"),
    Hazard("qrs_change", "QRS change", "qrs_ms", "change_percent", 0, 50, "%", CLASS_I_LABELS),
    Hazard("slow_rate", "rate", "hr_bpm", "value", 50, 40, "bpm", f"limit: {AHA_2018}; alarm: {NEWS2}"),
    Hazard("fast_rate", "rate", "hr_bpm", "value", 100, 130, "bpm", f"limit: definition; alarm: {NEWS2}"),
    Hazard("tpeak_tend", "Tpeak-Tend", "tpeak_tend_ms", "value", 103, 138, "ms", TSE_2017),
)
JUDGED_INTERVALS = frozenset(hazard.interval for hazard in HAZARDS)


@dataclass(frozen=True)
class Component:
    """One hazard as it stands in an ECG: its value, its own risk in 0..1, and a sentence that says so."""

    name: str
    value: float
    risk: float
    text: str
    source: str


@dataclass(frozen=True)
class Risk:
    """value in 0..1, or None where neither QT nor rate could be measured.

    unknown names each component that could not be judged, and why; where it is not empty, `value` is
    a lower bound. not_applicable: what this rhythm does not have, such as PR in atrial fibrillation.
    """

    value: float | None
    components: tuple[Component, ...] = ()
    unknown: dict[str, str] = field(default_factory=dict)
    not_applicable: dict[str, str] = field(default_factory=dict)


def interval_risk(
    after: Intervals,
    before: Intervals | None = None,
    *,
    female: bool | None = None,
    rhythm: str = "sinus",
    not_measurable: Mapping[str, str] | None = None,
) -> Risk:
    """Risk of an ECG with the intervals `after`, and of their change from `before` (None: change not judged).

    rhythm is a label of `Rhythm`. not_measurable gives the reasons for intervals that are None.
    """
    reasons = not_measurable or {}
    components: list[Component] = []
    unknown: dict[str, str] = {}
    not_applicable: dict[str, str] = {}
    h_total = 0.0
    for hazard in hazards(female):
        if hazard.of != "value" and before is None:
            continue
        x = hazard.quantity(after, before)
        if x is not None:
            h_total += hazard.at(x)
            components.append(_component(hazard, x))
        elif hazard is PR and rhythm in ("atrial_fibrillation", "atrial_flutter"):
            not_applicable[hazard.name] = f"no PR interval in {rhythm.replace('_', ' ')}"
        else:
            unknown[hazard.name] = reasons.get(hazard.interval, f"{hazard.interval} not measured")
    blind = after.qtcf_ms is None and after.hr_bpm is None
    return Risk(None if blind else _risk(h_total), tuple(components), unknown, not_applicable)


def interval_risk_torch(
    after: "Mapping[str, Tensor]",
    before: "Mapping[str, Tensor] | None" = None,
    *,
    female: bool | None = None,
) -> "Tensor":
    """`interval_risk` on tensors, of one shape and by the names of Intervals; gradients flow through.

    NaN is what could not be measured: it adds no hazard, and the risk is NaN where neither QT nor rate is known.
    Raises KeyError where an interval that a hazard looks at is not given.
    """
    h_total = 0.0 * after["hr_bpm"].nan_to_num()
    for hazard in hazards(female):
        x = after[hazard.interval]
        unknown = x.isnan()
        if hazard.of != "value":
            if before is None:
                continue
            unknown = unknown | before[hazard.interval].isnan()
            then = before[hazard.interval].masked_fill(
                unknown, 1.0
            )  # a NaN here would be one in every gradient
            x = x - then if hazard.of == "change" else 100.0 * (x / then - 1.0)
        x = x.masked_fill(unknown, hazard.limit)
        h_total = h_total + ((x - hazard.limit) / (hazard.alarm - hazard.limit)).clamp(min=0.0) ** 2
    blind = after["qtcf_ms"].isnan() & after["hr_bpm"].isnan()
    return (1.0 - (-h_total).exp2()).masked_fill(blind, float("nan"))


@dataclass(frozen=True)
class CombinedRisk:
    """value in 0..1, None where no part is known. parts: each risk that went in, by name; unknown: those that
    could not be judged, where there are any `value` is a lower bound."""

    value: float | None
    parts: dict[str, float]
    unknown: tuple[str, ...] = ()


def combined_risk(parts: Mapping[str, float | None]) -> CombinedRisk:
    """Risks of several kinds as one: 1 - prod(1 - r), None being a risk that could not be judged.

    It is the rule of the intervals, as r = 1 - 2^(-h) and hazards add: no danger is averaged away by the absence of
    another, two half alarms are more than one, and a part of 0 changes nothing. It is exact where the dangers come
    independently of each other. Where they go together it counts twice, so no two parts may look at the same
    thing: `label_risk` leaves out what the intervals judge. `torsade_risk` looks at the QTc before the dose, with 2 of
    its 21 points.
    """
    known = {name: risk for name, risk in parts.items() if risk is not None}
    unknown = tuple(name for name, risk in parts.items() if risk is None)
    return CombinedRisk(1.0 - prod(1.0 - r for r in known.values()) if known else None, known, unknown)


def combined_risk_torch(*parts: "Tensor") -> "Tensor":
    """The value of `combined_risk` on tensors of one shape; NaN is a part that could not be judged."""
    safe, known = 1.0 - parts[0].nan_to_num(), ~parts[0].isnan()
    for part in parts[1:]:
        safe, known = safe * (1.0 - part.nan_to_num()), known | ~part.isnan()
    return (1.0 - safe).masked_fill(~known, float("nan"))


def hazards(female: bool | None) -> tuple[Hazard, ...]:
    """HAZARDS with the QTc limit of this sex."""
    return (replace(QTC, limit=QTC_LIMIT_FEMALE_MS) if female else QTC, *HAZARDS[1:])


def _risk(h: float) -> float:
    return 1.0 - exp2(-h)


def _component(hazard: Hazard, x: float) -> Component:
    return Component(hazard.name, x, _risk(hazard.at(x)), hazard.sentence(x), hazard.source)
