"""FHIR R4 Bundles as patient files: what the rules read, and the names of what was not understood.

A Bundle that holds no Condition, medication or AllergyIntolerance at all says nothing about them:
that list is then unknown, not empty.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from knowledge.drugs import load_catalogue
from knowledge.errors import PatientFileError
from knowledge.labs import plain_utc
from knowledge.names import find_drugs_in

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
_VOID = {"entered-in-error", "cancelled", "not-taken", "not-done", "refuted", "draft", "intended"}
_ENDED = {"stopped", "completed", "ended"}
_NO_ALLERGY = {"716186003", "409137002"}  # SNOMED: no known allergy, no known drug allergy
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
    """When it was, as written; a year or a month alone is its first day."""
    said = [resource.get(key) for key in ("effectiveDateTime", "issued", "dateAsserted", "authoredOn")]
    period = resource.get("effectivePeriod")
    said += [period.get("end"), period.get("start")] if isinstance(period, dict) else []
    text = next((text for text in said if isinstance(text, str)), None)
    return text + "-01-01"[len(text) - 4 :] if text and len(text) in (4, 7) else text


def _moment(text: str | None) -> datetime | None:
    """A FHIR date or time, in UTC where it has a zone, without one; None when it is neither."""
    try:
        return plain_utc(datetime.fromisoformat(text.replace("Z", "+00:00"))) if text else None
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
        value = _value(quantity)
        if quantity.get("comparator"):
            name = _text(carrier.get("code")) or lab or "a value"
            bound = f"{name} {quantity['comparator']} {quantity.get('value')}"
            reading.not_understood.append(f"{bound}: only a bound, read as just beyond it")
        if lab and value is not None:
            unit = None if unit in ("1", "{INR}") else unit
            reading.add("labs", {"name": lab, "value": value, "unit": unit, "time": time})
        elif vital and value is not None:
            _read_vital(*vital, value, unit, time or "", reading)
        elif _PREGNANCY in codes:
            said = [_PREGNANT.get(str(c.get("code"))) for c in _codings(carrier.get("valueCodeableConcept"))]
            reading.document["pregnant"] = next((value for value in said if value is not None), None)
        else:
            reading.not_understood.append(_text(carrier.get("code")) or "an Observation without a name")


def _value(quantity: Mapping[str, Any]) -> Any:
    """The value; of a bound such as "> 6.0" the next number beyond it, so that limits are passed."""
    value, comparator = quantity.get("value"), str(quantity.get("comparator") or "")
    if not comparator or isinstance(value, bool) or not isinstance(value, int | float):
        return value
    return math.nextafter(float(value), math.inf if comparator.startswith(">") else -math.inf)


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
    codings = [(str(c["code"]), _system(c)) for c in _codings(concept) if c.get("code")]
    known = [coding for coding in codings if coding[1] != "other"] or codings[:1]
    for code, system in known:
        reading.add("conditions", {"code": code, "system": system, "text": text})
    if text and not known:
        reading.add("conditions", {"text": text})
    if not text and not known:
        reading.not_understood.append("a Condition without code and text")


def _system(coding: Mapping[str, Any]) -> str:
    """icd10 | snomed | other."""
    system = str(coding.get("system")).lower()
    return "icd10" if "icd-10" in system else "snomed" if "snomed" in system else "other"


def _read_medication(
    resource: Mapping[str, Any], now: datetime, drugs: Mapping[str, Any], reading: _Reading
) -> None:
    reading.document.setdefault("medications", [])
    reference = (resource.get("medicationReference") or {}).get("reference", "")
    contained = {f"#{r.get('id')}": r for r in _list(resource, "contained")}
    meant = drugs.get(reference) or contained.get(reference) or {}
    concept = resource.get("medicationCodeableConcept") or meant.get("code")
    taken = _last_taken(resource)
    hours_ago = max(0.0, (now - taken).total_seconds() / 3600) if taken else None
    dose, route = _dosage(resource)
    # A medication that has no name is not one that is not taken: the mask has to hear of it.
    for name in _drug_names(concept) or [f"a {resource['resourceType']} without a name"]:
        entry = {"name": name, "dose": dose, "route": route, "last_taken_hours_ago": hours_ago}
        reading.add("medications", entry)


def _last_taken(resource: Mapping[str, Any]) -> datetime | None:
    """When it was given, or when a medication that has ended ended; None when it is still taken, or not said."""
    if resource["resourceType"] == "MedicationAdministration":
        period = resource.get("effectivePeriod") or {}
        return _moment(_time(resource) or period.get("start"))
    if resource.get("status") not in _ENDED:
        return None
    periods = (resource.get("effectivePeriod"), (resource.get("dispenseRequest") or {}).get("validityPeriod"))
    return next((_moment(period["end"]) for period in periods if period and period.get("end")), None)


def _drug_names(concept: Any) -> list[str]:
    """What a concept calls a drug: by its text, and by its RxNorm codes where they say another drug."""
    text, named = _text(concept), []
    for coding in _codings(concept):
        if "rxnorm" in str(coding.get("system")).lower() and coding.get("code"):
            drug = next((d for d in load_catalogue() if d.rxcui == str(coding["code"])), None)
            if drug is not None and drug.name.lower() not in text.lower():
                named.append(drug.name)
            elif drug is None and not text:
                named.append(f"code {coding['code']} of RxNorm")
    if text and not any(find_drugs_in(text, load_catalogue())) and named:
        return named
    return [*([text] if text else []), *named]


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
    concept = resource.get("code")
    codes = {str(coding.get("code")) for coding in _codings(concept)}
    if codes & _NO_ALLERGY or _text(concept).lower().startswith(("no known", "none")):
        return
    # An allergy of which only a code is known is one all the same: the mask says that it was not looked at.
    for substance in _drug_names(concept) or [f"code {code}" for code in sorted(codes)] or ["code missing"]:
        reading.add("allergies", {"substance": substance})
