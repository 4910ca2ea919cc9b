"""One view of the patient: the facts rules read, from the patient file and the ECG.

Closed and open world: a list of diagnoses that is given is complete, so what it lacks is not the
case; labs, ECG and other measurements are open, so what is not there is unknown. ECG and chart are
joined on the safe side: a finding that either of them has is there.
"""

from collections.abc import Callable
from functools import cached_property, lru_cache

from knowledge.conditions import Value
from knowledge.diagnoses import diagnoses_in, load_diagnoses
from knowledge.findings import EcgFindings
from knowledge.labs import LABS
from knowledge.patient import Patient

Known = tuple[Value, tuple[str, ...]]  # a value, or None and the inputs that would tell it

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
        self, patient: Patient | None, findings: EcgFindings | None, taking: frozenset[str] | None = None
    ) -> None:
        """taking: the drugs surely taken and the classes they are in; None when no list was given."""
        self.patient = patient
        self.findings = findings or EcgFindings()
        self._taking = taking
        self._known: dict[str, Known] = {}

    def value(self, name: str) -> Value:
        """The value of a fact; None when it is unknown."""
        return self._look_up(name)[0]

    def missing(self, name: str) -> tuple[str, ...]:
        """The inputs, as named in the patient file or by `measure`, that an unknown fact needs."""
        return self._look_up(name)[1]

    def _look_up(self, name: str) -> Known:
        if name not in self._known:
            self._known[name] = self._read(name)
        return self._known[name]

    def _read(self, name: str) -> Known:
        if name in DERIVED:
            return DERIVED[name](self)
        if name in _LAB_OF:
            value: Value = self._labs.get(name)
            return (value, () if value is not None else (_LAB_OF[name],))
        if name in _FROM_PATIENT:
            value = getattr(self.patient, name, None)
        elif name in _FROM_ECG:
            value = getattr(self.findings, name)
        else:
            return self._diagnosis(name)
        return (value, () if value is not None else (name,))

    @cached_property
    def _labs(self) -> dict[str, float]:
        return self.patient.lab_facts() if self.patient else {}

    @cached_property
    def _entries(self) -> tuple[frozenset[str], ...]:
        """The diagnoses of each entry of the chart; what the patient is treated for counts, too."""
        if self.patient is None:
            return ()
        entries = [diagnoses_in(None, self.patient.indication or "")]
        for entry in self.patient.conditions or ():
            code = entry.code if _is_icd10(entry.system) else None
            entries.append(diagnoses_in(code, entry.text))
        return tuple(entries)

    @cached_property
    def diagnoses(self) -> frozenset[str]:
        """Diagnoses on record."""
        return frozenset().union(*self._entries)

    @property
    def ejection_fraction_in_question(self) -> bool:
        """Whether anything on record, other than heart failure with preserved EF, can go with a low EF."""
        suspect = {"heart_failure", "prior_mi", "structural_heart_disease"}
        return any(entry & suspect and "preserved_ef" not in entry for entry in self._entries)

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
        """Codes of a system that is not read here, with a text that says nothing to the rules."""
        return tuple(
            entry.code
            for entry in (self.patient.conditions or () if self.patient else ())
            if entry.code and not _is_icd10(entry.system) and not diagnoses_in(None, entry.text)
        )

    def not_understood(self) -> tuple[str, ...]:
        """Entries of the chart that no rule reads, so that none is dropped in silence."""
        if self.patient is None:
            return ()
        unread = [
            entry.text or entry.code or ""
            for entry in self.patient.conditions or ()
            if not diagnoses_in(entry.code, entry.text)
        ]
        return (*unread, *self.patient.unread_labs(), *self.patient.not_understood)


def _is_icd10(system: str) -> bool:
    return system.lower().replace("-", "").replace(" ", "").startswith("icd10")


def _seen(flag: bool | None, charted: Known) -> Known:
    """A finding of ECG and chart together: there if either has it; without ECG the chart decides."""
    if flag or charted[0]:
        return True, ()
    return (False, ()) if flag is False else charted


def _any(*parts: Known) -> Known:
    """`or` of facts."""
    if any(value for value, _ in parts):
        return True, ()
    missing = tuple(dict.fromkeys(name for value, names in parts if value is None for name in names))
    return (None, missing) if any(value is None for value, _ in parts) else (False, ())


def _in_rhythm(chart: Chart, label: str, diagnosis: str, *, now: bool) -> Known:
    """A rhythm: `now` trusts an ECG that shows another one; otherwise the chart's history counts, too."""
    rhythm = chart.findings.rhythm
    if rhythm == label:
        return True, ()
    charted = chart._look_up(diagnosis)
    if rhythm in ("unknown", "paced"):
        return charted
    return (False, ()) if now or charted[0] is None else charted


def _af(chart: Chart) -> Known:
    return _in_rhythm(chart, "atrial_fibrillation", "atrial_fibrillation_charted", now=False)


def _flutter(chart: Chart) -> Known:
    return _in_rhythm(chart, "atrial_flutter", "atrial_flutter_charted", now=False)


def _af_now(chart: Chart) -> Known:
    return _any(
        _in_rhythm(chart, "atrial_fibrillation", "atrial_fibrillation_charted", now=True),
        _in_rhythm(chart, "atrial_flutter", "atrial_flutter_charted", now=True),
    )


def _wide_qrs(chart: Chart) -> Known:
    """QRS of 120 ms and more, or a conduction abnormality on ECG or chart (dofetilide label)."""
    qrs = chart.findings.qrs_ms
    seen = chart.findings
    if (qrs is not None and qrs >= 120) or seen.lbbb or seen.rbbb or seen.paced:
        return True, ()
    if qrs is not None:
        return False, ()
    charted, missing = _any(
        chart._look_up("bundle_branch_block_charted"), chart._look_up("intraventricular_block_charted")
    )
    # A block on record without a QRS now would only relax the limits of QTc: leave it open.
    return (None, ("qrs_ms",)) if charted else (charted, missing)


def _wide_complex_tachycardia(chart: Chart) -> Known:
    """As seen; else a rate over 100 with a QRS of 120 ms and more."""
    seen = chart.findings
    if seen.wide_complex_tachycardia is not None:
        return seen.wide_complex_tachycardia, ()
    slow = None if seen.hr_bpm is None else seen.hr_bpm <= 100
    narrow = None if seen.qrs_ms is None else seen.qrs_ms < 120
    if slow or narrow:
        return False, ()
    missing = tuple(name for name, value in (("hr_bpm", slow), ("qrs_ms", narrow)) if value is None)
    return (None, missing) if missing else (True, ())


def _qtc(chart: Chart) -> Known:
    """QTc by Fridericia; Bazett's only where it is all there is."""
    seen = chart.findings
    value = seen.qtcf_ms if seen.qtcf_ms is not None else seen.qtcb_ms
    return (value, ()) if value is not None else (None, ("qtcf_ms",))


def _qtc_or_qt(chart: Chart) -> Known:
    """QTc, but QT when the heart rate is below 60 (dofetilide label)."""
    seen = chart.findings
    if seen.hr_bpm is not None and seen.hr_bpm < 60 and seen.qt_ms is not None:
        return seen.qt_ms, ()
    return _qtc(chart)


def _baseline_qtc(chart: Chart) -> float | None:
    history = chart.patient.qt_history if chart.patient else ()
    before = [entry.qtc_ms for entry in history if entry.drug is None]
    return before[0] if before else None


def _qtc_rise_ms(chart: Chart) -> Known:
    """QTc now minus the baseline of qt_history; no history means no known rise, and fires nothing."""
    now, missing = _qtc(chart)
    baseline = _baseline_qtc(chart)
    if baseline is None:
        return 0.0, ()
    return (None, missing) if now is None else (now - baseline, ())


def _qtc_rise_percent(chart: Chart) -> Known:
    rise, missing = _qtc_rise_ms(chart)
    baseline = _baseline_qtc(chart)
    if rise is None or baseline is None:
        return (None, missing) if rise is None else (0.0, ())
    return 100 * rise / baseline, ()


def _crcl(chart: Chart) -> Known:
    """Cockcroft-Gault with the actual weight, as the dofetilide and sotalol labels ask.

    CrCl = (140 - age) * weight / (72 * creatinine in mg/dL), times 0.85 in women
    (doi:10.1159/000180580). mL/min.
    """
    patient = chart.patient
    creatinine = chart._labs.get("creatinine_umol_l")
    needed = {
        "age_years": patient.age_years if patient else None,
        "sex": patient.sex if patient and patient.sex != "unknown" else None,
        "weight_kg": patient.weight_kg if patient else None,
        "creatinine": creatinine,
    }
    if patient is None or patient.weight_kg is None or creatinine is None or needed["sex"] is None:
        return None, tuple(name for name, value in needed.items() if value is None)
    crcl = (140 - patient.age_years) * patient.weight_kg / (72 * creatinine / 88.402)
    return crcl * (0.85 if patient.sex == "female" else 1.0), ()


def _crcl_per_bsa(chart: Chart) -> Known:
    """CrCl per 1.73 m2 of body surface (Mosteller: sqrt(height * weight / 3600))."""
    crcl, missing = _crcl(chart)
    height = chart.patient.height_cm if chart.patient else None
    weight = chart.patient.weight_kg if chart.patient else None
    if crcl is None or height is None or weight is None:
        return None, (*missing, *(() if height is not None else ("height_cm",)))
    return crcl * 1.73 / (height * weight / 3600) ** 0.5, ()


def _reduced_ef(chart: Chart) -> Known:
    """LVEF of 40 % and less, or HFrEF on record. Nobody echoes the healthy: without an LVEF it is
    unknown only when heart failure, an infarct or a structural disease is on record, or no list is."""
    lvef = chart.patient.lvef_percent if chart.patient else None
    if (lvef is not None and lvef <= 40) or "hfref" in chart.diagnoses:
        return True, ()
    if lvef is not None:
        return False, ()
    if not chart.charted:
        return None, ("conditions",)
    return (None, ("lvef_percent",)) if chart.ejection_fraction_in_question else (False, ())


def _low_pressure(limit_mmhg: float) -> Callable[[Chart], Known]:
    """Systolic pressure below a limit, or shock; without a pressure the chart decides."""

    def read(chart: Chart) -> Known:
        pressure = chart.patient.systolic_bp_mmhg if chart.patient else None
        shock = chart._look_up("shock")
        if pressure is not None:
            return pressure < limit_mmhg or bool(shock[0]), ()
        return _any(shock, chart._look_up("hypotension"))

    return read


def _pacemaker(chart: Chart) -> Known:
    said = chart.patient.pacemaker if chart.patient else None
    if said is not None:
        return said, ()
    if chart.findings.paced:
        return True, ()
    return chart._look_up("pacemaker_charted")


def _pregnant(chart: Chart) -> Known:
    """As said; else by the chart; men, and women outside 12 to 55 years, are not pregnant."""
    patient = chart.patient
    if patient is None:
        return None, ("pregnant",)
    if patient.pregnant is not None:
        return patient.pregnant, ()
    if "pregnancy_charted" in chart.diagnoses:
        return True, ()
    if patient.sex == "male" or not 12 <= patient.age_years <= 55:
        return False, ()
    return None, ("pregnant",)


def _female(chart: Chart) -> Known:
    if chart.patient is None or chart.patient.sex == "unknown":
        return None, ("sex",)
    return chart.patient.sex == "female", ()


def _severe_hepatic(chart: Chart) -> Known:
    grade = chart.patient.child_pugh if chart.patient else None
    return (grade == "C", ()) if grade else chart._look_up("severe_hepatic_impairment_charted")


def _renal_not_normal(chart: Chart) -> Known:
    """Renal disease on record, for drugs whose dose hangs on it when no creatinine is known."""
    return _any(chart._look_up("acute_kidney_injury"), chart._look_up("chronic_kidney_disease"))


def _on_digoxin(chart: Chart) -> Known:
    """Digoxin on the list, or in the blood."""
    return (True, ()) if chart._labs.get("digoxin_ng_ml", 0.0) > 0 else chart.takes("digoxin")


def _lab_or_chart(fact: str, holds: Callable[[float], bool], diagnosis: str) -> Callable[[Chart], Known]:
    """A finding that a lab shows; where the lab was not done the chart decides, as nobody measures

    everything in everyone. Only for labs that are not part of deciding on the drug.
    """

    def read(chart: Chart) -> Known:
        value = chart._labs.get(fact)
        return chart._look_up(diagnosis) if value is None else (holds(value), ())

    return read


def _hypocalcaemia(chart: Chart) -> Known:
    """Total calcium below 1.87 (7.5 mg/dL), ionised below 1.0 mmol/L; else by the chart."""
    total, ionised = chart._labs.get("calcium_mmol_l"), chart._labs.get("ionized_calcium_mmol_l")
    if total is None and ionised is None:
        return chart._look_up("hypocalcaemia_charted")
    return (total is not None and total < 1.87) or (ionised is not None and ionised < 1.0), ()


def _hypercalcaemia(chart: Chart) -> Known:
    """Total calcium over 2.75, ionised over 1.4 mmol/L; else by the chart."""
    total, ionised = chart._labs.get("calcium_mmol_l"), chart._labs.get("ionized_calcium_mmol_l")
    if total is None and ionised is None:
        return chart._look_up("hypercalcaemia_charted")
    return (total is not None and total > 2.75) or (ionised is not None and ionised > 1.4), ()


def _cardioversion_cleared(chart: Chart) -> Known:
    """Three weeks of anticoagulation, a clear echocardiogram, or an onset within 48 h, and said so."""
    patient = chart.patient
    if patient is None:
        return False, ()
    recent = patient.af_duration_hours is not None and patient.af_duration_hours < 48
    return bool(patient.anticoagulated_3_weeks or patient.tee_cleared or recent), ()


def _given(name: str) -> Callable[[Chart], Known]:
    """Whether a list was given at all."""

    def read(chart: Chart) -> Known:
        there = chart.patient is not None and getattr(chart.patient, name) is not None
        return (True, ()) if there else (None, (name,))

    return read


def _tisdale(points_of_drugs: int, limit: int) -> Callable[[Chart], Known]:
    """Whether the Tisdale score reaches a limit (doi:10.1161/CIRCOUTCOMES.113.000152).

    Unknown items leave a range from none to all of their points; it is unknown only inside that.
    """

    def read(chart: Chart) -> Known:
        items: list[tuple[Known, int]] = [
            (_compare(chart, "age_years", lambda years: years >= 68), 1),
            (_female(chart), 1),
            (chart.takes("loop_diuretic"), 1),
            (_compare(chart, "potassium_mmol_l", lambda value: value <= 3.5), 2),
            (_compare(chart, "qtc_ms", lambda value: value >= 450), 2),
            (chart._look_up("acute_mi"), 2),
            (chart._look_up("sepsis"), 3),
            (chart._look_up("heart_failure"), 3),
        ]
        low = points_of_drugs + sum(points for (value, _), points in items if value)
        high = low + sum(points for (value, _), points in items if value is None)
        if low >= limit:
            return True, ()
        if high < limit:
            return False, ()
        return None, tuple(
            dict.fromkeys(name for (value, names), _ in items if value is None for name in names)
        )

    return read


def _compare(chart: Chart, name: str, holds: Callable[[float], bool]) -> Known:
    value, missing = chart._look_up(name)
    return (None, missing) if value is None else (holds(float(value)), ())


def _joined(flag: str, charted: str) -> Callable[[Chart], Known]:
    return lambda chart: _seen(getattr(chart.findings, flag), chart._look_up(charted))


def _ecg_seen(chart: Chart) -> Known:
    return chart.findings.hr_bpm is not None, ()


DERIVED: dict[str, Callable[[Chart], Known]] = {
    "atrial_fibrillation": _af,
    "atrial_flutter": _flutter,
    "af_or_flutter": lambda chart: _any(_af(chart), _flutter(chart)),
    "af_or_flutter_now": _af_now,
    "av_block_2_or_3": _joined("av_block_2_or_3", "av_block_2_or_3_charted"),
    "bifascicular": _joined("bifascicular", "bifascicular_charted"),
    "preexcitation": _joined("preexcitation", "preexcitation_charted"),
    "brugada_pattern": _joined("brugada", "brugada"),
    "ventricular_fibrillation": lambda chart: _seen(chart.findings.ventricular_fibrillation, (False, ())),
    "ventricular_conduction_abnormality": _wide_qrs,
    "wide_complex_tachycardia": _wide_complex_tachycardia,
    "ecg_seen": _ecg_seen,
    "qtc_ms": _qtc,
    "qtc_or_qt_ms": _qtc_or_qt,
    "qtc_rise_ms": _qtc_rise_ms,
    "qtc_rise_percent": _qtc_rise_percent,
    "crcl_ml_min": _crcl,
    "crcl_ml_min_173": _crcl_per_bsa,
    "renal_disease": _renal_not_normal,
    "reduced_ef": _reduced_ef,
    "sbp_below_90": _low_pressure(90),
    "sbp_below_100": _low_pressure(100),
    "pacemaker": _pacemaker,
    "pregnant": _pregnant,
    "female": _female,
    "severe_hepatic_impairment": _severe_hepatic,
    "on_anticoagulant": lambda chart: chart.takes("anticoagulant"),
    "on_digoxin": _on_digoxin,
    "cardioversion_cleared": _cardioversion_cleared,
    "continuous_ecg_refused": lambda chart: (
        (chart.patient.continuous_ecg is False if chart.patient else False),
        (),
    ),
    "hypocalcaemia": _hypocalcaemia,
    "hypercalcaemia": _hypercalcaemia,
    "severe_thrombocytopenia": _lab_or_chart(
        "platelets_10e9_l", lambda value: value < 50, "severe_thrombocytopenia_charted"
    ),
    "thrombocytopenia": _lab_or_chart(
        "platelets_10e9_l", lambda value: value < 100, "thrombocytopenia_charted"
    ),
    "tisdale_7_with_one": _tisdale(3, 7),
    "tisdale_7_with_two": _tisdale(6, 7),
    "conditions": _given("conditions"),
    "medications": _given("medications"),
}


@lru_cache(maxsize=1)
def known_facts() -> frozenset[str]:
    """Every fact that a rule's condition may name."""
    return frozenset((*DERIVED, *_LAB_OF, *_FROM_PATIENT, *_FROM_ECG, *load_diagnoses()))
