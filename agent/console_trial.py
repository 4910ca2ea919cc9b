"""The predictions of a crossover trial as the terminal shows them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from tools.evaluate_trial import TrialEvaluation


def print_trial(console: "Console", result: "TrialEvaluation") -> None:
    """Scores by interval, and the mean courses of the drugs against the trial's own bands."""
    from rich import box
    from rich.table import Table

    from tools.worldmodel_goals import NAMES

    headings = ("interval", "pairs", "MAE", "mean effect", "no change", "bias", "in 80 %", "in 90 %")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        table.add_column(heading, justify="left" if heading == "interval" else "right")
    for one in result.scores:
        name = NAMES.get(one.interval, one.interval)
        errors = (one.mae, one.mae_of_mean_effect, one.mae_of_persistence)
        table.add_row(
            name,
            str(one.pairs),
            *("–" if error is None else f"{error:.1f}" for error in errors),
            f"{one.bias:+.1f}",
            f"{one.coverage_80_percent:.0f} %",
            f"{one.coverage_90_percent:.0f} %",
        )
    console.print(table)
    knew = ["the baseline of the period, drug and dose"]
    knew += ["plasma concentrations"] if result.with_concentration else []
    knew += [f"ECGs up to {result.observe_until_h:g} h"] if result.observe_until_h is not None else []
    since = "after these" if result.observe_until_h is not None else "after the dose"
    console.print(
        f"{result.subjects} subjects; predictions knew {', '.join(knew)}; scored at all times {since}. Fitted to "
        f"{result.fitted_to}. MAE in ms and bpm; mean effect: of drug and time in the other subjects.",
        highlight=False,
    )
    for drug in dict.fromkeys(one.drug for one in result.profile):
        inside = [f"{p.interval} {p.inside}/{p.times}" for p in result.profile if p.drug == drug]
        console.print(f"{drug}, mean course in the trial's 95 % band: {', '.join(inside)}", highlight=False)
    for drug in dict.fromkeys(one.drug for one in result.on_ecgs):
        inside = [f"{c.interval} {c.inside}/{len(c.hours)}" for c in result.on_ecgs if c.drug == drug]
        console.print(
            f"{drug} simulated on {result.recordings} real sinus ECGs, K = {result.k}: mean course in the trial's 95 % "
            f"band: {', '.join(inside)}",
            highlight=False,
        )
    if result.predictions:
        console.print(f"predictions: {result.predictions}", markup=False, highlight=False, soft_wrap=True)
