"""One view of the patient: the facts rules read, from the patient file and the ECG.

Closed and open world: a list of diagnoses that is given is complete, so what it lacks is not the
case; labs, ECG and other measurements are open, so what is not there is unknown. ECG and chart are
joined on the safe side: a finding that either of them has is there.
"""

from functools import cached_property, lru_cache

from knowledge.conditions import Value
from knowledge.diagnoses import diagnoses_in, load_diagnoses
from knowledge.facts_body import BODY
from knowledge.facts_heart import HEART
from knowledge.findings import EcgFindings
from knowledge.known import Known
from knowledge.labs import LABS
from knowledge.patient import Patient

DERIVED = HEART | BODY
_LAB_OF = {lab.fact: name for name, lab in LABS.items()}
_FROM_PATIENT = (
    "age_years",
    "weight_kg",
    "lvef_percent",
    "systolic_bp_mmhg",
    "continuous_ecg",
    "af_duration_hours",
    "anticoagulated_3_weeks",
    "tee_cleared",
)
_FROM_ECG = ("hr_bpm", "pr_ms", "qrs_ms", "qt_ms", "qtcf_ms", "qtcb_ms")
# The lists a chart may lack altogether, as opposed to a measurement it lacks.
LISTS = frozenset(("conditions", "medications", "allergies"))


class Chart:
    """The facts of one patient, each computed once. Both parts may be missing."""

    def __init__(
        self,
        patient: Patient | None,
        findings: EcgFindings | None,
        taking: frozenset[str] | None = None,
        unknown_medications: tuple[str, ...] = (),
    ) -> None:
        """taking: the drugs surely taken and the classes they are in; None when no list was given.

        unknown_medications: entries of that list that name no drug of the catalogue.
        """
        self.patient = patient
        self.findings: EcgFindings = findings or EcgFindings()
        self._taking = taking
        self.unknown_medications = unknown_medications
        self._facts: dict[str, Known] = {}

    def value(self, name: str) -> Value:
        """The value of a fact; None when it is unknown."""
        return self.known(name)[0]

    def missing(self, name: str) -> tuple[str, ...]:
        """The inputs, as named in the patient file or by `measure`, that an unknown fact needs."""
        return self.known(name)[1]

    def known(self, name: str) -> Known:
        """The value of a fact and, where it is unknown, the inputs it needs; worked out once."""
        if name not in self._facts:
            self._facts[name] = self._read(name)
        return self._facts[name]

    def _read(self, name: str) -> Known:
        if name in DERIVED:
            return DERIVED[name](self)
        if name in _LAB_OF:
            value: Value = self.labs.get(name)
            return (value, () if value is not None else (_LAB_OF[name],))
        if name in _FROM_PATIENT:
            value = getattr(self.patient, name, None)
        elif name in _FROM_ECG:
            value = getattr(self.findings, name)
        else:
            return self._diagnosis(name)
        return (value, () if value is not None else (name,))

    @cached_property
    def labs(self) -> dict[str, float]:
        """The newest labs, by fact."""
        return self.patient.lab_facts() if self.patient else {}

    @cached_property
    def entries(self) -> tuple[frozenset[str], ...]:
        """The diagnoses of each entry of the chart; what the patient is treated for counts, too."""
        if self.patient is None:
            return ()
        entries = [diagnoses_in(None, self.patient.indication or "")]
        for entry in self.patient.conditions or ():
            entries.append(diagnoses_in(entry.code if _is_read(entry.system) else None, entry.text))
        return tuple(entries)

    @cached_property
    def diagnoses(self) -> frozenset[str]:
        """Diagnoses on record."""
        return frozenset().union(*self.entries)

    @property
    def ejection_fraction_in_question(self) -> bool:
        """Whether anything on record, other than heart failure with preserved EF, can go with a low EF."""
        suspect = {"heart_failure", "prior_mi", "structural_heart_disease"}
        return any(entry & suspect and "preserved_ef" not in entry for entry in self.entries)

    def takes(self, name: str) -> Known:
        """Whether a drug, or one of a class, is among the medications."""
        return (None, ("medications",)) if self._taking is None else (name in self._taking, ())

    @property
    def charted(self) -> bool:
        """Whether a list of diagnoses was given, and so is complete."""
        return self.patient is not None and self.patient.conditions is not None

    def _diagnosis(self, name: str) -> Known:
        if name in self.diagnoses:
            return True, ()
        return (False, ()) if self.charted else (None, ("conditions",))

    def unreadable(self) -> tuple[str, ...]:
        """Codes without a text, of a system that is not read here, or of SNOMED and not among those read."""
        return tuple(
            entry.code
            for entry in (self.patient.conditions or () if self.patient else ())
            if entry.code and not entry.text and not _is_understood(entry.code, entry.system)
        )

    def not_understood(self) -> tuple[str, ...]:
        """Entries of the chart that no rule reads, so that none is dropped in silence."""
        if self.patient is None:
            return ()
        unread = [
            entry.text or entry.code or ""
            for entry in self.patient.conditions or ()
            if not diagnoses_in(entry.code if _is_read(entry.system) else None, entry.text)
        ]
        return (*unread, *self.patient.unread_labs(), *self.patient.not_understood)


def _is_icd10(system: str) -> bool:
    return system.lower().replace("-", "").replace(" ", "").startswith("icd10")


def _is_read(system: str) -> bool:
    return _is_icd10(system) or "snomed" in system.lower()


def _is_understood(code: str, system: str) -> bool:
    """Every code of ICD-10 is: one that no rule reads is of no consequence. Of SNOMED only some are known."""
    return _is_icd10(system) or (_is_read(system) and bool(diagnoses_in(code, "")))


@lru_cache(maxsize=1)
def known_facts() -> frozenset[str]:
    """Every fact that a rule's condition may name."""
    return frozenset((*DERIVED, *_LAB_OF, *_FROM_PATIENT, *_FROM_ECG, *load_diagnoses()))
