"""An alignment as the terminal shows it."""

from typing import TYPE_CHECKING

from agent.alignment_words import LEGEND, METRIC_NAMES, STANDINGS, estimated

if TYPE_CHECKING:
    from rich.console import Console

    from tools.alignment.language import LanguageUse
    from tools.alignment.result import AlignResult, Metrics

SHOWN = ("top_1", "top_3", "mean_rank_percentile")
DRUGS_SHOWN = 10
FAILURES_SHOWN = 5


def print_alignment(console: "Console", result: "AlignResult") -> None:
    """The pipeline beside its baselines, what became of the prescriptions, drugs, and where the rest is."""

    def say(text: str, style: str = "") -> None:
        console.print(text, markup=False, highlight=False, style=style)

    skipped = "".join(f"; {count} {code.replace('_', ' ')}" for code, count in result.skipped.items())
    say(f"{result.scored} of {result.episodes} episodes scored{skipped}")
    standings = [f"{n} {STANDINGS[name]}" for name, n in result.prescriptions.items() if n]
    say(f"prescriptions: {', '.join(standings) or 'none'}")
    rows = {"pipeline": result.metrics, **result.baselines}
    _print_table(console, "ranking of actions", rows)
    _print_table(
        console, "... of drugs, whatever the dose", {"pipeline": result.drugs, **result.baselines_drugs}
    )
    drugs = list(result.by_drug.items())[:DRUGS_SHOWN]
    _print_table(
        console, "pipeline, by prescribed drug", {f"{name} ({g.episodes})": g.metrics for name, g in drugs}
    )
    among = {METRIC_NAMES[name]: estimated(name, result.among_ranked[name]) for name in SHOWN}
    say(f"of those ranked alone: {', '.join(f'{name} {value}' for name, value in among.items())}")
    say(f"rankings that break the mask: {estimated('top_1', result.metrics['mask_violation_rate'])}")
    if result.permuted.metrics:
        mean, low, high = result.permuted.metrics["top_1"]
        say(
            f"prescriptions dealt out again by lot within their indication: first in {100 * mean:.0f} % "
            f"({100 * low:.0f} to {100 * high:.0f})"
        )
    overlap = result.overlap
    if overlap.first_choice_never_prescribed is not None:
        size = "none" if overlap.effective_sample_size is None else f"{overlap.effective_sample_size:.0f}"
        say(
            f"first choices never prescribed for that indication to the subjects that baselines learn from: "
            f"{100 * overlap.first_choice_never_prescribed:.0f} %; effective sample size of the agreeing: {size}"
        )
    if result.language_model is not None:
        used = result.language_model
        say(
            f"language model {used.model}: {used.calls} calls now, {used.kept} answers kept from before, "
            f"{used.input_tokens} + {used.output_tokens} tokens, {used.usd:.2f} USD"
        )
    for line in result.failures[:FAILURES_SHOWN]:
        say(f"not scored: {line}")
    say(LEGEND, style="dim")
    say(result.statement, style="bold")
    console.print(f"page: {result.page}", markup=False, highlight=False, soft_wrap=True)
    console.print(f"every ranking: {result.folder}", markup=False, highlight=False, soft_wrap=True)


def print_cost(console: "Console", cost: "LanguageUse") -> None:
    """The dry run."""
    console.print(
        f"{cost.model} would be asked {cost.calls} times ({cost.kept} answers are kept): about {cost.input_tokens} "
        f"tokens in and {cost.output_tokens} out, {cost.usd:.2f} USD at this price. Nothing was asked.",
        highlight=False,
        markup=False,
    )


def _print_table(console: "Console", title: str, rows: "dict[str, Metrics]") -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(title, overflow="fold")
    for name in SHOWN:
        table.add_column(METRIC_NAMES[name], justify="right")
    for label, metrics in rows.items():
        table.add_row(Text(label), *(estimated(name, metrics[name]) for name in SHOWN))
    console.print(table)
