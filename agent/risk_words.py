"""The risks as people read them: which one a table goes by, and Tisdale's score item by item."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tools.circumstances import TisdaleGiven
    from tools.rank import RankedAction
    from tools.results import RiskUsed
    from worldmodel.scoring import RiskName

MOST = 21
FIELDS = {"intervals": "interval_risk", "labels": "label_risk", "combined": "combined_risk"}
NARROW = {"intervals": "inter-\nvals", "combined": "com-\nbined"}
ITEMS = {
    "age_years": "age 68 and over",
    "female": "female",
    "loop_diuretic": "loop diuretic",
    "potassium_mmol_l": "potassium up to 3.5 mmol/L",
    "qtcf_ms": "QTc from 450 ms before the dose",
    "acute_mi": "acute infarction",
    "sepsis": "sepsis",
    "heart_failure": "heart failure",
    "qtc_drug": "a QT drug",
    "two_qtc_drugs": "a second QT drug",
}


_CIRCUMSTANCES = "the patient's circumstances by Tisdale"


def beside(used: "RiskUsed") -> "RiskName":
    """The risk that a table shows beside the one it goes by."""
    return "intervals" if used.risk == "combined" else "combined"


def risk_legend(used: "RiskUsed") -> str:
    """What the risk goes by, and what the combined one is made of."""
    as_paper = f"by their {used.pooling} as in the paper, sinus rhythm a danger, too"
    pooled = "by sign and severity" if used.pooling == "signed" else as_paper
    labels = f"17 labels of {used.label_model.name} pooled {pooled}"
    if used.risk == "labels":
        return f"by the {labels}; combined: intervals, the labels, and {_CIRCUMSTANCES}"
    start = "by the intervals; combined:" if used.risk == "intervals" else "combined of"
    return f"{start} intervals, {labels}, and {_CIRCUMSTANCES}"


def tisdale_told(tisdale: "TisdaleGiven") -> str:
    """Such as "4 to 9 points of 21, low to moderate: female 1, heart failure 3; not: sepsis; unknown: ..."."""
    present = [f"{ITEMS[name]} {points}" for name, points in tisdale.known.items() if points]
    absent = [ITEMS[name] for name, points in tisdale.known.items() if not points]
    unknown = [ITEMS[name] for name in tisdale.unknown]
    parts = [", ".join(present) or "nothing known counts"]
    parts += [f"not {', '.join(absent)}"] if absent else []
    parts += [f"unknown, so the score is a lower bound: {', '.join(unknown)}"] if unknown else []
    return f"{_scored(tisdale)}: {'; '.join(parts)}"


def tisdale_lines(reference: "RankedAction", rows: Sequence["RankedAction"]) -> list[str]:
    """The score with no drug in full, then of the rows that differ from it by what they add."""
    groups: dict[str, list[str]] = {}
    for row in rows:
        if row.tisdale != reference.tisdale:
            groups.setdefault(_difference(reference.tisdale, row.tisdale), []).append(row.action.text)
    return [
        tisdale_told(reference.tisdale),
        *(f"{text}: {', '.join(actions)}" for text, actions in groups.items()),
    ]


def _scored(tisdale: "TisdaleGiven") -> str:
    points = f"{tisdale.points}" if tisdale.most == tisdale.points else f"{tisdale.points} to {tisdale.most}"
    levels = " to ".join(dict.fromkeys((tisdale.level, tisdale.level_at_most)))
    return f"{points} points of {MOST}, {levels}"


def _difference(reference: "TisdaleGiven", tisdale: "TisdaleGiven") -> str:
    more = [
        f"{ITEMS[name]} {points}"
        for name, points in tisdale.known.items()
        if points and reference.known.get(name) != points
    ]
    return f"{_scored(tisdale)}, with {', '.join(more)}"
