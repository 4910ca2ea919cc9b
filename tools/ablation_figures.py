"""Figures of the ablations: one file each, every axis with its unit, the caption with source, seed and numbers."""

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from tools.plot import save_figure

if TYPE_CHECKING:
    from worldmodel.evaluation.blindness import Sight
    from worldmodel.evaluation.missing_leads import MissingRow
    from worldmodel.evaluation.prior_mismatch import Dispersion
    from worldmodel.evaluation.scoring_ablation import Ranking, SpreadError

# Okabe and Ito's palette, told apart by all kinds of colour vision (jfly.uni-koeln.de/color); markers differ, too.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
PANEL_IN, HEIGHT_IN, LINE_IN = 4.4, 3.6, 0.15


def draw_spread_errors(rows: "Sequence[SpreadError]", caption: str, path: Path) -> Path:
    figure, (ax,) = _panels(1, caption)
    ks = [row.k for row in rows]
    _curve(ax, 0, ks, [100 * row.qtcf for row in rows], "SD of QTcF")
    _curve(ax, 1, ks, [100 * row.risk for row in rows], "SD of risk")
    ax.plot(ks, [100 * row.by_theory for row in rows], color="0.4", ls="--", label="1/√(2(K − 1)), Gaussian")
    ax.set(xlabel="samples K", ylabel="RMS relative error of the spread (%)", xticks=ks, ylim=(0, None))
    return _finish(figure, path, ax)


def draw_rankings(rows: "Sequence[Ranking]", actions: Sequence[str], caption: str, path: Path) -> Path:
    figure, (ranks, first) = _panels(2, caption)
    lambdas = [row.lambda_ for row in rows]
    for i, action in enumerate(actions):
        _curve(ranks, i, lambdas, [row.mean_ranks[i] for row in rows], action)
    ranks.set(xlabel="λ", ylabel="mean rank (1 = least score)", yticks=range(1, len(actions) + 1))
    ranks.set_ylim(len(actions) + 1.9, 0.7)
    _curve(first, 0, lambdas, [100 * row.same_first for row in rows], "")
    first.set(xlabel="λ", ylabel="patients with the first of λ = 0 (%)", ylim=(0, 105))
    ranks.legend(fontsize=7, frameon=False, ncols=2, loc="lower center")
    return save_figure(figure, path)


def draw_missing(rows: "Sequence[MissingRow]", caption: str, path: Path) -> Path:
    figure, (ax,) = _panels(1, caption, width=2.0)
    known = [row for row in rows if row.bias_ms is not None]
    for i, row in enumerate(known):
        pair = len(row.leads) == 2
        ax.errorbar(i, row.bias_ms or 0.0, row.sd_ms, fmt=MARKERS[pair], color=COLORS[pair], capsize=2, ms=5)
    for count, limit in ((1, 3), (2, 4)):
        at = [i for i, row in enumerate(known) if len(row.leads) == count]
        for sign in (-1, 1):
            label = f"goal for {count}" if sign > 0 else None
            ax.plot(
                [at[0] - 0.4, at[-1] + 0.4], [sign * limit] * 2, ls="--", color=COLORS[count - 1], label=label
            )
    ax.axhline(0, color="0.7", lw=0.8)
    ax.set_xticks(range(len(known)), ["+".join(row.leads) for row in known], rotation=45, ha="right")
    ax.set(xlabel="missing leads", ylabel="QTcF, missing − complete (ms)")
    return _finish(figure, path, ax)


def draw_dispersion(rows: "Sequence[Dispersion]", caption: str, path: Path) -> Path:
    figure, axes = _panels(3, caption)
    regimes = list(dict.fromkeys(row.regime for row in rows))
    names = {
        "pairwise": "mean distance of pairs",
        "to_centroid": "mean distance to centroid",
        "latent_sd": "SD",
    }
    for ax, (field, title) in zip(axes, names.items(), strict=True):
        for i, scale in enumerate(dict.fromkeys(row.scale for row in rows)):
            values = [getattr(row, field) for row in rows if row.scale == scale]
            label = {1.0: "EPK on", 0.0: "EPK off"}.get(scale, f"EPK × {scale:g}")
            _curve(ax, i, range(len(regimes)), values, label)
        ax.set_xticks(range(len(regimes)), regimes)
        ax.set(
            xlabel="prior", ylabel=f"{title} (latent units)", ylim=(0, None), xlim=(-0.3, len(regimes) - 0.7)
        )
    return _finish(figure, path, axes[0])


def draw_energy(
    names: Sequence[str],
    distances: "Sequence[tuple[float, float]]",
    biases: Sequence[Sequence[float]],
    spreads: Sequence[Sequence[float]],
    caption: str,
    path: Path,
) -> Path:
    """distances: to truth and to prior; biases, spreads: (variant, QTcF Tpeak-Tend PR)."""
    figure, axes = _panels(3, caption)
    at = range(len(names))
    for i, label in enumerate(("to the truth", "to the prior")):
        _curve(axes[0], i, at, [pair[i] for pair in distances], label)
    for i, label in enumerate(("QTcF", "Tpeak–Tend", "PR")):
        _curve(axes[1], i, at, [row[i] for row in biases], label)
        _curve(axes[2], i, at, [row[i] for row in spreads], label)
    axes[2].axhspan(0.85, 1.15, color="0.9", zorder=0, label="goal")
    for ax, label in zip(
        axes, ("latent MSE", "RMS bias over the drugs (ms)", "simulated / true SD"), strict=True
    ):
        ax.set_xticks(at, names, rotation=20, ha="right", fontsize=7)
        ax.set(xlabel="λ of the energy, weight", ylabel=label, ylim=(0, None))
        ax.legend(fontsize=7, frameon=False)
    return save_figure(figure, path)


def draw_sights(rows: "Sequence[Sight]", caption: str, path: Path) -> Path:
    figure, axes = _panels(2, caption, width=1.2)
    for ax, field, label in zip(
        axes,
        ("signal_mse", "latent_mse"),
        ("signal MSE (share of the variance)", "latent MSE (per element)"),
        strict=True,
    ):
        values = [getattr(row, field) for row in rows]
        for i, (row, value) in enumerate(zip(rows, values, strict=True)):
            ax.barh(i, value, color=COLORS[0 if row.is_effect else 1], hatch="" if row.is_effect else "//")
            ax.text(value * 1.15, i, f"{value:.2g}", va="center", fontsize=7)
        ax.set_yticks(range(len(rows)), [row.difference for row in rows], fontsize=8)
        ax.set(xlabel=label, xscale="log", xlim=(min(values) / 3, max(values) * 6))
        ax.invert_yaxis()
    return save_figure(figure, path)


def _panels(count: int, caption: str, width: float = 1.0) -> tuple[Figure, list[Axes]]:
    """Panels in a row and the caption below them."""
    wide_in = PANEL_IN * count * width
    lines = textwrap.wrap(caption, round(wide_in * 17.5))
    heights_in = (HEIGHT_IN, LINE_IN * (len(lines) + 1))
    figure = Figure(figsize=(wide_in, sum(heights_in)), facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    parts = figure.add_gridspec(2, 1, height_ratios=heights_in)
    upper, lower = (figure.add_subfigure(parts[i]) for i in range(2))
    axes = [upper.add_subplot(1, count, i + 1) for i in range(count)]
    for ax in axes:
        ax.spines[["top", "right"]].set_visible(False)
        ax.tick_params(labelsize=8)
    lower.text(0.01, 0.97, "\n".join(lines), va="top", fontsize=7.5)
    return figure, axes


def _curve(ax: Axes, i: int, x: Sequence[float] | range, y: Sequence[float], label: str) -> None:
    ax.plot(x, y, color=COLORS[i], marker=MARKERS[i], ms=5, lw=1.2, label=label or None)


def _finish(figure: Figure, path: Path, legend_on: Axes) -> Path:
    legend_on.legend(fontsize=8, frameon=False)
    return save_figure(figure, path)
