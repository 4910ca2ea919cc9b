"""How prone the patient is to a long QT: the score of Tisdale 2013 as a risk beside that of the ECG.

The published score (doi:10.1161/CIRCOUTCOMES.113.000152) predicts a QTc beyond 500 ms, or by 60 ms longer, in patients
of cardiac care units; it is not about torsades themselves. Up to 6 points are low, 7 to 10 moderate, 11 and more
high. In intensive care its specificity was low, its sensitivity high.

    risk = 1 - 2^(-h),   h = ((points - 6) / (11 - 6))^2 beyond 6 points

the form of the hazards in risk.py, so that it combines with theirs. That high is an alarm of 1/2 is policy, ours.
For the risk the steps of the score are ramps, as wide as what they ask for is uncertain: a potassium of 3.51 is not
safer by two points than one of 3.49, and which it was does not depend on where it came from.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from math import exp
from typing import Literal

TISDALE = "Tisdale 2013, doi:10.1161/CIRCOUTCOMES.113.000152"
LOW, HIGH = 6, 11

Level = Literal["low", "moderate", "high"]


@dataclass(frozen=True)
class TorsadeContext:
    """What the score asks for; None is unknown, never normal.

    qtcf_ms: before the dose, as the score was made with the QTc on admission. acute_mi, sepsis, heart_failure: present
    now. qtc_drug, two_qtc_drugs: whether one drug that prolongs the QTc is taken, and whether a second one is, the
    drug to be judged among them; each has its own points.
    """

    age_years: float | None = None
    female: bool | None = None
    loop_diuretic: bool | None = None
    potassium_mmol_l: float | None = None
    qtcf_ms: float | None = None
    acute_mi: bool | None = None
    sepsis: bool | None = None
    heart_failure: bool | None = None
    qtc_drug: bool | None = None
    two_qtc_drugs: bool | None = None


@dataclass(frozen=True)
class _Item:
    """points of an item: as published, and as a ramp that is at half of them where the step is."""

    most: int
    step: Callable[[float], float]
    ramp: Callable[[float], float]


def _threshold(points: int, at: float, width: float) -> _Item:
    """From `at` on upwards, or with a negative width downwards; width: over which the ramp takes e / (1 + e)."""
    return _Item(
        points,
        lambda x: points * (x >= at if width > 0 else x <= at),
        lambda x: points / (1.0 + exp(-(x - at) / width)),
    )


def _present(points: int) -> _Item:
    return _Item(points, lambda x: points * x, lambda x: points * x)


_ITEMS = {
    "age_years": _threshold(1, 68, 2.0),
    "female": _present(1),
    "loop_diuretic": _present(1),
    "potassium_mmol_l": _threshold(2, 3.5, -0.1),
    "qtcf_ms": _threshold(2, 450, 5.0),
    "acute_mi": _present(2),
    "sepsis": _present(3),
    "heart_failure": _present(3),
    "qtc_drug": _present(3),
    "two_qtc_drugs": _present(3),  # again: 21 at most in all
}


@dataclass(frozen=True)
class TorsadeRisk:
    """points: as published, of what is known, a lower bound where `unknown` is not empty; most: if all that is unknown
    were present. items: the points of each known input. risk in 0..1 by `points` with ramps, a lower bound likewise;
    None where nothing is known."""

    points: int
    most: int
    risk: float | None
    items: dict[str, int]
    unknown: tuple[str, ...]
    source: str = TISDALE


def torsade_risk(context: TorsadeContext) -> TorsadeRisk:
    """The score and the risk by it, of what is known."""
    given = {f.name: getattr(context, f.name) for f in fields(context)}
    known = {name: float(value) for name, value in given.items() if value is not None}
    unknown = tuple(name for name, value in given.items() if value is None)
    items = {name: int(_ITEMS[name].step(x)) for name, x in known.items()}
    points = sum(items.values())
    h = (max(0.0, sum(_ITEMS[name].ramp(x) for name, x in known.items()) - LOW) / (HIGH - LOW)) ** 2
    return TorsadeRisk(
        points=points,
        most=points + sum(_ITEMS[name].most for name in unknown),
        risk=1.0 - 2.0**-h if known else None,
        items=items,
        unknown=unknown,
    )


def level_of(points: int) -> Level:
    """The published category of so many points."""
    return "high" if points >= HIGH else "moderate" if points > LOW else "low"
