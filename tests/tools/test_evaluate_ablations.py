"""The ablations' figures: every axis is labelled, the caption names its source, and files are whole."""

from pathlib import Path

import pytest
from matplotlib.figure import Figure

from tools import ablation_figures as figures
from tools.ablation_figures import save_figure
from worldmodel.evaluation.blindness import Sight
from worldmodel.evaluation.missing_leads import MissingRow
from worldmodel.evaluation.prior_mismatch import Dispersion
from worldmodel.evaluation.scoring_ablation import Ranking, SpreadError

CAPTION = "made, n = 3, seed 0"


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """The figures that were saved."""
    seen: list[Figure] = []

    def save(figure: Figure, path: Path) -> Path:
        seen.append(figure)
        return save_figure(figure, path)

    monkeypatch.setattr(figures, "save_figure", save)
    return seen


def test_every_figure_has_units_at_its_axes_and_its_source_below(drawn: list[Figure], tmp_path: Path) -> None:
    three = [[1.0, 2.0, 3.0]] * 2
    written = [
        figures.draw_spread_errors(
            [SpreadError(k, 0.5, 0.6, 0.5) for k in (2, 3)], CAPTION, tmp_path / "a.png"
        ),
        figures.draw_rankings(
            [Ranking(x, (1.0, 2.0), 1.0) for x in (0.0, 1.0)], ("one", "two"), CAPTION, tmp_path / "b.png"
        ),
        figures.draw_missing(
            [
                MissingRow(("V1",), 3, 1.0, 1.0),
                MissingRow(("V1", "V2"), 3, None, None),
                MissingRow(("V1", "V3"), 3, 2.0, 1.0),
            ],
            CAPTION,
            tmp_path / "c.png",
        ),
        figures.draw_dispersion(
            [Dispersion(r, s, 1.0, 1.0, 1.0) for r in ("healthy", "jitter") for s in (1.0, 0.25, 0.0)],
            CAPTION,
            tmp_path / "d.png",
        ),
        figures.draw_energy(
            ["none", "all"], [(1.0, 2.0), (2.0, 1.0)], three, three, CAPTION, tmp_path / "e.png"
        ),
        figures.draw_sights(
            [Sight("effect", True, 0.01, 0.02), Sight("noise", False, 0.1, 0.2)], CAPTION, tmp_path / "f.png"
        ),
    ]
    assert len(drawn) == len(written) == 6
    assert all(path.stat().st_size > 10_000 for path in written)
    for figure in drawn:
        upper, lower = figure.subfigs
        assert upper.axes and all(ax.get_xlabel() for ax in upper.axes)
        assert any(ax.get_ylabel() or ax.get_yticklabels() for ax in upper.axes)
        assert [text.get_text() for text in lower.texts] == [CAPTION]
