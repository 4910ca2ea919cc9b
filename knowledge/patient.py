"""The patient file: one JSON object, typed, with its labs converted. What is not said is unknown."""

import json
import math
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from knowledge.errors import PatientFileError
from knowledge.labs import LABS, convert, lab_name, plain_utc

MAX_BYTES = 20_000_000


def _no_flag(value: Any) -> Any:
    """JSON's true is 1 to Python: keep it out of numbers."""
    if isinstance(value, bool) or (isinstance(value, float) and not math.isfinite(value)):
        raise ValueError("has to be a number")
    return value


Number = Annotated[float, BeforeValidator(_no_flag)]
_SEX = {"f": "female", "m": "male", "woman": "female", "man": "male"}
Sex = Annotated[
    Literal["female", "male", "unknown"],
    BeforeValidator(lambda v: _SEX.get(v.strip().lower(), v.strip().lower()) if isinstance(v, str) else v),
]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ConditionEntry(_Entry):
    """A diagnosis: a code, a text, or both."""

    code: str | None = None
    system: str = "icd10"
    text: str = ""

    @model_validator(mode="after")
    def _says_something(self) -> "ConditionEntry":
        if not self.code and not self.text:
            raise ValueError("a condition needs a code or a text")
        return self


class LabEntry(_Entry):
    """A laboratory value as charted."""

    name: str
    value: Number
    unit: str | None = None
    time: datetime | None = None


class MedicationEntry(_Entry):
    """A medication the patient takes; last_taken_hours_ago None: still taken."""

    name: str
    dose: str | None = None
    route: str | None = None
    frequency: str | None = None
    last_taken_hours_ago: Annotated[Number, Field(ge=0)] | None = None


class AllergyEntry(_Entry):
    """A substance not tolerated."""

    substance: str
    reaction: str | None = None


class QtEntry(_Entry):
    """An earlier QTc, and QRS if it is known. drug: what was taken then; None for a baseline."""

    qtc_ms: Annotated[Number, Field(gt=150, lt=900)]
    qrs_ms: Annotated[Number, Field(gt=30, lt=400)] | None = None
    time: datetime | None = None
    drug: str | None = None


class Patient(BaseModel):
    """One patient. None is unknown; a list that is given is complete, so what it lacks is not the case.

    af_duration_hours, anticoagulated_3_weeks, tee_cleared: for cardioversion. continuous_ecg: on a
    monitor, with resuscitation at hand. child_pugh: class of liver disease. not_understood: what a
    reader of another format could not read.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = "patient"
    age_years: Annotated[Number, Field(ge=0, le=130)]
    sex: Sex
    weight_kg: Annotated[Number, Field(ge=0.3, le=650)] | None = None
    height_cm: Annotated[Number, Field(ge=20, le=260)] | None = None
    pregnant: bool | None = None
    indication: str | None = None
    goal: str | None = None
    conditions: tuple[ConditionEntry, ...] | None = None
    labs: tuple[LabEntry, ...] = ()
    medications: tuple[MedicationEntry, ...] | None = None
    allergies: tuple[AllergyEntry, ...] | None = None
    lvef_percent: Annotated[Number, Field(ge=1, le=95)] | None = None
    systolic_bp_mmhg: Annotated[Number, Field(ge=20, le=320)] | None = None
    pacemaker: bool | None = None
    qt_history: tuple[QtEntry, ...] = ()
    child_pugh: Literal["A", "B", "C"] | None = None
    continuous_ecg: bool | None = None
    af_duration_hours: Annotated[Number, Field(ge=0)] | None = None
    anticoagulated_3_weeks: bool | None = None
    tee_cleared: bool | None = None
    notes: str = ""
    not_understood: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _labs_convert(self) -> "Patient":
        self.lab_facts()
        return self

    def lab_facts(self) -> dict[str, float]:
        """The newest value of each lab that rules read, in the unit of its fact; of equal times, the last."""
        newest: dict[str, tuple[float, float]] = {}
        for entry in self.labs:
            name = lab_name(entry.name)
            if name is None:
                continue
            when = plain_utc(entry.time).timestamp() if entry.time else -math.inf
            value = convert(name, entry.value, entry.unit)
            if name not in newest or when >= newest[name][0]:
                newest[name] = (when, value)
        return {LABS[name].fact: value for name, (_, value) in newest.items()}

    def unread_labs(self) -> tuple[str, ...]:
        """Labs no rule reads."""
        return tuple(entry.name for entry in self.labs if lab_name(entry.name) is None)


def load_patient(path: str | Path) -> Patient:
    """Read a patient file. Raises PatientFileError naming the key that is wrong."""
    file = Path(path)
    try:
        if file.stat().st_size > MAX_BYTES:
            raise PatientFileError(f"{file} is over {MAX_BYTES // 1_000_000} MB", "Shorten its notes.")
        document = json.loads(file.read_text("utf-8-sig"))
    except OSError as error:
        raise PatientFileError(f"cannot read {file}: {error.strerror}", "Check the path.") from error
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise PatientFileError(f"{file} is not JSON: {error}", "Write one JSON object, in UTF-8.") from error
    if not isinstance(document, dict):
        raise PatientFileError(
            f"{file} holds no JSON object", 'It begins with {"age_years": ..., "sex": ...}.'
        )
    return parse_patient(document, str(file))


def parse_patient(document: dict[str, Any], origin: str = "patient") -> Patient:
    """Build a Patient from a decoded object. Raises PatientFileError naming the key that is wrong."""
    if "resourceType" in document:
        from knowledge.fhir import patient_document

        try:
            document = patient_document(document, date.today())
        except (AttributeError, TypeError, ValueError, LookupError, OverflowError) as error:
            raise PatientFileError(
                f"{origin} is malformed FHIR: {error}", "Give a valid FHIR R4 Bundle."
            ) from error
    try:
        return Patient.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the patient"
        if first["type"] == "extra_forbidden":
            known = (
                ", ".join(Patient.model_fields) if len(first["loc"]) == 1 else "those of the documentation"
            )
            raise PatientFileError(f"{origin}: unknown key {where!r}", f"Known keys: {known}.") from error
        if first["type"] == "missing":
            raise PatientFileError(
                f"{origin}: {where!r} is missing", "age_years and sex are needed."
            ) from error
        raise PatientFileError(f"{origin}: {where}: {first['msg']}", "Mend that entry.") from error
