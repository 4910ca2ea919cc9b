"""The page of an alignment: one HTML file without network or script."""

from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from agent.alignment_plots import draw_by_drug, draw_curves, draw_ranks, draw_rivals
from agent.alignment_words import LEGEND, METRIC_NAMES, STANDINGS, estimated
from tools.alignment.result import AlignResult, Group, Metrics
from tools.plot import svg_of
from tools.writing import written_whole

# A page is so wide; the JSON has them all.
SHOWN = ("top_1", "top_3", "top_5", "mrr", "mean_rank_percentile", "kendall_tau")
SHOWN_BY_GROUP = ("top_1", "top_3", "mean_rank_percentile")
GROUPS = {
    "by_drug": "prescribed drug",
    "by_indication": "indication",
    "by_severity": "severity",
    "by_sex": "sex",
    "by_age": "age",
}


def write_page(path: Path, result: AlignResult) -> Path:
    """Write the page and return its path. Raises OutputError where the file cannot be written."""
    environment = Environment(
        loader=PackageLoader("agent"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    page = environment.get_template("alignment.html.j2").render(
        result=result,
        rivals={"pipeline": result.metrics, **result.baselines},
        rivals_drugs={"pipeline": result.drugs, **result.baselines_drugs},
        groups=[(title, _groups(result, name)) for name, title in GROUPS.items() if _groups(result, name)],
        names=METRIC_NAMES,
        shown=SHOWN,
        shown_by_group=SHOWN_BY_GROUP,
        standings=STANDINGS,
        legend=LEGEND,
        cells=_cells,
        figures=_figures(result) if result.scored else {},
    )
    with written_whole(path) as unfinished:
        unfinished.write_text(page, encoding="utf-8")
    return path


def _figures(result: AlignResult) -> dict[str, Markup]:
    drawn = {
        "ranks": draw_ranks(result),
        "rivals": draw_rivals(result),
        "curves": draw_curves(result),
        "by_drug": draw_by_drug(result),
    }
    return {name: Markup(svg_of(figure)) for name, figure in drawn.items()}


def _groups(result: AlignResult, name: str) -> dict[str, Group]:
    found: dict[str, Group] = getattr(result, name)
    return found


def _cells(metrics: Metrics, names: Sequence[str]) -> list[str]:
    return [estimated(name, metrics[name]) for name in names]
