"""How prone this patient is to a long QT while on an action: the chart in the words of Tisdale's score."""

from collections.abc import Set

from knowledge.chart import Chart
from knowledge.conditions import Value
from knowledge.doses import GivenAction
from knowledge.drugs import load_catalogue
from knowledge.medications import resolve_medications
from tools.case import Case
from tools.results import Result
from worldmodel.torsade import Level, TorsadeContext, TorsadeRisk, level_of, torsade_risk

# A class of the catalogue: the known risks of torsades, and what else prolongs QT.
QT_DRUGS = "qt_prolonging"


class TisdaleGiven(Result):
    """Tisdale's score with what is given. points: of what is known; most: if all of `unknown` were present.

    lower_bound: something is unknown, so that `points` and `level` are the least there can be. known: the points of
    each known input, 0 where it is absent. Unknown is neither present nor absent.
    """

    points: int
    most: int
    level: Level
    level_at_most: Level
    lower_bound: bool
    known: dict[str, int]
    unknown: tuple[str, ...]
    source: str


def torsade_of(case: Case, action: GivenAction) -> TorsadeRisk:
    """The score of this patient with all that is taken and given; a drug on both counts once."""
    catalogue = load_catalogue()
    chart = Chart(case.patient, case.findings)
    listed = case.patient.medications if case.patient else None
    taken, unread = resolve_medications(listed or (), catalogue)
    sure = {drug.drug_id for drug in taken if drug.sure} | {dose.drug_id for dose in action.doses}
    perhaps = {drug.drug_id for drug in taken}
    complete = listed is not None and not unread

    def takes(drugs: Set[str], at_least: int = 1) -> bool | None:
        if len(sure & drugs) >= at_least:
            return True
        return False if complete and len((sure | perhaps) & drugs) < at_least else None

    qt_drugs = catalogue.members(QT_DRUGS)
    return torsade_risk(
        TorsadeContext(
            age_years=case.patient.age_years if case.patient else None,
            female=case.context.female,
            loop_diuretic=takes(catalogue.members("loop_diuretic")),
            potassium_mmol_l=case.context.potassium_mmol_l,
            qtcf_ms=case.measurement.intervals.qtcf_ms if case.measurement else None,
            acute_mi=_flag(chart.value("acute_mi")),
            sepsis=_flag(chart.value("sepsis")),
            heart_failure=_flag(chart.value("heart_failure")),
            qtc_drug=takes(qt_drugs),
            two_qtc_drugs=takes(qt_drugs, at_least=2),
        )
    )


def tisdale_given(risk: TorsadeRisk) -> TisdaleGiven:
    """The printable form of the score."""
    return TisdaleGiven(
        points=risk.points,
        most=risk.most,
        level=level_of(risk.points),
        level_at_most=level_of(risk.most),
        lower_bound=bool(risk.unknown),
        known=risk.items,
        unknown=risk.unknown,
        source=risk.source,
    )


def _flag(value: Value) -> bool | None:
    return None if value is None else bool(value)
