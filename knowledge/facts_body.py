"""Facts of the body: kidneys, liver, pressure, electrolytes, and scores."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from knowledge.known import Known, any_of

if TYPE_CHECKING:
    from knowledge.chart import Chart


def _creatinine_clearance(weigh: Callable[["Chart"], Known]) -> Callable[["Chart"], Known]:
    """Cockcroft-Gault, in mL/min, with the weight that `weigh` reads.

    CrCl = (140 - age) * weight / (72 * creatinine in mg/dL), times 0.85 in women
    (doi:10.1159/000180580).
    """

    def read(chart: "Chart") -> Known:
        patient = chart.patient
        creatinine = chart.labs.get("creatinine_umol_l")
        weight, weightless = weigh(chart)
        missing = [
            *(() if patient else ("age_years",)),
            *(() if patient and patient.sex != "unknown" else ("sex",)),
            *weightless,
            *(() if creatinine is not None else ("creatinine",)),
        ]
        if missing or patient is None or weight is None or creatinine is None:
            return None, tuple(missing)
        crcl = (140 - patient.age_years) * weight / (72 * creatinine / 88.402)
        return crcl * (0.85 if patient.sex == "female" else 1.0), ()

    return read


def _actual_weight(chart: "Chart") -> Known:
    """As weighed: what the labels of dofetilide and sotalol ask for."""
    weight = chart.patient.weight_kg if chart.patient else None
    return (weight, ()) if weight is not None else (None, ("weight_kg",))


def _lean_weight(chart: "Chart") -> Known:
    """The ideal weight, or the actual one where that is less: what digoxin's dosing tables ask for.

    Devine's ideal weight: 50 kg in men, 45.5 kg in women, and 2.3 kg for each inch over five feet
    (doi:10.1177/106002807400801104).
    """
    weight, missing = _actual_weight(chart)
    height = chart.patient.height_cm if chart.patient else None
    if chart.patient is None or weight is None or height is None or chart.patient.sex == "unknown":
        return None, (*missing, *(() if height is not None else ("height_cm",)))
    ideal = (45.5 if chart.patient.sex == "female" else 50.0) + 2.3 * (height / 2.54 - 60)
    return min(float(weight), max(ideal, 0.0)), ()


def _adjusted_weight(chart: "Chart") -> Known:
    """Where a label names no weight: the actual one, but above 120 % of the lean weight that and two

    fifths of the rest, as is usual in the obese (from memory).
    """
    weight, _ = _actual_weight(chart)
    lean, missing = _lean_weight(chart)
    if weight is None or lean is None:
        return None, missing
    return (lean + 0.4 * (weight - lean) if weight > 1.2 * lean else weight), ()


_crcl = _creatinine_clearance(_actual_weight)


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
    """If said or charted; men, and women outside 12 to 55 years, are not pregnant unless it is said."""
    patient = chart.patient
    if patient is None:
        return None, ("pregnant",)
    if patient.pregnant or "pregnancy_charted" in chart.diagnoses:
        return True, ()
    if patient.pregnant is not None:
        return False, ()
    if patient.sex == "male" or not 12 <= patient.age_years <= 55:
        return False, ()
    return None, ("pregnant",)


def _cardiogenic_shock(chart: "Chart") -> Known:
    """On record; a shock of which no kind is said may be one."""
    charted = chart.known("cardiogenic_shock_charted")
    if charted[0] is not False:
        return charted
    kinds = {"shock", "shock_of_another_kind"}
    of_no_kind = any(entry & kinds == {"shock"} for entry in chart.entries)
    return (None, ("conditions: the kind of shock",)) if of_no_kind else (False, ())


def _medications_read(chart: "Chart") -> Known:
    """Whether every entry of the medication list names a drug of the catalogue."""
    unknown = tuple(f"medications: what is {name!r}?" for name in chart.unknown_medications)
    return (None, unknown) if unknown else (True, ())


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


def _tisdale(points_of_drugs: int, limit: int, *, loop: bool = False) -> Callable[["Chart"], Known]:
    """Whether the Tisdale score reaches a limit (doi:10.1161/CIRCOUTCOMES.113.000152). loop: with a loop diuretic.

    Unknown items leave a range from none to all of their points; it is unknown only inside that.
    """

    def read(chart: "Chart") -> Known:
        items: list[tuple[Known, int]] = [
            (_compare(chart, "age_years", lambda years: years >= 68), 1),
            (_female(chart), 1),
            ((True, ()) if loop else chart.takes("loop_diuretic"), 1),
            (_compare(chart, "potassium_mmol_l", lambda value: value <= 3.5), 2),
            (_compare(chart, "qtc_ms", lambda value: value >= 450), 2),
            (chart.known("acute_mi"), 2),
            (chart.known("sepsis"), 3),
            (any_of(chart.known("heart_failure"), _reduced_ef(chart)), 3),
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
    "crcl_lean_ml_min": _creatinine_clearance(_lean_weight),
    "crcl_adjusted_ml_min": _creatinine_clearance(_adjusted_weight),
    "crcl_ml_min_173": _crcl_per_bsa,
    "cardiogenic_shock": _cardiogenic_shock,
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
    "on_digoxin": _on_digoxin,
    "continuous_ecg_refused": _continuous_ecg_refused,
    "tisdale_7_with_one": _tisdale(3, 7),
    "tisdale_7_with_one_and_loop": _tisdale(3, 7, loop=True),
    "tisdale_7_with_two": _tisdale(6, 7),
    "conditions": _given("conditions"),
    "medications": _given("medications"),
    "medications_read": _medications_read,
}
