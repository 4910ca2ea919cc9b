"""Patient and pre-dose ECG as labels and texts, for people to read."""

from collections.abc import Iterable

from agent.wording import INTERVALS, LEGEND, by_reason, number, words
from knowledge.patient import Patient
from worldmodel.ecg import Ecg
from worldmodel.measurement import Measurement

Facts = list[tuple[str, str]]  # label and text
UNKNOWN_LIST = "unknown: no list was given"


def patient_facts(patient: Patient) -> Facts:
    """What is known, in words; what was not given is left out, but for what safety rules often need."""
    return [
        ("Age, sex", f"{patient.age_years:g} years, {patient.sex}"),
        *_known("Weight", patient.weight_kg, "kg"),
        *_known("Height", patient.height_cm, "cm"),
        *_known("Pregnant", _yes_no(patient.pregnant)),
        *_known("Indication", patient.indication),
        *_known("Goal", patient.goal),
        ("Conditions", UNKNOWN_LIST if patient.conditions is None else _list(_conditions(patient))),
        ("Laboratory", _list(_lab(patient))),
        ("Medications", UNKNOWN_LIST if patient.medications is None else _list(_medications(patient))),
        ("Allergies", UNKNOWN_LIST if patient.allergies is None else _list(_allergies(patient))),
        *_known("Ejection fraction", patient.lvef_percent, "%"),
        *_known("Systolic pressure", patient.systolic_bp_mmhg, "mmHg"),
        *_known("Pacemaker", _yes_no(patient.pacemaker)),
        *_known("Earlier QTc", _list(_earlier_qtc(patient)) if patient.qt_history else None),
        *_known("Child-Pugh class", patient.child_pugh),
        *_known("On continuous ECG", _yes_no(patient.continuous_ecg)),
        *_known("Atrial fibrillation for", patient.af_duration_hours, "h"),
        *_known("Anticoagulated for 3 weeks", _yes_no(patient.anticoagulated_3_weeks)),
        *_known("Cleared by echocardiogram", _yes_no(patient.tee_cleared)),
    ]


def _known(label: str, value: float | str | None, unit: str = "") -> Facts:
    if value is None:
        return []
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return [(label, f"{text} {unit}".strip())]


def _yes_no(value: bool | None) -> str | None:
    return None if value is None else "yes" if value else "no"


def _list(texts: Iterable[str]) -> str:
    return "; ".join(texts) or "none"


def _conditions(patient: Patient) -> Iterable[str]:
    for condition in patient.conditions or ():
        yield " ".join(filter(None, (condition.text, condition.code)))


def _lab(patient: Patient) -> Iterable[str]:
    for lab in patient.labs:
        when = f" ({lab.time:%Y-%m-%d %H:%M})" if lab.time else ""
        yield f"{lab.name} {lab.value:g} {lab.unit or '(no unit)'}{when}"


def _medications(patient: Patient) -> Iterable[str]:
    for drug in patient.medications or ():
        taken = "" if drug.last_taken_hours_ago is None else f"last {drug.last_taken_hours_ago:g} h ago"
        yield " ".join(filter(None, (drug.name, drug.dose, drug.route, drug.frequency, taken)))


def _allergies(patient: Patient) -> Iterable[str]:
    for allergy in patient.allergies or ():
        yield f"{allergy.substance} ({allergy.reaction})" if allergy.reaction else allergy.substance


def _earlier_qtc(patient: Patient) -> Iterable[str]:
    for entry in patient.qt_history:
        when = f" ({entry.time:%Y-%m-%d})" if entry.time else ""
        yield f"{entry.qtc_ms:g} ms {f'on {entry.drug}' if entry.drug else 'without a drug'}{when}"


def measured_facts(ecg: Ecg, measured: Measurement) -> Facts:
    """What was measured, with the reason for what was not."""
    rhythm, quality = measured.rhythm, measured.quality
    facts = [
        ("Recording", f"{ecg.duration_s:.1f} s at {ecg.fs_hz:g} Hz"),
        ("Rhythm", f"{words(rhythm.label)} (confidence {rhythm.confidence:.2f})"),
        ("Quality", "; ".join((quality.verdict, *quality.reasons))),
    ]
    if measured.missing_leads:
        facts.append(("Not recorded", ", ".join(measured.missing_leads)))
    for finding in measured.findings:
        facts.append(
            (words(finding.name), f"{finding.text.rstrip('.')} (confidence {finding.confidence:.2f})".strip())
        )
    values = measured.intervals.as_dict()
    known = [
        f"{short} {number(values[n])} {unit}"
        for n, (short, unit) in INTERVALS.items()
        if values[n] is not None
    ]
    facts.append(("Intervals", " · ".join(known) or "none could be measured"))
    for reason, names in by_reason(measured.not_measurable).items():
        facts.append(("Not measurable", f"{', '.join(names)}: {reason}"))
    return [*facts, ("Legend", LEGEND)]
