"""The goals of the world model, and whether what was measured meets them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

from pydantic import Field

from tools.results import Result, rounded

if TYPE_CHECKING:
    from worldmodel.evaluation.comparison import Comparison
    from worldmodel.evaluation.fidelity import FidelityRow
    from worldmodel.evaluation.forecast_scores import Statistic
    from worldmodel.evaluation.missing_leads import MissingRow
    from worldmodel.evaluation.roll_outs import StepRow
    from worldmodel.pharmacology import Action

NAMES = {
    "qtcf_ms": "QTcF",
    "jtpeakc_ms": "J-Tpeakc",
    "tpeak_tend_ms": "Tpeak-Tend",
    "pr_ms": "PR",
    "qrs_ms": "QRS",
    "hr_bpm": "HR",
    "qt_ms": "QT",
}
MISTAKEN_PRIORS = {"prior halved": 0.5, "prior doubled": 2.0, "prior reversed": -1.0}
LEFT_OUT = "left-out drug"
SPREAD_OF = ("qtcf_ms", "tpeak_tend_ms", "pr_ms")
KEPT = ("qt_ms", "pr_ms", "qrs_ms", "tpeak_tend_ms")


class GoalRow(Result):
    """One row: ours beside the others. met, stretch_met: None where nothing is asked or known.

    ci95: where 95 % of the value's resamples over patients lie. why_not: why there is no value.
    """

    name: str
    unit: str
    goal: str | None
    stretch: str | None
    value: float | None
    ci95: tuple[float, float] | None = None
    met: bool | None = None
    stretch_met: bool | None = None
    beside: dict[str, float | None] = Field(default_factory=dict)
    why_not: str | None = None


@dataclass(frozen=True)
class Range:
    """What is asked of a value, both limits included."""

    low: float | None = None
    high: float | None = None

    def __str__(self) -> str:
        if self.low is None:
            return f"≤ {self.high:g}"
        return f"≥ {self.low:g}" if self.high is None else f"{self.low:g}–{self.high:g}"

    def holds(self, value: float | None) -> bool | None:
        if value is None:
            return None
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)


def at_most(high: float) -> Range:
    return Range(high=high)


def at_least(low: float) -> Range:
    return Range(low=low)


@dataclass(frozen=True)
class Asked:
    """A row of the table before it is filled."""

    name: str
    unit: str
    digits: int
    goal: Range | None = None
    stretch: Range | None = None

    def row(
        self,
        value: float | None,
        ci95: tuple[float, float] | None = None,
        beside: Mapping[str, float | None] | None = None,
        why_not: str | None = None,
    ) -> GoalRow:
        """Judged as printed, after rounding, so that no table says "3.0 of at most 3: no"."""
        value = _known(value, self.digits)
        low, high = (_known(limit, self.digits) for limit in ci95 or (None, None))
        return GoalRow(
            name=self.name,
            unit=self.unit,
            goal=str(self.goal) if self.goal else None,
            stretch=str(self.stretch) if self.stretch else None,
            value=value,
            ci95=None if low is None or high is None else (low, high),
            met=self.goal.holds(value) if self.goal else None,
            stretch_met=self.stretch.holds(value) if self.stretch else None,
            beside={name: _known(other, self.digits) for name, other in (beside or {}).items()},
            why_not=why_not if value is None else None,
        )


def goal_rows(
    compared: "Comparison",
    actions: "Mapping[str, Action]",
    missing: "Sequence[MissingRow]",
    rolled: "Sequence[StepRow]",
    kept: "Sequence[FidelityRow]",
    why_not_kept: str | None,
    wrong_signs: Sequence[str],
    seed: int,
) -> tuple[GoalRow, ...]:
    """The whole table. wrong_signs: effects of left-out drugs whose sign is wrong."""
    return (
        *_compared_rows(compared, actions, seed),
        *_belief_rows(compared, actions, wrong_signs),
        _rolled_row(rolled),
        *_missing_rows(missing),
        *_kept_rows(kept, why_not_kept),
    )


def _compared_rows(compared: "Comparison", actions: "Mapping[str, Action]", seed: int) -> list[GoalRow]:
    import numpy as np

    from worldmodel.evaluation import forecast_scores as scores
    from worldmodel.evaluation.effects import OURS

    drugs = np.array([bool(action.drugs) for action in actions.values()])
    asked: list[tuple[Asked, Statistic]] = []
    for interval, most in {
        "qtcf_ms": 3,
        "jtpeakc_ms": 3,
        "tpeak_tend_ms": 3,
        "pr_ms": 2,
        "qrs_ms": 2,
    }.items():
        goal = Asked(f"{NAMES[interval]} bias", "ms", 1, at_most(most), at_most(1.5))
        asked.append((goal, scores.rms_bias(interval, drugs)))
    asked += [
        (Asked("HR bias", "bpm", 1, at_most(1.5), at_most(1.0)), scores.rms_bias("hr_bpm", drugs)),
        (Asked("false QTcF", "ms", 1, at_most(2), at_most(1)), scores.false_effect(~drugs)),
    ]
    for interval in SPREAD_OF:
        goal = Asked(f"{NAMES[interval]} spread", "x", 2, Range(0.85, 1.15), Range(0.95, 1.05))
        asked.append((goal, scores.spread_ratio(interval)))
    for interval in SPREAD_OF:
        for share, around in ((80, 3), (90, 3)):
            goal = Asked(
                f"{NAMES[interval]} in {share} %",
                "%",
                1,
                Range(share - around, share + around),
                Range(share - 1, share + 1),
            )
            asked.append((goal, scores.coverage(interval, share / 100)))
    asked += [(Asked(f"{NAMES[i]} PIT SD", "x", 2), scores.pit_sd(i)) for i in SPREAD_OF]
    asked += [
        (Asked("r QTcF of ceiling", "x", 3, at_least(0.95), at_least(1.0)), scores.of_ceiling),
        (Asked("r QTcF change", "", 3), scores.correlation),
        (Asked("r its ceiling", "", 3), scores.ceiling),
        (Asked("delta-risk r", "", 2, at_least(0.85), at_least(0.95)), scores.risk_pearson),
        (Asked("delta-risk sign", "%", 1, at_least(88), at_least(95)), scores.risk_sign),
    ]
    rows = []
    for goal, statistic in asked:
        value, *ci95 = scores.estimate(statistic, compared, OURS, seed)
        believing = (*MISTAKEN_PRIORS, LEFT_OUT)
        rivals = [
            name
            for name in compared.predicted
            if name != OURS and name not in believing and statistic is not scores.ceiling
        ]
        others = {name: scores.value_of(statistic, compared, name) for name in rivals}
        rows.append(goal.row(value, (ci95[0], ci95[1]), others))
    for goal, under in (
        (Asked("recognised", "%", 1, at_least(99), at_least(100)), ~drugs),
        (Asked("recognised, drug", "%", 1), drugs),
    ):
        by = {
            name: scores.recognised(compared, name, under)
            for name in compared.predicted
            if name not in believing
        }
        rows.append(goal.row(by.pop(OURS), beside=by))
    return rows


def _belief_rows(
    compared: "Comparison", actions: "Mapping[str, Action]", wrong_signs: Sequence[str]
) -> list[GoalRow]:
    """QTcF bias of contestants that believe otherwise; of a left-out drug the largest, and signs."""
    import numpy as np

    from worldmodel.evaluation import forecast_scores as scores
    from worldmodel.evaluation.unseen import MEASURED

    drugs = np.array([bool(action.drugs) for action in actions.values()])
    rows = [
        Asked(f"{name}: QTcF", "ms", 1, at_most(6), at_most(3)).row(
            scores.value_of(scores.rms_bias("qtcf_ms", drugs), compared, name)
        )
        for name in MISTAKEN_PRIORS
        if name in compared.predicted
    ]
    if LEFT_OUT in compared.predicted:
        qtcf = MEASURED.index("qtcf_ms")
        each = np.abs(scores.biases(compared, LEFT_OUT)[:, qtcf][drugs]).tolist()
        of_each = dict(zip((name for name, action in actions.items() if action.drugs), each, strict=True))
        rows.append(
            Asked(f"{LEFT_OUT}: QTcF", "ms", 1, at_most(12), at_most(8)).row(max(each), beside=of_each)
        )
        asked = Asked(f"{LEFT_OUT}: wrong signs", "", 0, at_most(0), at_most(0))
        rows.append(asked.row(float(len(wrong_signs)), beside=dict.fromkeys(wrong_signs)))
    return rows


def _rolled_row(rolled: "Sequence[StepRow]") -> GoalRow:
    """RMSE of the last step over what its own spread says; the limit is what chance allows so few patients."""
    last = rolled[-1]
    name = f"roll-out, step {last.step}"
    if not last.patients:
        return Asked(name, "x", 2).row(None, why_not="no roll-out could be measured to its end")
    return Asked(name, "x", 2, at_most(round(last.largest_by_chance, 2))).row(
        last.rolled_rmse_ms / last.rolled_spread_ms,
        beside={"oracle": last.oracle_rmse_ms / last.oracle_spread_ms},
    )


def _missing_rows(missing: "Sequence[MissingRow]") -> list[GoalRow]:
    """The largest bias of any single lead, and of any pair."""
    rows = []
    for name, leads, most in (("one lead missing", 1, 3), ("two leads missing", 2, 4)):
        sizes = [abs(row.bias_ms) for row in missing if len(row.leads) == leads and row.bias_ms is not None]
        asked = Asked(name, "ms", 1, at_most(most), at_most(2))
        rows.append(asked.row(max(sizes, default=None), why_not="nothing could be simulated without them"))
    return rows


def _kept_rows(kept: "Sequence[FidelityRow]", why_not: str | None) -> list[GoalRow]:
    rows = []
    for row in kept:
        if row.interval not in KEPT:
            continue
        bias, sd = (None if x is None else abs(x) for x in (row.bias_ms, row.sd_ms))
        name = NAMES[row.interval]
        rows.append(Asked(f"VAE {name} bias", "ms", 1, at_most(1), at_most(1)).row(bias, why_not=why_not))
        rows.append(Asked(f"VAE {name} SD", "ms", 1, at_most(3), at_most(2)).row(sd, why_not=why_not))
    return rows


def _known(value: float | None, digits: int) -> float | None:
    return None if value is None or not isfinite(value) else rounded(value, digits)
