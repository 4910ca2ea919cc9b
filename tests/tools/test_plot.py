"""The printed ECG: true to scale, honest about what is missing, and readable by any program."""

import itertools
import os
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tools.errors import OutputError
from tools.paper import AFTER, EDGE_MM
from tools.plot import PlotError, draw_ecg, intervals_line, save_figure, svg_of
from tools.traces import PRE_MM
from worldmodel.ecg import LEADS, Ecg
from worldmodel.measurement import Intervals
from worldmodel.readers import read_ecg

FS_HZ = 500.0


def rhythm(duration_s: float = 10.0, leads: tuple[str, ...] = LEADS, fs_hz: float = FS_HZ) -> Ecg:
    """A beat a second: a 1 mV spike on a flat line, in every lead."""
    samples = np.zeros((len(leads), round(duration_s * fs_hz)))
    samples[:, round(0.5 * fs_hz) :: round(fs_hz)] = 1.0
    samples += 0.01 * np.sin(np.arange(samples.shape[1]) / 40)
    return Ecg(samples, fs_hz, leads)


def with_lead(ecg: Ecg, lead: str, values: NDArray[np.float64] | float) -> Ecg:
    samples = ecg.samples_mv.copy()
    samples[ecg.leads.index(lead)] = values
    return Ecg(samples, ecg.fs_hz, ecg.leads)


def lines(figure: Figure) -> list[tuple[NDArray[np.float64], NDArray[np.float64], str]]:
    """x and y in mm of the sheet, and colour, of every line drawn."""
    return [
        (np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float), str(line.get_color()))
        for line in figure.axes[0].lines
    ]


def longest_line(figure: Figure) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    x, y, _ = max(lines(figure), key=lambda line: len(line[0]))
    return x, y


def words(figure: Figure) -> str:
    return "\n".join(text.get_text() for text in figure.axes[0].texts)


def test_a_ruler_on_the_print_reads_25_mm_a_second_and_10_mm_a_millivolt() -> None:
    figure = draw_ecg(rhythm())
    width_mm = figure.get_size_inches()[0] * 25.4
    x, y = longest_line(figure)  # the rhythm strip of lead II
    peaks = np.flatnonzero(y > y.min() + 9)
    assert figure.axes[0].get_xlim()[1] == pytest.approx(width_mm)
    assert x[peaks[0]] == pytest.approx(EDGE_MM + PRE_MM + 0.5 * 25)
    assert np.diff(x[peaks]) == pytest.approx(np.full(9, 25.0))
    assert y[peaks[0]] - y[peaks[0] - 1] == pytest.approx(10.0, abs=0.05)


def test_every_row_has_a_calibration_pulse_of_5_by_10_mm() -> None:
    pulses = [(x, y) for x, y, _ in lines(draw_ecg(rhythm())) if len(x) == 6]
    assert len(pulses) == 4
    for x, y in pulses:
        assert y.max() - y.min() == pytest.approx(10)
        assert np.ptp(x[y == y.max()]) == pytest.approx(5)


@pytest.mark.parametrize(("layout", "strips"), [("3x4+1", 13), ("12x1", 12)])
def test_both_layouts_name_every_lead(layout: str, strips: int) -> None:
    named = words(draw_ecg(rhythm(), layout=layout)).split("\n")
    assert set(LEADS) <= set(named)
    assert sum(name in LEADS for name in named) == strips


def test_an_unknown_layout_is_an_error_that_names_the_known_ones() -> None:
    with pytest.raises(PlotError) as error:
        draw_ecg(rhythm(), layout="6x2")
    assert "12x1" in error.value.hint


def test_rows_make_room_for_tall_waves_so_that_neighbours_never_cross() -> None:
    tall = with_lead(rhythm(), "V3", rhythm().lead("V3") * 4)
    tops_and_bottoms = sorted(
        {(y.max(), y.min()) for x, y, _ in lines(draw_ecg(tall, layout="12x1")) if len(x) > 6}, reverse=True
    )
    assert len(tops_and_bottoms) == 12
    for (_, bottom), (top, _) in itertools.pairwise(tops_and_bottoms):
        assert top < bottom


def test_missing_flat_broken_and_impossible_leads_are_named() -> None:
    ecg = rhythm(leads=("I", "II", "V1", "V2", "V3", "V4"))
    ecg = with_lead(ecg, "V1", 0.3)
    ecg = with_lead(ecg, "V2", np.where(np.arange(5000) < 4200, np.nan, ecg.lead("V2")))
    ecg = with_lead(ecg, "V3", ecg.lead("V3") * 1e6)
    drawn = words(draw_ecg(ecg, layout="12x1"))
    assert drawn.count("not recorded") == 2 + 1  # V5 and V6 in their rows, and once below
    assert "not recorded: V5, V6" in drawn
    assert "flat" in drawn
    assert "gaps in V2" in drawn
    assert "cut at 5 mV: V3 (1e+06 mV)" in drawn


def test_a_cut_trace_stays_on_the_sheet() -> None:
    figure = draw_ecg(with_lead(rhythm(), "II", rhythm().lead("II") * 1e9))
    height = figure.axes[0].get_ylim()[1]
    assert all(np.nanmax(y) < height for _, y, _ in lines(figure))


def test_amplitudes_that_cannot_be_trusted_are_disowned() -> None:
    doubtful = replace(rhythm(), amplitudes_trusted=False)
    assert "read no amplitudes" in words(draw_ecg(doubtful))
    assert "read no amplitudes" not in words(draw_ecg(rhythm()))


def test_the_largest_number_there_is_does_not_overflow() -> None:
    huge = with_lead(rhythm(), "II", np.where(np.arange(5000) % 2 == 0, 1.7e308, -1.7e308))
    assert "cut at 5 mV: II" in words(draw_ecg(Ecg(huge.samples_mv[[1]], FS_HZ, ("II",))))


def test_leads_without_a_place_on_the_paper_are_named() -> None:
    frank = rhythm(leads=("vx", "vy", "vz"))
    assert "recorded but not drawn: vx, vy, vz" in words(draw_ecg(frank))


def test_a_long_recording_shows_its_first_ten_seconds_unless_told() -> None:
    ecg = rhythm(30)
    late = with_lead(ecg, "II", np.where(np.arange(15000) < 5000, 0.0, 2 * ecg.lead("II")))
    assert np.ptp(longest_line(draw_ecg(late))[1]) < 1
    assert np.ptp(longest_line(draw_ecg(late, start_s=12))[1]) > 19
    assert "12–22 s of 30 s" in words(draw_ecg(late, start_s=12))


@pytest.mark.parametrize("start_s", [-1.0, 10.0, float("nan")])
def test_a_start_outside_the_recording_is_an_error(start_s: float) -> None:
    with pytest.raises(PlotError):
        draw_ecg(rhythm(), start_s=start_s)


def test_two_seconds_show_every_lead_and_say_so() -> None:
    figure = draw_ecg(rhythm(2.0))
    assert sum(len(x) == 1000 for x, _, _ in lines(figure)) == 13
    assert "each column shows its beginning" in words(figure)


def test_two_recordings_differ_in_colour_and_are_named() -> None:
    figure = draw_ecg(rhythm(), rhythm(leads=("I", "II")), names=("no drug", "dofetilide 500 ug"))
    assert sum(color == AFTER and len(x) > 6 for x, _, color in lines(figure)) == 13
    assert "no drug" in words(figure)
    assert "dofetilide 500 ug: not recorded: V1, V2, V3, V4, V5, V6" in words(figure)


def test_text_of_a_record_is_drawn_as_it_is_and_cannot_become_markup() -> None:
    svg = svg_of(draw_ecg(rhythm(), title="$\\frac{1}$ <script>\x07alert(1)</script>", subtitle="a\nb"))
    assert "<script" not in svg
    texts = [element.text for element in ET.fromstring(svg).iter() if element.tag.endswith("text")]
    assert "$\\frac{1}$ <script>alert(1)</script>" in texts
    assert "a b" in texts


def test_an_svg_for_a_page_is_small_scales_with_its_container_and_has_no_clashing_ids() -> None:
    rng = np.random.default_rng(0)
    noisy = Ecg(rhythm().samples_mv + rng.normal(0, 0.02, (12, 5000)), FS_HZ, LEADS)
    svg = svg_of(draw_ecg(noisy, rhythm()))
    root = ET.fromstring(svg)
    assert len(svg) < 450_000
    assert "viewBox" in root.attrib
    assert not {"width", "height"} & set(root.attrib)
    assert "<g id" not in svg


@pytest.mark.parametrize(("suffix", "start"), [("png", b"\x89PNG"), ("SVG", b"<?xml"), ("pdf", b"%PDF")])
def test_the_extension_chooses_the_format_and_nothing_else_is_left(
    tmp_path: Path, suffix: str, start: bytes
) -> None:
    path = save_figure(draw_ecg(rhythm(2)), tmp_path / "new folder" / f"x.{suffix}")
    assert path.read_bytes().startswith(start)
    assert list(path.parent.iterdir()) == [path]


def test_the_same_ecg_gives_the_same_file(tmp_path: Path) -> None:
    one, two = (save_figure(draw_ecg(rhythm(2)), tmp_path / name).read_bytes() for name in ("1.svg", "2.svg"))
    assert one == two


@pytest.mark.parametrize("name", ["x.jpg", "x", "x.png.txt"])
def test_an_unknown_format_is_an_error_with_a_hint(tmp_path: Path, name: str) -> None:
    with pytest.raises(PlotError) as error:
        save_figure(draw_ecg(rhythm(2)), tmp_path / name)
    assert ".pdf" in error.value.hint
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_is_an_error_with_a_hint(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError) as error:
        save_figure(draw_ecg(rhythm(2)), tmp_path / "file" / "x.png")
    assert error.value.hint


def test_the_head_of_the_print_says_what_could_not_be_measured() -> None:
    line = intervals_line(Intervals(hr_bpm=73.2, qrs_ms=92.0))
    assert line == "73 bpm · PR not measurable · QRS 92 ms · QT not measurable · QTcF not measurable"


@settings(max_examples=15, deadline=None, derandomize=True)
@given(arrays(np.float64, st.tuples(st.just(2), st.integers(0, 40)), elements=st.floats(width=64)))
def test_no_signal_is_too_strange_to_draw(samples: NDArray[np.float64]) -> None:
    figure = draw_ecg(Ecg(samples, 20.0, ("II", "V1")), layout="12x1")
    assert 100 < figure.get_size_inches()[1] * 25.4 < 2000


def test_real_recordings_are_drawn(tmp_path: Path) -> None:
    beside = Path(__file__).parents[2].parent / "shared/data"
    data = Path(os.environ.get("ECGWM_DATA", beside))
    if not (data / "ptb/s0010_re.hea").exists():
        pytest.skip("the recordings of ../shared/data are not here")
    figure = draw_ecg(read_ecg(data / "ptb/s0010_re"))
    assert "vx, vy, vz" in words(figure)
    assert save_figure(figure, tmp_path / "ptb.png").stat().st_size > 50_000
