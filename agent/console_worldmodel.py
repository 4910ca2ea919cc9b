"""`evaluate worldmodel` in the terminal: goals, rivals, effects, leads, roll-out, in 80 columns."""

from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from agent.console import PLAIN
from agent.wording import UNKNOWN, number

if TYPE_CHECKING:
    from tools.evaluate import EvaluationResult
    from tools.worldmodel_goals import GoalRow

RIVALS = {
    "oracle": "oracle",
    "persistence": "persist",
    "mean effect": "mean",
    "regression": "regress",
    "prior": "prior",
    "anchor": "anchor",
    "no EPK": "no EPK",
}


def print_worldmodel(console: Console, result: "EvaluationResult") -> None:
    """Goals first, then rivals, then what they were made from; what the words mean stands once below."""
    _print_goals(console, result.goals)
    _print_rivals(console, result.goals)
    _print_effects(console, result)
    _print_leads(console, result)
    _print_roll_out(console, result)
    _print_kept(console, result)
    for reason in dict.fromkeys(row.why_not for row in result.goals if row.why_not):
        names = ", ".join(row.name for row in result.goals if row.why_not == reason)
        _line(console, f"Not measured, because {reason}: {names}")
    for text in (
        "Bias: simulated - true mean change, RMS over the drugs; VAE: encode-decode of real recordings.",
        "Spread: simulated over true SD. In 80 %: true values inside the 80 % interval of the samples. "
        "PIT SD: of where they stand, over that of a uniform; above 1 the spread is too narrow.",
        "Roll-out: RMSE of QTcF over what the samples' own spread says; its limit is what chance allows.",
        "False QTcF: the effect seen where nothing was given. Recognised: the nearest of 100 pre-dose median beats "
        "is the patient's own, without and with a drug.",
        "In brackets: 95 % of resamples of the patients. + goal met, ++ stretch met, - not met.",
        "Oracle: a second true recording. Mean, regress: mean effect and ridge fitted on other virtual patients. "
        "Prior, anchor: EPK or the patient's warped beats without diffusion. No EPK: the anchor in its place, "
        "not trained again. No energy: evaluate ablations.",
        f"{result.patients} unseen virtual patients, K = {result.k}, seed {result.seed}; "
        f"{result.recordings} real recordings.",
        f"{result.model.name}, trained on {result.model.trained_on}.",
    ):
        _line(console, text)


def _print_goals(console: Console, rows: "tuple[GoalRow, ...]") -> None:
    table = _table("", "ours", "(95 %)", "goal", "stretch", "")
    for row in rows:
        table.add_row(
            row.name,
            f"{_value(row.value, row.unit)} {row.unit}".strip(),
            f"({_value(row.ci95[0], row.unit)} to {_value(row.ci95[1], row.unit)})" if row.ci95 else "",
            row.goal or "",
            row.stretch or "",
            _mark(row),
        )
    _print(console, table)


def _print_rivals(console: Console, rows: "tuple[GoalRow, ...]") -> None:
    table = _table("", "ours", *RIVALS.values())
    for row in rows:
        if any(value is not None for value in row.beside.values()):
            others = (_value(row.beside.get(name), row.unit) for name in RIVALS)
            table.add_row(row.name, _value(row.value, row.unit), *others)
    _print(console, table)


def _print_effects(console: Console, result: "EvaluationResult") -> None:
    table = _table("action", "interval", "true change", "simulated", "bias")
    before = ""
    for row in result.effects:
        table.add_row(
            f"{row.action}, {row.hours:g} h" if row.action != before else "",
            row.interval,
            _spread(row.true_mean, row.true_sd),
            _spread(row.simulated_mean, row.simulated_sd),
            number(row.bias, 1, signed=True),
        )
        before = row.action
    _print(console, table)


def _print_leads(console: Console, result: "EvaluationResult") -> None:
    table = _table("missing", "patients", "QTcF bias ms", "SD ms")
    for row in result.missing_leads:
        name = ", ".join(row.leads)
        table.add_row(name, str(row.patients), number(row.bias_ms, 1, signed=True), number(row.sd_ms, 1))
    _print(console, table)


def _print_roll_out(console: Console, result: "EvaluationResult") -> None:
    table = _table("step", "action", "RMSE ms", "bias", "spread", "oracle RMSE", "bias", "spread")
    for row in result.roll_out:
        table.add_row(
            str(row.step),
            row.action,
            number(row.rolled_rmse_ms, 1),
            number(row.rolled_bias_ms, 1, signed=True),
            number(row.rolled_spread_ms, 1),
            number(row.oracle_rmse_ms, 1),
            number(row.oracle_bias_ms, 1, signed=True),
            number(row.oracle_spread_ms, 1),
        )
    _print(console, table)


def _print_kept(console: Console, result: "EvaluationResult") -> None:
    table = _table("encode-decode", "recordings", "bias ms", "SD ms", "median |d| ms")
    for row in result.encode_decode:
        table.add_row(
            row.interval,
            str(row.recordings),
            number(row.bias_ms, 1, signed=True),
            number(row.sd_ms, 1),
            number(row.median_abs_ms, 1),
        )
    _print(console, table)


def _table(*headings: str) -> Table:
    options: dict[str, Any] = PLAIN
    table = Table(**options)
    for i, heading in enumerate(headings):
        left = i == 0 or heading in ("action", "interval")
        table.add_column(heading, justify="left" if left else "right", overflow="fold")
    return table


def _print(console: Console, table: Table) -> None:
    if table.row_count:
        console.print(table)
        console.print()


def _line(console: Console, text: str) -> None:
    console.print(Text(text), highlight=False)


def _value(value: float | None, unit: str) -> str:
    return UNKNOWN if value is None else number(value, 1 if unit in ("ms", "bpm", "%") else 2)


def _spread(mean: float | None, sd: float | None) -> str:
    return UNKNOWN if mean is None or sd is None else f"{number(mean, 1, signed=True)} ± {number(sd, 1)}"


def _mark(row: "GoalRow") -> str:
    if row.met is None:
        return ""
    return ("++" if row.stretch_met else "+") if row.met else "-"
