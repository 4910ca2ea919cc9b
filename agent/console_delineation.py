"""`evaluate delineation` in the terminal: for each set waves found, errors of points, intervals, beside NeuroKit2."""

from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from agent.console import PLAIN
from agent.wording import UNKNOWN, number

if TYPE_CHECKING:
    from tools.delineation_scores import DelineationResult, Estimated, SetScored

WAVES = {"p": "P", "qrs": "QRS", "t": "T"}
POINTS = {
    "p_on": "P on",
    "p_peak": "P peak",
    "p_off": "P off",
    "qrs_on": "QRS on",
    "qrs_off": "QRS off",
    "t_peak": "T peak",
    "t_end": "T end",
}
INTERVALS = {
    "pr_ms": "PR",
    "qrs_ms": "QRS",
    "qt_ms": "QT",
    "qt_tangent_ms": "QTtan",
    "tpeak_ms": "Q–Tpeak",
    "r_tpeak_ms": "R–Tpeak",
}


def print_delineation(console: Console, result: "DelineationResult") -> None:
    """Set by set; what the numbers mean stands once below them."""
    for one in result.sets:
        _line(console, f"{one.name}: {one.records} recordings, {one.sinus_records} in sinus rhythm", "bold")
        _line(console, one.about, "dim")
        console.print()
        _print_detection(console, one)
        _print_points(console, one)
        _print_compared(console, one)
        _print_intervals(console, one)
        for row in one.no_pr:
            _line(
                console,
                f"No PR in fibrillation, flutter or pacing, {row.delineator}: {row.null} of {row.records}",
            )
        for name, leads in one.failed_leads.items():
            if leads:
                _line(console, f"{name} raised on {leads} leads; their waves count as missed.")
        console.print()
    for text in (
        f"Waves are found within {result.window_ms} ms of the marked peak; errors are read - marked, in ms.",
        f"In brackets: 95 % of {result.resamples} resamples of the recordings, seed {result.seed}.",
        "MAE, med: mean and median absolute error. CSE: two SD of cardiologists, the most an SD should be.",
        "Intervals are those of sinus rhythm; Q–Tpeak: QRS onset to T peak.",
    ):
        _line(console, text)
    if result.neurokit.version is None:
        _line(console, f"NeuroKit2 not run: {result.neurokit.why_not}")
    else:
        _line(
            console,
            f"NK2: NeuroKit2 {result.neurokit.version}, ecg_clean, ecg_peaks, ecg_delineate(dwt), lead by lead.",
        )


def _print_detection(console: Console, one: "SetScored") -> None:
    table = _table("wave", "by", "marks", "Se %", "PPV %", "F1 %", "goal")
    for row in one.detection:
        table.add_row(
            WAVES[row.wave],
            _by(row.delineator),
            str(row.marks),
            *(f"{100 * known.value:.1f}" if known else "–" for known in (row.sensitivity, row.ppv)),
            _estimate(row.f1, 1, 100),
            f"{100 * row.f1_goal:g} {_yes(row.f1_reached)}",
        )
    _print(console, table)


def _print_points(console: Console, one: "SetScored") -> None:
    table = _table("point", "by", "read", "mean", "SD", "CSE", "MAE", "med")
    for row in one.points:
        table.add_row(
            POINTS[row.point],
            _by(row.delineator),
            str(row.read),
            _value(row.mean_ms, signed=True),
            _estimate(row.sd_ms),
            f"{number(row.tolerance_sd_ms, 1)} {_yes(row.within_tolerance)}".strip(),
            _estimate(row.mae_ms),
            _value(row.median_abs_ms),
        )
    _print(console, table)


def _print_compared(console: Console, one: "SetScored") -> None:
    table = _table("read by both", "marks", "MAE ours", "MAE NK2", "ours - NK2")
    for row in one.compared:
        table.add_row(
            POINTS[row.point],
            str(row.marks),
            _value(row.ours_mae_ms),
            _value(row.neurokit_mae_ms),
            _estimate(row.difference_ms, signed=True),
        )
    _print(console, table)


def _print_intervals(console: Console, one: "SetScored") -> None:
    table = _table("interval", "by", "read", "bias", "SD", "MAE", "med", "goal")
    for row in one.intervals:
        table.add_row(
            INTERVALS[row.interval],
            _by(row.delineator),
            f"{row.answered}/{row.asked}",
            _estimate(row.bias_ms, signed=True),
            _value(row.sd_ms),
            _estimate(row.mae_ms),
            _value(row.median_abs_ms),
            _yes(row.reached),
        )
    if one.intervals:
        console.print(table)
    for goal in dict.fromkeys(row.goal for row in one.intervals if row.goal is not None):
        _line(console, f"goal: {goal} ms")
    kept = ((INTERVALS[row.interval], row.confidence) for row in one.intervals if row.confidence)
    for interval, confidence in kept:
        _line(
            console,
            f"confidence of {interval}: {confidence.mean:.0%} in the mean; "
            f"{confidence.within:.0%} lie within {confidence.tolerance_ms:g} ms of the marks",
        )
    console.print()


def _table(*headings: str) -> Table:
    options: dict[str, Any] = PLAIN
    table = Table(**options)
    for heading in headings:
        left = heading in (headings[0], "by")
        table.add_column(heading, justify="left" if left else "right", overflow="fold")
    return table


def _print(console: Console, table: Table) -> None:
    if table.row_count:
        console.print(table)
        console.print()


def _line(console: Console, text: str, style: str = "") -> None:
    console.print(Text(text, style), highlight=False)


def _value(estimate: "Estimated | None", *, signed: bool = False) -> str:
    return UNKNOWN if estimate is None else number(estimate.value, 1, signed=signed)


def _estimate(
    estimate: "Estimated | None", digits: int = 1, times: float = 1, *, signed: bool = False
) -> str:
    """ "8.3 (7.9–8.8)"; of signed ones "-1.2 (-2.0..-0.4)"."""
    if estimate is None:
        return UNKNOWN
    low, high = (number(times * limit, digits, signed=signed) for limit in estimate.ci95)
    between = ".." if signed else "–"
    return f"{number(times * estimate.value, digits, signed=signed)} ({low}{between}{high})"


def _by(delineator: str) -> str:
    return {"NeuroKit2": "NK2"}.get(delineator, delineator)


def _yes(reached: bool | None) -> str:
    return "" if reached is None else ("yes" if reached else "no")
