"""Where two sources say different things of one patient: chart and ECG, or two lines of the chart.

The facts of the chart already take the safer of the two; what is found here says so to the reader.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from knowledge.chart import Chart
from knowledge.conditions import Evidence

_RHYTHMS = {"atrial_fibrillation": "atrial fibrillation", "atrial_flutter": "atrial flutter"}
_CHARTED = {
    "av_block_2_or_3": ("av_block_2_or_3_charted", "second or third degree AV block"),
    "preexcitation": ("preexcitation_charted", "pre-excitation"),
    "brugada": ("brugada", "a Brugada pattern"),
    "bifascicular": ("bifascicular_charted", "bifascicular block"),
}


@dataclass(frozen=True)
class Conflict:
    """What is said twice and differently. facts: the facts of rules that hang on it."""

    text: str
    facts: frozenset[str]
    evidence: Evidence


def conflicts(chart: Chart) -> Iterator[Conflict]:
    """Every contradiction between the chart's lines, or between chart and ECG."""
    yield from _of_rhythm(chart)
    seen = chart.findings
    for flag, (charted, name) in _CHARTED.items():
        if getattr(seen, flag) is False and charted in chart.diagnoses:
            text = f"The chart says {name}, this ECG does not show it: taken as present"
            yield _conflict(text, (flag, f"{flag}_pattern"), chart="yes", ecg="no")
    yield from _within_the_chart(chart)


def _of_rhythm(chart: Chart) -> Iterator[Conflict]:
    rhythm = chart.findings.rhythm
    facts = ("atrial_fibrillation", "atrial_flutter", "af_or_flutter", "af_or_flutter_now", "permanent_af")
    if rhythm in _RHYTHMS and "sinus_rhythm_charted" in chart.diagnoses:
        text = f"The chart says sinus rhythm, this ECG shows {_RHYTHMS[rhythm]}: taken as {_RHYTHMS[rhythm]}"
        yield _conflict(text, facts, chart="sinus rhythm", ecg=_RHYTHMS[rhythm])
    if rhythm == "sinus" and "permanent_af" in chart.diagnoses:
        text = (
            "The chart says permanent atrial fibrillation, this ECG shows sinus rhythm: rules of either hold"
        )
        yield _conflict(text, facts, chart="permanent atrial fibrillation", ecg="sinus rhythm")


def _within_the_chart(chart: Chart) -> Iterator[Conflict]:
    patient, diagnoses = chart.patient, chart.diagnoses
    if patient is None:
        return
    if patient.pacemaker is False and (chart.findings.paced or "pacemaker_charted" in diagnoses):
        text = "The patient file says no pacemaker, its diagnoses or the ECG show one: taken as none"
        yield _conflict(text, ("pacemaker",), pacemaker=False, paced=chart.findings.paced)
    if patient.pregnant is False and "pregnancy_charted" in diagnoses:
        text = "The patient file says not pregnant, its diagnoses say pregnant: taken as pregnant"
        yield _conflict(text, ("pregnant",), pregnant=False)
    lvef, pressure = patient.lvef_percent, patient.systolic_bp_mmhg
    if lvef is not None and lvef > 40 and "hfref" in diagnoses:
        text = f"Heart failure with a low ejection fraction is on record, and one of {lvef:g} %: taken as low"
        yield _conflict(text, ("reduced_ef", "heart_failure", "structural_heart_disease"), lvef_percent=lvef)
    if pressure is not None and pressure >= 100 and "shock" in diagnoses:
        text = f"Shock is on record, and a systolic pressure of {pressure:g} mmHg: taken as shock"
        yield _conflict(text, ("sbp_below_90", "sbp_below_100", "shock"), systolic_bp_mmhg=pressure)


def _conflict(text: str, facts: tuple[str, ...], **evidence: float | bool | str | None) -> Conflict:
    return Conflict(text, frozenset(facts), evidence)
