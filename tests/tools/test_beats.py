"""The median beats before and after: aligned, to scale, and honest about what is missing."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure

from tools.paper import AFTER, BEFORE, EDGE_MM
from tools.plot import draw_beats, svg_of
from worldmodel.ecg import LEADS
from worldmodel.measurement import MedianBeat

FS_HZ = 500.0


def made_beat(t_end_ms: float | None = 380.0) -> MedianBeat:
    """A 1 mV spike at the R peak in every lead, 0.4 s before it and 0.8 s after it."""
    samples = np.zeros((12, 600))
    samples[:, 200] = 1.0
    return MedianBeat(samples, FS_HZ, r_index=200, qrs_on_ms=-40.0, qrs_off_ms=40.0, t_end_ms=t_end_ms)


def drawn(figure: Figure, color: str, dashed: bool) -> list[tuple[np.ndarray, np.ndarray]]:
    chosen = [
        line for line in figure.axes[0].lines if line.get_color() == color and line.is_dashed() == dashed
    ]
    return [(np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float)) for line in chosen]


def test_both_beats_have_their_r_peak_at_the_same_place_in_every_cell() -> None:
    figure = draw_beats(made_beat(), replace(made_beat(), samples_mv=2 * made_beat().samples_mv))
    before, after = drawn(figure, BEFORE, False), drawn(figure, AFTER, False)
    assert len(before) == len(after) == 12
    for (x_before, y_before), (x_after, y_after) in zip(before, after, strict=True):
        assert x_before[y_before.argmax()] == x_after[y_after.argmax()]
        assert np.ptp(y_before) == pytest.approx(10)
        assert np.ptp(y_after) == pytest.approx(20)
    assert before[1][0][0] - before[0][0][0] == pytest.approx(44)
    assert np.diff(before[0][0])[0] == pytest.approx(1000 / FS_HZ * 0.05)


def test_a_later_t_end_is_marked_later_by_50_mm_a_second() -> None:
    figure = draw_beats(made_beat(), made_beat(t_end_ms=420.0))
    ends = [max(x[0] for x, _ in drawn(figure, color, True)[:2]) for color in (BEFORE, AFTER)]
    assert ends[1] - ends[0] == pytest.approx(2.0)
    assert ends[0] == pytest.approx(EDGE_MM + 15 + 0.380 * 50)


def test_an_unknown_t_end_is_not_marked() -> None:
    figure = draw_beats(made_beat(), made_beat(t_end_ms=None))
    assert len(drawn(figure, AFTER, True)) == 12
    assert len(drawn(figure, BEFORE, True)) == 24


def test_missing_leads_and_impossible_amplitudes_keep_the_figure_whole() -> None:
    samples = made_beat().samples_mv * 1e9
    samples[LEADS.index("V4")] = np.nan
    strange = replace(made_beat(), samples_mv=samples)
    figure = draw_beats(strange, strange, names=("<a>", "b"))
    assert figure.get_size_inches()[1] * 25.4 < 250
    assert sum(text.get_text() == "not recorded" for text in figure.axes[0].texts) == 1
    assert "<a>" not in svg_of(figure)


@pytest.mark.parametrize(
    ("marks", "columns"), [({"t_end_ms": 530.0}, 6), ({"t_end_ms": 560.0}, 4), ({"p_on_ms": -320.0}, 4)]
)
def test_cells_are_wide_enough_for_a_long_qt_and_a_long_pr(marks: dict[str, float], columns: int) -> None:
    figure = draw_beats(made_beat(), replace(made_beat(), **marks))  # type: ignore[arg-type]
    rows: dict[float, int] = {}
    for text in figure.axes[0].texts:
        if text.get_text() in LEADS:
            rows[text.get_position()[1]] = rows.get(text.get_position()[1], 0) + 1
    assert set(rows.values()) == {columns}
    dashes = [x[0] for color in (BEFORE, AFTER) for x, _ in drawn(figure, color, True)]
    assert len(dashes) == 4 * 12
    for x, _ in drawn(figure, AFTER, False):
        assert x.max() <= EDGE_MM + 265
