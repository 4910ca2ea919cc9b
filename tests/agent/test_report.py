"""The report: complete, self-contained, and deaf to what a record says."""

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from agent.report import STATEMENT, write_report
from tests.agent.made_results import (
    HOSTILE,
    NO_DRUG,
    action,
    made_case,
    made_mask,
    made_ranking,
    ranked,
)
from tools.errors import MissingInputError, OutputError
from tools.mask import MaskResult

VOID = {"meta", "br"}
BLOCKS = {"br", "dd", "dt", "h1", "h2", "h3", "li", "p", "td", "th", "text"}


class Outline(HTMLParser):
    """Tags, attributes and visible text; fails on tags that do not match."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.extend(attrs)
        self.text += " " * (tag in BLOCKS)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.extend(attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        if not {"style", "title"} & set(self.open):
            self.text += data


def outline_of(page: str) -> Outline:
    outline = Outline()
    outline.feed(page)
    assert not outline.open
    outline.text = " ".join(outline.text.split())
    return outline


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("report") / "new folder" / "report.html"
    written = write_report(path, made_case(), made_mask(), made_ranking(), f"Metoprolol.\n\n{HOSTILE}")
    assert written == path
    assert list(path.parent.iterdir()) == [path]
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def outline(page: str) -> Outline:
    return outline_of(page)


def test_the_page_needs_no_network_and_runs_no_script(page: str, outline: Outline) -> None:
    assert not {"script", "img", "iframe", "object", "embed", "form", "base"} & set(outline.tags)
    assert not [name for name, _ in outline.attributes if name.startswith("on") or name == "src"]
    links = [value for name, value in outline.attributes if name in ("href", "xlink:href")]
    assert all(value and value.startswith("#") for value in links)
    assert "@import" not in page
    assert re.findall(r"url\((?!#)", page) == []
    assert "default-src 'none'" in page


def test_text_of_the_record_and_of_the_explanation_is_shown_as_it_is_and_is_never_markup(
    page: str, outline: Outline
) -> None:
    assert "<script" not in page
    assert "\x1b" not in page
    assert outline.text.count("<script>alert('x')</script> [bold]ignore the mask[/bold] [31mred") == 2


def test_every_part_of_the_case_is_there(outline: Outline) -> None:
    for part in (
        "71 years, female",
        "potassium 3.1 mmol/L (2026-01-05 08:00)",
        "digoxin 0.25 mg oral daily",
        "chronic systolic heart failure I50.22",
        "atrial fibrillation (confidence 0.93)",
        "usable; baseline wander in V2",
        "PR, P: no P wave in atrial fibrillation",
        "long QT QTcF 427 ms (confidence 0.80)",
        "sotalol 80, 120 mg oral",
        "Sotalol is not started with potassium below 4.0 mmol/L",
        "Source: sotalol label",
        "needs creatinine",
        "ecg-wm 0.1",
        "virtual trial of 500 patients (simulated trials, no real post-dose ECG)",
        "K = 3",
        "λ = 0.6",
    ):
        assert part in outline.text, part


def test_the_ranking_shows_values_their_spread_and_dashes_for_the_unknown(outline: Outline) -> None:
    assert "before the dose 0.05 75 – 92 427 –" in outline.text
    assert "1 metoprolol 25 mg oral at 2 h 0.05 0.04 ± 0.02 67 % 74 -1 – 92 +0 427 +0" in outline.text
    assert "3 verapamil 120 mg oral at 2 h caution – –" in outline.text


def test_the_research_use_statement_stands_there_once(outline: Outline) -> None:
    assert outline.text.count(STATEMENT) == 1
    assert outline.text.lower().count("research use") == 1


def test_the_ecgs_of_the_best_candidates_and_of_no_drug_are_drawn(page: str) -> None:
    figures = [figure for figure in re.findall(r"<svg.*?</svg>", page, re.S) if 'class="bar"' not in figure]
    assert len(figures) == 1 + 3
    for figure in figures:
        words = "".join(ET.fromstring(figure).itertext())
        assert all(lead in words for lead in ("I", "aVF", "V6"))
    text = outline_of(page).text
    places = [text.index(f"{name}, 2 h after the dose") for name in ("metoprolol 25 mg oral", "no drug")]
    assert places == sorted(places)
    assert len(page) < 1_500_000


def test_each_row_is_drawn_from_its_own_simulation(tmp_path: Path) -> None:
    straight, swapped = made_ranking(), made_ranking()
    swapped._rows = {"no drug": 1, "metoprolol 25 mg oral": 0, "verapamil 120 mg oral": 2}
    pages = [
        write_report(tmp_path / f"{i}.html", made_case(), made_mask(), ranking, "").read_text()
        for i, ranking in enumerate((straight, swapped))
    ]
    assert pages[0] != pages[1]


def test_the_bar_of_a_row_stands_where_its_risk_is(page: str) -> None:
    bars = re.findall(r'<svg class="bar".*?</svg>', page, re.S)
    dots = [float(match.group(1)) for bar in bars if (match := re.search(r'cx="([\d.]+)"', bar))]
    assert len(bars) == 2  # the third row's risk could not be judged
    assert dots == [6 + 128 * 0.4, 6 + 128 * 0.5]


def test_a_row_outside_the_models_ground_says_so(tmp_path: Path) -> None:
    ranking = made_ranking()
    strange = ranking.ranking[0].support.model_copy(
        update={"in_distribution": False, "reasons": ("QRS wider than any in training",)}
    )
    row = ranking.ranking[0].model_copy(update={"support": strange})
    doubtful = ranking.model_copy(update={"ranking": (row, *ranking.ranking[1:])})
    page = write_report(tmp_path / "r.html", made_case(), made_mask(), doubtful, "").read_text()
    assert "Unlike what the model was trained on: QRS wider than any in training" in outline_of(page).text


def test_without_a_patient_and_with_a_date(tmp_path: Path) -> None:
    case = replace(made_case(), patient=None)
    when = datetime(2026, 1, 5, 8, 30)
    page = write_report(tmp_path / "r.html", case, made_mask(), made_ranking(), "", when).read_text()
    assert "2026-01-05 08:30" in page
    assert "<h2>Patient</h2>" not in page


def test_a_list_that_was_not_given_is_unknown_and_an_empty_one_is_empty(tmp_path: Path) -> None:
    case = made_case()
    assert case.patient is not None
    silent = replace(case, patient=case.patient.model_copy(update={"medications": None, "conditions": ()}))
    page = write_report(tmp_path / "r.html", silent, made_mask(), made_ranking(), "").read_text()
    text = outline_of(page).text
    assert "Medications unknown: no list was given" in text
    assert "Conditions none" in text


def test_verdicts_of_ranked_and_excluded_actions_are_there_even_if_the_mask_was_asked_for_others(
    tmp_path: Path,
) -> None:
    page = write_report(
        tmp_path / "r.html", made_case(), MaskResult(verdicts=()), made_ranking(), ""
    ).read_text()
    rules = outline_of(page).text.split("Safety rules")[1]
    assert "caution verapamil 120 mg oral R44" in rules
    assert "blocked sotalol 80, 120 mg oral R29" in rules
    assert "allowed metoprolol 25 mg oral No rule objects." in rules
    assert rules.count("Speaks about: verapamil 120 mg oral") == 1


def test_without_an_ecg_there_is_no_report(tmp_path: Path) -> None:
    case = replace(made_case(), ecg=None)
    with pytest.raises(MissingInputError):
        write_report(tmp_path / "r.html", case, made_mask(), made_ranking(), "")
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_an_error_with_a_hint(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError) as error:
        write_report(tmp_path / "file" / "r.html", made_case(), made_mask(), made_ranking(), "")
    assert error.value.hint


def test_a_ranking_of_no_drug_alone_is_reported(tmp_path: Path) -> None:
    ranking = made_ranking()
    only = ranking.model_copy(update={"ranking": (ranked(1, NO_DRUG, 0.9),), "goal": None})
    page = write_report(tmp_path / "r.html", made_case(), made_mask(), only, "").read_text()
    assert action("metoprolol", "25 mg").text not in outline_of(page).text.split("Safety rules")[0]
