"""FHIR R4 Bundles as patient files: what the rules read, and the names of what was not understood.

A Bundle that holds no Condition, medication or AllergyIntolerance at all says nothing about them:
that list is then unknown, not empty.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from knowledge.errors import PatientFileError

_LABS = {
    "2823-3": "potassium", "6298-4": "potassium", "19123-9": "magnesium", "2601-3": "magnesium",
    "17861-6": "calcium", "2000-8": "calcium", "1994-3": "ionized_calcium", "1995-0": "ionized_calcium",
    "12180-6": "ionized_calcium", "2951-2": "sodium", "2947-0": "sodium", "2160-0": "creatinine",
    "14682-9": "creatinine", "2345-7": "glucose", "2339-0": "glucose", "14749-6": "glucose", "15074-8": "glucose",
    "10535-3": "digoxin", "6301-6": "inr", "34714-6": "inr", "1742-6": "alt", "777-3": "platelets",
    "26515-7": "platelets",
}  # fmt: skip
# Vital signs by LOINC: the key of the patient file, and the factors of its units.
_VITALS: dict[str, tuple[str, dict[str, float]]] = {
    "29463-7": ("weight_kg", {"kg": 1.0, "g": 0.001, "[lb_av]": 0.45359237, "lbs": 0.45359237}),
    "3141-9": ("weight_kg", {"kg": 1.0, "g": 0.001, "[lb_av]": 0.45359237, "lbs": 0.45359237}),
    "8302-2": ("height_cm", {"cm": 1.0, "m": 100.0, "[in_i]": 2.54, "in": 2.54}),
    "8480-6": ("systolic_bp_mmhg", {"mm[Hg]": 1.0, "mmHg": 1.0}),
    "10230-1": ("lvef_percent", {"%": 1.0}),
    "8806-2": ("lvef_percent", {"%": 1.0}),
}
_PREGNANCY, _PREGNANT = "82810-3", {"77386006": True, "60001007": False}
_VOID = {"entered-in-error", "cancelled", "not-taken", "not-done", "refuted", "stopped", "unknown"}
_MEDICATIONS = ("MedicationStatement", "MedicationRequest", "MedicationAdministration")


@dataclass
class _Reading:
    """The patient file as it grows; `times` keeps the newest of each vital sign."""

    document: dict[str, Any] = field(default_factory=dict)
    times: dict[str, str] = field(default_factory=dict)
    not_understood: list[str] = field(default_factory=list)

    def add(self, key: str, entry: Mapping[str, Any]) -> None:
        self.document.setdefault(key, []).append({k: v for k, v in entry.items() if v is not None})


def patient_document(bundle: Mapping[str, Any], today: date) -> dict[str, Any]:
    """The patient file that a Bundle amounts to. `today` dates the age where the Bundle has no date.

    Raises PatientFileError when it is no Bundle, or not of exactly one patient.
    """
    if bundle.get("resourceType") != "Bundle":
        raise PatientFileError(
            f"a FHIR {bundle.get('resourceType')} alone is no patient file", "Give a Bundle."
        )
    resources = [entry.get("resource") or {} for entry in _list(bundle, "entry")]
    patients = [resource for resource in resources if resource.get("resourceType") == "Patient"]
    if len(patients) != 1:
        raise PatientFileError(f"the Bundle holds {len(patients)} patients", "Give a Bundle of one patient.")
    now = _now(bundle, resources, today)
    reading = _Reading()
    _read_patient(patients[0], now, reading)
    drugs = {f"Medication/{r.get('id')}": r for r in resources if r.get("resourceType") == "Medication"}
    for resource in resources:
        _read(resource, now, drugs, reading)
    if reading.not_understood:
        reading.document["not_understood"] = list(dict.fromkeys(reading.not_understood))
    return reading.document


def _read(resource: Mapping[str, Any], now: datetime, drugs: Mapping[str, Any], reading: _Reading) -> None:
    kind = resource.get("resourceType")
    if kind in ("Patient", "Medication", None) or _void(resource):
        return
    if kind == "Observation":
        _read_observation(resource, reading)
    elif kind == "Condition":
        _read_condition(resource, reading)
    elif kind in _MEDICATIONS:
        _read_medication(resource, now, drugs, reading)
    elif kind == "AllergyIntolerance":
        _read_allergy(resource, reading)
    else:
        reading.not_understood.append(f"FHIR {kind}")


def _list(resource: Mapping[str, Any], key: str) -> list[Any]:
    value = resource.get(key)
    return value if isinstance(value, list) else []


def _void(resource: Mapping[str, Any]) -> bool:
    """Refuted, cancelled, stopped, or entered in error."""
    verification = {coding.get("code") for coding in _codings(resource.get("verificationStatus"))}
    return resource.get("status") in _VOID or bool(verification & _VOID)


def _codings(concept: Any) -> list[Mapping[str, Any]]:
    return _list(concept, "coding") if isinstance(concept, dict) else []


def _text(concept: Any) -> str:
    """The text of a concept, or else what its codes display."""
    if not isinstance(concept, dict):
        return ""
    return str(
        concept.get("text") or "; ".join(str(c["display"]) for c in _codings(concept) if c.get("display"))
    )


def _time(resource: Mapping[str, Any]) -> str | None:
    for key in ("effectiveDateTime", "issued", "dateAsserted", "authoredOn"):
        if isinstance(resource.get(key), str):
            return str(resource[key])
    period = resource.get("effectivePeriod")
    return period.get("end") or period.get("start") if isinstance(period, dict) else None


def _moment(text: str | None) -> datetime | None:
    """A FHIR date or time, its zone dropped; None when it is neither or only a year or month."""
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")).replace(tzinfo=None) if text else None
    except ValueError:
        return None


def _now(bundle: Mapping[str, Any], resources: list[Any], today: date) -> datetime:
    """When the Bundle speaks: its timestamp, or the newest time in it."""
    stamp = _moment(bundle.get("timestamp"))
    times = [moment for resource in resources if (moment := _moment(_time(resource)))]
    return stamp or max(times, default=datetime(today.year, today.month, today.day))


def _read_patient(resource: Mapping[str, Any], now: datetime, reading: _Reading) -> None:
    born = str(resource.get("birthDate") or "")
    if not born[:4].isdigit():
        raise PatientFileError("the Bundle's patient has no birthDate", "age_years is needed.")
    year, month, day = (int(part) if part.isdigit() else 1 for part in (born + "-01-01").split("-")[:3])
    age = now.year - year - ((now.month, now.day) < (month, day))
    gender = resource.get("gender")
    reading.document |= {
        "id": str(resource.get("id") or "patient"),
        "age_years": age,
        "sex": gender if gender in ("female", "male") else "unknown",
    }


def _measurements(resource: Mapping[str, Any]) -> Iterator[tuple[list[str], Mapping[str, Any]]]:
    """LOINC codes and carrier of each value; a blood pressure has its values in components."""
    for carrier in (resource, *_list(resource, "component")):
        codes = [str(c.get("code")) for c in _codings(carrier.get("code")) if "loinc" in str(c.get("system"))]
        if any(key.startswith("value") for key in carrier):
            yield codes, carrier


def _read_observation(resource: Mapping[str, Any], reading: _Reading) -> None:
    time = _time(resource)
    for codes, carrier in _measurements(resource):
        quantity = carrier.get("valueQuantity") or {}
        unit = quantity.get("code") or quantity.get("unit")
        lab = next((_LABS[code] for code in codes if code in _LABS), None)
        vital = next((_VITALS[code] for code in codes if code in _VITALS), None)
        if lab and "value" in quantity:
            unit = None if unit in ("1", "{INR}") else unit
            reading.add("labs", {"name": lab, "value": quantity["value"], "unit": unit, "time": time})
        elif vital and "value" in quantity:
            _read_vital(*vital, quantity["value"], unit, time or "", reading)
        elif _PREGNANCY in codes:
            said = [_PREGNANT.get(str(c.get("code"))) for c in _codings(carrier.get("valueCodeableConcept"))]
            reading.document["pregnant"] = next((value for value in said if value is not None), None)
        else:
            reading.not_understood.append(_text(carrier.get("code")) or "an Observation without a name")


def _read_vital(
    key: str, factors: Mapping[str, float], value: Any, unit: Any, time: str, reading: _Reading
) -> None:
    if unit not in factors:
        raise PatientFileError(f"{key} is given in {unit!r}", f"Give it in one of: {', '.join(factors)}.")
    if time >= reading.times.get(key, ""):
        reading.times[key] = time
        reading.document[key] = value * factors[unit]


def _read_condition(resource: Mapping[str, Any], reading: _Reading) -> None:
    reading.document.setdefault("conditions", [])
    concept = resource.get("code")
    text = _text(concept)
    icd10 = [c.get("code") for c in _codings(concept) if "icd-10" in str(c.get("system"))]
    foreign = [c.get("code") for c in _codings(concept) if "icd-10" not in str(c.get("system"))]
    if icd10:
        reading.add("conditions", {"code": icd10[0], "system": "icd10", "text": text})
    elif text or foreign:
        reading.add("conditions", {"code": foreign[0] if foreign else None, "system": "other", "text": text})
    else:
        reading.not_understood.append("a Condition without code and text")


def _read_medication(
    resource: Mapping[str, Any], now: datetime, drugs: Mapping[str, Any], reading: _Reading
) -> None:
    reading.document.setdefault("medications", [])
    reference = (resource.get("medicationReference") or {}).get("reference", "")
    contained = {f"#{r.get('id')}": r for r in _list(resource, "contained")}
    meant = drugs.get(reference) or contained.get(reference) or {}
    name = _text(resource.get("medicationCodeableConcept")) or _text(meant.get("code"))
    if not name:
        reading.not_understood.append(f"a {resource['resourceType']} without a name")
        return
    given = _moment(_time(resource)) if resource["resourceType"] == "MedicationAdministration" else None
    hours_ago = max(0.0, (now - given).total_seconds() / 3600) if given else None
    dose, route = _dosage(resource)
    reading.add(
        "medications", {"name": name, "dose": dose, "route": route, "last_taken_hours_ago": hours_ago}
    )


def _dosage(resource: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Dose and route of the first dosage, as written."""
    dosage = resource.get("dosage")
    first = (
        dosage if isinstance(dosage, dict) else next(iter(dosage or _list(resource, "dosageInstruction")), {})
    )
    rates = _list(first, "doseAndRate")
    quantity = first.get("dose") or (rates[0].get("doseQuantity") if rates else None) or {}
    dose = (
        f"{quantity['value']:g} {quantity.get('unit') or quantity.get('code') or ''}"
        if "value" in quantity
        else None
    )
    return dose, _text(first.get("route")) or None


def _read_allergy(resource: Mapping[str, Any], reading: _Reading) -> None:
    """An allergy; a statement that none is known gives the list, and no entry."""
    reading.document.setdefault("allergies", [])
    substance = _text(resource.get("code"))
    if substance and not substance.lower().startswith(("no known", "none")):
        reading.add("allergies", {"substance": substance})
