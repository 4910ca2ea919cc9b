"""Changes of the patient that a question only supposes. They make a copy; the record is never written."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from knowledge.drugs import load_catalogue
from knowledge.errors import PatientFileError
from knowledge.labs import LABS, lab_name
from knowledge.names import resolve_drug
from knowledge.patient import AllergyEntry, LabEntry, MedicationEntry, Patient, parse_patient


class Lab(BaseModel):
    """A supposed laboratory value."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(description="such as potassium, magnesium, creatinine")
    value: float
    unit: str | None = Field(default=None, description="such as mmol/L; as the user gave it")


class Assumptions(BaseModel):
    """What the user supposes about the patient; hypothetical, and told to the user as such."""

    model_config = ConfigDict(extra="forbid")

    labs: list[Lab] = Field(default_factory=list)
    takes: list[str] = Field(default_factory=list, description="drugs supposed to be taken")
    stops: list[str] = Field(default_factory=list, description="recorded medications supposed to be stopped")
    allergic_to: list[str] = Field(default_factory=list)
    age_years: float | None = None
    weight_kg: float | None = None
    lvef_percent: float | None = None
    systolic_bp_mmhg: float | None = None
    pregnant: bool | None = None

    def __bool__(self) -> bool:
        return bool(self.model_dump(exclude_defaults=True))


def suppose(patient: Patient | None, assumed: Assumptions) -> tuple[Patient, list[str]]:
    """A copy of the patient as assumed, and a line for each difference from the record.

    Raises PatientFileError where there is no record to change, or a supposed value cannot be.
    """
    if patient is None:
        raise PatientFileError("there is no patient record to change", "Give one with --patient.")
    changed = patient.model_dump(mode="json")
    lines = [_suppose_lab(patient, changed, lab) for lab in assumed.labs]
    lines += [_suppose_taken(changed, name) for name in assumed.takes]
    lines += [_suppose_stopped(changed, name) for name in assumed.stops]
    lines += [_suppose_allergic(changed, name) for name in assumed.allergic_to]
    for key, text in _PLAIN.items():
        value = getattr(assumed, key)
        if value is not None:
            lines.append(f"{text.format(_plain(value))} (recorded: {_plain(changed[key])})")
            changed[key] = value
    return parse_patient(changed, "the assumption"), lines


_PLAIN = {
    "age_years": "age {} years",
    "weight_kg": "weight {} kg",
    "lvef_percent": "LVEF {} %",
    "systolic_bp_mmhg": "systolic pressure {} mmHg",
    "pregnant": "pregnant: {}",
}


def _plain(value: float | bool | None) -> str:
    if value is None:
        return "unknown"
    return ("yes" if value else "no") if isinstance(value, bool) else f"{value:g}"


def _suppose_lab(patient: Patient, changed: dict[str, Any], lab: Lab) -> str:
    name = lab_name(lab.name)
    if name is None:
        raise PatientFileError(f"no rule reads the lab {lab.name!r}", f"Labs: {', '.join(LABS)}.")
    recorded = next((entry for entry in reversed(patient.labs) if lab_name(entry.name) == name), None)
    others = [entry for entry in patient.labs if lab_name(entry.name) != name]
    entry = LabEntry(name=name, value=lab.value, unit=lab.unit)
    changed["labs"] = [item.model_dump(mode="json") for item in (*others, entry)]
    was = f"{recorded.value:g} {recorded.unit or ''}".strip() if recorded else "unknown"
    return f"{name.replace('_', ' ')} {lab.value:g} {lab.unit or ''}".strip() + f" (recorded: {was})"


def _suppose_taken(changed: dict[str, Any], name: str) -> str:
    taken = MedicationEntry(name=name).model_dump(mode="json")
    changed["medications"] = [*(changed["medications"] or ()), taken]
    return f"takes {name}"


def _suppose_stopped(changed: dict[str, Any], name: str) -> str:
    recorded = changed["medications"] or []
    kept = [entry for entry in recorded if not _same_drug(entry["name"], name)]
    changed["medications"] = kept
    return f"has stopped {name}" + ("" if len(kept) < len(recorded) else " (not on record)")


def _suppose_allergic(changed: dict[str, Any], name: str) -> str:
    allergy = AllergyEntry(substance=name).model_dump(mode="json")
    changed["allergies"] = [*(changed["allergies"] or ()), allergy]
    return f"is allergic to {name}"


def _same_drug(recorded: str, name: str) -> bool:
    catalogue = load_catalogue()
    drug = resolve_drug(name, catalogue).drug
    return drug is not None and resolve_drug(recorded, catalogue).drug == drug
