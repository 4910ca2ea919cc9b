"""The plots of an alignment's page: axes with their units, chance drawn beside what was found."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from agent.alignment_words import METRIC_NAMES
from tools.alignment.metrics import Estimate
from tools.alignment.result import AlignResult

# Of Okabe and Ito's palette, told apart by all kinds of colour vision; marks differ, too.
OURS, OTHERS, CHANCE = "#0072B2", "#D55E00", "#5a5f66"
WIDTH_IN, HEIGHT_IN = 9.0, 3.4
DRUGS_SHOWN = 15


def draw_ranks(result: AlignResult) -> Figure:
    """Where prescriptions stand in the pipeline's ranking, beside where chance puts them."""
    figure, (shares, together) = _panels(2)
    ranks = [one.rank for one in result.ranks]
    shares.bar(ranks, [100 * one.share for one in result.ranks], color=OURS, label="pipeline")
    shares.plot(ranks, [100 * one.chance for one in result.ranks], "o--", color=CHANCE, label="chance", ms=4)
    shares.set(xlabel="rank of what was prescribed", ylabel="prescriptions (%)", xticks=ranks)
    for name, values, mark, color in (
        ("pipeline", [one.share for one in result.ranks], "o-", OURS),
        ("chance", [one.chance for one in result.ranks], "o--", CHANCE),
    ):
        sums = [100 * sum(values[: i + 1]) for i in range(len(values))]
        together.plot(ranks, sums, mark, color=color, label=name, ms=4)
    together.set(
        xlabel="first ... candidates", ylabel="hold the prescription (%)", xticks=ranks, ylim=(0, 103)
    )
    for ax in (shares, together):
        ax.legend(frameon=False, fontsize=8)
    return figure


def draw_rivals(result: AlignResult) -> Figure:
    """The pipeline and its baselines, with 95 % intervals."""
    figure, panels = _panels(2, height=0.5 + 0.42 * (1 + len(result.baselines)))
    rows = {"pipeline": result.metrics, **result.baselines}
    for ax, name in zip(panels, ("top_1", "mean_rank_percentile"), strict=True):
        for y, (label, metrics) in enumerate(rows.items()):
            _interval(ax, metrics[name], y, OURS if label == "pipeline" else OTHERS, "o" if y == 0 else "s")
        ax.set(xlabel=f"{METRIC_NAMES[name]} (%)", ylim=(len(rows) - 0.5, -0.5))
        ax.set_yticks(range(len(rows)), list(rows) if ax is panels[0] else [""] * len(rows))
        ax.grid(axis="x", color="0.9")
    return figure


def draw_curves(result: AlignResult) -> Figure:
    """How agreement depends on lambda, on the number of samples, and on the risk that is gone by."""
    figure, panels = _panels(3)
    labels = {"lambda": "λ, weight of the spread", "k": "samples K", "risk": "risk"}
    for ax, (curve, points) in zip(panels, result.sensitivity.items(), strict=True):
        for name, color, mark in (("top_1", OURS, "o-"), ("mean_rank_percentile", OTHERS, "s--")):
            at = [i if curve == "risk" else float(point.x) for i, point in enumerate(points)]
            values = [100 * (point.metrics[name].value or 0.0) for point in points]
            ax.plot(
                at, values, mark if curve != "risk" else mark[0], color=color, ms=4, label=METRIC_NAMES[name]
            )
        ax.set(xlabel=labels[curve], ylim=(0, 103))
        if curve == "risk":
            ax.set_xticks(
                range(len(points)), [str(p.x).replace("_", " ") for p in points], rotation=35, ha="right"
            )
        elif curve == "k":
            ax.set_xticks([float(point.x) for point in points])
    panels[0].set_ylabel("%")
    panels[0].axvline(result.lambda_, color=CHANCE, lw=0.8, ls=":")
    panels[0].legend(frameon=False, fontsize=8)
    return figure


def draw_by_drug(result: AlignResult) -> Figure:
    """The mean rank percentile of each prescribed drug, with 95 % intervals."""
    groups = list(result.by_drug.items())[:DRUGS_SHOWN]
    figure, (ax,) = _panels(1, height=0.8 + 0.32 * len(groups))
    for y, (_, group) in enumerate(groups):
        _interval(ax, group.metrics["mean_rank_percentile"], y, OURS, "o")
    ax.axvline(50, color=CHANCE, lw=0.8, ls="--")
    names = [f"{name.replace('_', ' ')} ({group.episodes})" for name, group in groups]
    ax.set_yticks(range(len(groups)), names)
    ax.set(
        xlabel="candidates ranked behind what was prescribed (%); dashed: chance",
        xlim=(-2, 102),
        ylim=(len(groups) - 0.5, -0.5),
    )
    ax.grid(axis="x", color="0.9")
    return figure


def _interval(ax: Axes, one: Estimate, y: float, color: str, mark: str) -> None:
    if one.value is None:
        return
    if one.ci95 is not None:
        ax.plot([100 * end for end in one.ci95], [y, y], color=color, lw=2, alpha=0.6)
    ax.plot([100 * one.value], [y], mark, color=color, ms=6)


def _panels(count: int, height: float = HEIGHT_IN) -> tuple[Figure, Sequence[Axes]]:
    figure = Figure(figsize=(WIDTH_IN, height), layout="constrained")
    FigureCanvasAgg(figure)
    panels = [figure.add_subplot(1, count, i + 1) for i in range(count)]
    for ax in panels:
        ax.spines[["top", "right"]].set_visible(False)
        ax.tick_params(labelsize=8)
        ax.xaxis.label.set_fontsize(9)
        ax.yaxis.label.set_fontsize(9)
    return figure, panels
