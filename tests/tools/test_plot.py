"""The printed ECG: true to scale, honest about what is missing, and readable by any program."""

import itertools
import os
import re
import struct
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tools.errors import OutputError
from tools.paper import AFTER, BEFORE, EDGE_MM, holding_sheet
from tools.plot import PlotError, draw_ecg, draw_strips, intervals_line, save_figure, svg_of
from tools.strips import HeadLine
from tools.traces import PRE_MM, Shown
from worldmodel.ecg import LEADS, Ecg
from worldmodel.measurement import FIDUCIALS, Intervals
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


def test_every_format_has_the_size_of_the_sheet_and_a_pdf_the_millimetres_of_its_lines(
    tmp_path: Path,
) -> None:
    figure = draw_ecg(rhythm())
    width_mm, height_mm = figure.get_size_inches() * 25.4
    with mpl.rc_context({"pdf.compression": 0}):
        pdf = save_figure(figure, tmp_path / "x.pdf").read_bytes().decode("latin-1")
    (box,) = re.findall(r"/MediaBox \[ 0 0 ([\d.]+) ([\d.]+) \]", pdf)
    assert [float(points) / 72 * 25.4 for points in box] == pytest.approx([width_mm, height_mm], abs=0.01)
    # The calibration pulse is the only line of six points: 5 mm wide and 10 mm high.
    pulse = re.search(r"\n([\d.]+) ([\d.]+) m\n" + r"([\d.]+) ([\d.]+) l\n" * 5 + r"\s*S", pdf)
    assert pulse is not None
    points_mm = np.array([float(points) / 72 * 25.4 for points in pulse.groups()]).reshape(6, 2)
    assert np.ptp(points_mm[:, 1]) == pytest.approx(10, abs=0.01)
    assert np.ptp(points_mm[2:4, 0]) == pytest.approx(5, abs=0.01)
    svg = ET.fromstring(save_figure(figure, tmp_path / "x.svg").read_text())
    assert float(svg.attrib["width"].removesuffix("pt")) / 72 * 25.4 == pytest.approx(width_mm, abs=0.01)
    png = save_figure(figure, tmp_path / "x.png").read_bytes()
    wide, high = struct.unpack(">II", png[16:24])
    at = png.index(b"pHYs") + 4
    per_m, _, unit = struct.unpack(">IIB", png[at : at + 9])
    assert unit == 1
    assert [wide / per_m * 1000, high / per_m * 1000] == pytest.approx([width_mm, height_mm], abs=0.2)


def test_an_ordinary_ecg_fits_on_a4_and_a_sheet_says_where_it_does() -> None:
    width_mm, height_mm = draw_ecg(rhythm(), title="x", subtitle="y").get_size_inches() * 25.4
    assert holding_sheet(width_mm, height_mm) == "A4 landscape"
    assert holding_sheet(275, 350) == "A3 portrait"
    assert holding_sheet(275, 420) is None


@pytest.mark.parametrize("name", ["r.hea", "w" * 300, "i" * 300, "心電図-😀.hea", "no spaces" * 60])
def test_no_text_runs_over_the_edge_of_the_sheet_or_warns_of_letters(name: str) -> None:
    lines_of_text = [HeadLine(f"{name}: 73 bpm · {'PR 160 ms · ' * 40}"), HeadLine(name)]
    shown = [Shown(rhythm(), name[:40]), Shown(rhythm(leads=("I",)), name[:40])]
    for recordings in (shown[:1], shown):
        figure = draw_strips(recordings, title=name, head=lines_of_text)
        figure.set_dpi(200)
        figure.draw_without_rendering()
        width, height = figure.get_size_inches() * 200
        for text in figure.axes[0].texts:
            extent = text.get_window_extent()
            assert extent.x1 <= width, text.get_text()
            assert 0 <= extent.y0 < extent.y1 <= height, text.get_text()


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


def test_leads_beyond_the_twelve_have_rows_where_there_is_room_and_are_named_where_not() -> None:
    frank = rhythm(leads=(*LEADS, "vx", "vy", "vz"))
    assert "recorded but not drawn: vx, vy, vz (layout 12x1" in words(draw_ecg(frank))
    rows = draw_ecg(frank, layout="12x1")
    assert words(rows).split("\n")[-15:] == [*LEADS, "vx", "vy", "vz"]
    assert sum(len(x) == 5000 for x, _, _ in lines(rows)) == 15
    assert "not drawn" not in words(rows)
    many = rhythm(leads=(*LEADS, *(f"E{n}" for n in range(20))))
    assert "recorded but not drawn: E12, E13" in words(draw_ecg(many, layout="12x1"))


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
    assert words(figure).count("— no drug") == 2
    assert "II · dofetilide 500 ug" in words(figure)
    assert "dofetilide 500 ug: not recorded: V1, V2, V3, V4, V5, V6" in words(figure)


@pytest.mark.parametrize(("layout", "strip_s", "pairs"), [("3x4+1", 2.5, 12), ("12x1", 5.0, 12)])
def test_each_lead_has_its_like_beside_it_on_the_same_baseline_and_none_is_laid_over_it(
    layout: str, strip_s: float, pairs: int
) -> None:
    figure = draw_ecg(rhythm(), with_lead(rhythm(), "V6", rhythm().lead("V6") * 2), layout=layout)
    strips = [(x, y, color) for x, y, color in lines(figure) if len(x) == strip_s * FS_HZ]
    assert len(strips) == 2 * pairs
    for (x, y, first), (beside, y_beside, second) in itertools.pairwise(strips):
        if (first, second) == (BEFORE, AFTER):
            assert beside[0] - x[0] == pytest.approx(strip_s * 25)
            assert np.median(y) == pytest.approx(np.median(y_beside))
    assert [color for _, _, color in strips] == [BEFORE, AFTER] * pairs


def test_recordings_of_other_rates_and_lengths_stand_beside_each_other_from_their_own_start() -> None:
    slow, short = rhythm(30, fs_hz=250), rhythm(3, fs_hz=1000)
    figure = draw_strips([Shown(slow, "a", start_s=12.0), Shown(short, "b")])
    assert "a: 12–22 s of 30 s · b: 0–3 s of 3 s" in words(figure)
    longest = {color: max(np.ptp(x) for x, _, c in lines(figure) if c == color) for color in (BEFORE, AFTER)}
    assert longest == pytest.approx({BEFORE: 250, AFTER: 75}, abs=0.2)


def test_no_more_is_drawn_than_is_asked_for() -> None:
    figure = draw_strips([Shown(rhythm(30), start_s=4.0, length_s=3.0)])
    assert max(np.ptp(x) for x, _, _ in lines(figure)) == pytest.approx(75, abs=0.2)
    assert "4–7 s of 30 s" in words(figure)


def test_marks_lie_on_the_trace_at_their_time_in_the_colour_of_their_wave() -> None:
    marks = np.full((2, 12, len(FIDUCIALS)), np.nan)
    row = LEADS.index("II")
    marks[0, row, FIDUCIALS.index("qrs_on")] = 3.46
    marks[0, row, FIDUCIALS.index("t_peak")] = 3.8
    marks[1, row, FIDUCIALS.index("t_end")] = 40.0  # beyond what is drawn
    ecg = rhythm(20)
    figure = draw_strips([Shown(ecg, start_s=2.0, marks_s=marks)], layout="12x1")
    ticks = [c for c in figure.axes[0].collections if isinstance(c, LineCollection)]
    dots = [c for c in figure.axes[0].collections if isinstance(c, PathCollection)]
    assert [len(t.get_segments()) for t in ticks] == [1]
    (tick,) = ticks[0].get_segments()
    x, y = next(
        (x, y) for x, y, _ in lines(figure) if len(x) == 5000 and y.min() < tick[:, 1].mean() < y.max()
    )
    assert tick[0, 0] == tick[1, 0] == pytest.approx(EDGE_MM + PRE_MM + 1.46 * 25)
    assert tick[:, 1].mean() == pytest.approx(y[np.argmin(np.abs(x - tick[0, 0]))])
    (dot,) = dots[0].get_offsets()
    assert dot[0] == pytest.approx(EDGE_MM + PRE_MM + 1.8 * 25)
    assert to_hex(ticks[0].get_colors()[0]) != to_hex(dots[0].get_facecolor()[0])
    assert "P green, QRS purple, T orange" in words(figure)


def test_without_marks_there_is_no_word_of_them() -> None:
    assert "marks" not in words(draw_ecg(rhythm()))
    empty = np.full((0, 12, len(FIDUCIALS)), np.nan)
    assert "marks" not in words(draw_strips([Shown(rhythm(), marks_s=empty)]))


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
    assert words(draw_ecg(read_ecg(data / "ptb/s0010_re"), layout="12x1")).endswith("V6\nvx\nvy\nvz")
    assert save_figure(figure, tmp_path / "ptb.png").stat().st_size > 50_000
