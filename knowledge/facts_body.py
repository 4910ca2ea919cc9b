"""Facts of the body: kidneys, liver, pressure, electrolytes, and scores."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from knowledge.known import Known, any_of

if TYPE_CHECKING:
    from knowledge.chart import Chart


def _crcl(chart: "Chart") -> Known:
    """Cockcroft-Gault with the actual weight, as the dofetilide and sotalol labels ask.

    CrCl = (140 - age) * weight / (72 * creatinine in mg/dL), times 0.85 in women
    (doi:10.1159/000180580). mL/min.
    """
    patient = chart.patient
    creatinine = chart.labs.get("creatinine_umol_l")
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


def _crcl_per_bsa(chart: "Chart") -> Known:
    """CrCl per 1.73 m2 of body surface (Mosteller: sqrt(height * weight / 3600))."""
    crcl, missing = _crcl(chart)
    height = chart.patient.height_cm if chart.patient else None
    weight = chart.patient.weight_kg if chart.patient else None
    if crcl is None or height is None or weight is None:
        return None, (*missing, *(() if height is not None else ("height_cm",)))
    return crcl * 1.73 / (height * weight / 3600) ** 0.5, ()


def _reduced_ef(chart: "Chart") -> Known:
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


def _low_pressure(limit_mmhg: float) -> Callable[["Chart"], Known]:
    """Systolic pressure below a limit, or shock; without a pressure the chart decides."""

    def read(chart: "Chart") -> Known:
        pressure = chart.patient.systolic_bp_mmhg if chart.patient else None
        shock = chart.known("shock")
        if pressure is not None:
            return pressure < limit_mmhg or bool(shock[0]), ()
        return any_of(shock, chart.known("hypotension"))

    return read


def _pregnant(chart: "Chart") -> Known:
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


def _female(chart: "Chart") -> Known:
    if chart.patient is None or chart.patient.sex == "unknown":
        return None, ("sex",)
    return chart.patient.sex == "female", ()


def _severe_hepatic(chart: "Chart") -> Known:
    grade = chart.patient.child_pugh if chart.patient else None
    return (grade == "C", ()) if grade else chart.known("severe_hepatic_impairment_charted")


def _on_digoxin(chart: "Chart") -> Known:
    """Digoxin on the list, or in the blood."""
    return (True, ()) if chart.labs.get("digoxin_ng_ml", 0.0) > 0 else chart.takes("digoxin")


def _lab_or_chart(fact: str, holds: Callable[[float], bool], diagnosis: str) -> Callable[["Chart"], Known]:
    """A finding that a lab shows; where the lab was not done the chart decides, as nobody measures

    everything in everyone. Only for labs that are not part of deciding on the drug.
    """

    def read(chart: "Chart") -> Known:
        value = chart.labs.get(fact)
        return chart.known(diagnosis) if value is None else (holds(value), ())

    return read


def _hypocalcaemia(chart: "Chart") -> Known:
    """Total calcium below 1.87 (7.5 mg/dL), ionised below 1.0 mmol/L; else by the chart."""
    total, ionised = chart.labs.get("calcium_mmol_l"), chart.labs.get("ionized_calcium_mmol_l")
    if total is None and ionised is None:
        return chart.known("hypocalcaemia_charted")
    return (total is not None and total < 1.87) or (ionised is not None and ionised < 1.0), ()


def _hypercalcaemia(chart: "Chart") -> Known:
    """Total calcium over 2.75, ionised over 1.4 mmol/L; else by the chart."""
    total, ionised = chart.labs.get("calcium_mmol_l"), chart.labs.get("ionized_calcium_mmol_l")
    if total is None and ionised is None:
        return chart.known("hypercalcaemia_charted")
    return (total is not None and total > 2.75) or (ionised is not None and ionised > 1.4), ()


def _given(name: str) -> Callable[["Chart"], Known]:
    """Whether a list was given at all."""

    def read(chart: "Chart") -> Known:
        there = chart.patient is not None and getattr(chart.patient, name) is not None
        return (True, ()) if there else (None, (name,))

    return read


def _continuous_ecg_refused(chart: "Chart") -> Known:
    """Said to be off the monitor; not said is not that."""
    return chart.patient is not None and chart.patient.continuous_ecg is False, ()


def _tisdale(points_of_drugs: int, limit: int) -> Callable[["Chart"], Known]:
    """Whether the Tisdale score reaches a limit (doi:10.1161/CIRCOUTCOMES.113.000152).

    Unknown items leave a range from none to all of their points; it is unknown only inside that.
    """

    def read(chart: "Chart") -> Known:
        items: list[tuple[Known, int]] = [
            (_compare(chart, "age_years", lambda years: years >= 68), 1),
            (_female(chart), 1),
            (chart.takes("loop_diuretic"), 1),
            (_compare(chart, "potassium_mmol_l", lambda value: value <= 3.5), 2),
            (_compare(chart, "qtc_ms", lambda value: value >= 450), 2),
            (chart.known("acute_mi"), 2),
            (chart.known("sepsis"), 3),
            (chart.known("heart_failure"), 3),
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


def _compare(chart: "Chart", name: str, holds: Callable[[float], bool]) -> Known:
    value, missing = chart.known(name)
    return (None, missing) if value is None else (holds(float(value)), ())


BODY: dict[str, Callable[["Chart"], Known]] = {
    "female": _female,
    "pregnant": _pregnant,
    "crcl_ml_min": _crcl,
    "crcl_ml_min_173": _crcl_per_bsa,
    "severe_hepatic_impairment": _severe_hepatic,
    "reduced_ef": _reduced_ef,
    "sbp_below_90": _low_pressure(90),
    "sbp_below_100": _low_pressure(100),
    "hypocalcaemia": _hypocalcaemia,
    "hypercalcaemia": _hypercalcaemia,
    "severe_thrombocytopenia": _lab_or_chart(
        "platelets_10e9_l", lambda value: value < 50, "severe_thrombocytopenia_charted"
    ),
    "thrombocytopenia": _lab_or_chart(
        "platelets_10e9_l", lambda value: value < 100, "thrombocytopenia_charted"
    ),
    "on_anticoagulant": lambda chart: chart.takes("anticoagulant"),
    "on_digoxin": _on_digoxin,
    "continuous_ecg_refused": _continuous_ecg_refused,
    "tisdale_7_with_one": _tisdale(3, 7),
    "tisdale_7_with_two": _tisdale(6, 7),
    "conditions": _given("conditions"),
    "medications": _given("medications"),
}
