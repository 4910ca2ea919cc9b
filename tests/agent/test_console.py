"""The terminal: readable in 80 columns and without colour, complete, and safe to print."""

import io
from collections.abc import Callable

import pytest
from rich.console import Console

from agent.console import print_mask, print_measure, print_ranking, print_simulation
from tests.agent.made_results import JUDGED_BY, made_mask, made_measurements, made_ranking, made_simulation
from tools.mask import MaskResult

SHOWN: dict[str, Callable[[Console], None]] = {
    "measure": lambda console: print_measure(console, made_measurements()),
    "mask": lambda console: print_mask(console, made_mask()),
    "simulation": lambda console: print_simulation(console, made_simulation()),
    "ranking": lambda console: print_ranking(console, made_ranking()),
}


def printed(name: str, width: int = 80) -> str:
    """What is shown, as it would be written to a log file."""
    out = io.StringIO()
    SHOWN[name](Console(file=out, width=width, color_system=None))
    return out.getvalue()


def unwrapped(name: str) -> str:
    return " ".join(printed(name).split())


@pytest.mark.parametrize("name", SHOWN)
@pytest.mark.parametrize("width", [80, 60])
def test_every_line_fits_and_nothing_is_cut_with_an_ellipsis(name: str, width: int) -> None:
    text = printed(name, width)
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text


@pytest.mark.parametrize("name", SHOWN)
def test_no_terminal_escape_of_a_record_reaches_the_terminal(name: str) -> None:
    assert "\x1b" not in printed(name)


def test_markup_in_a_file_name_is_printed_as_it_is() -> None:
    assert "[bold]ignore the mask[/bold]" in unwrapped("measure")


def test_what_is_not_measurable_is_a_dash_with_its_reason_below() -> None:
    text = unwrapped("measure")
    assert "75 800 – 92 396 427 443 210 84 –" in text
    assert "not measurable: PR, P: no P wave in atrial fibrillation" in text
    assert "not recorded: V1, V2, V3, V4, V5, V6" in text
    assert "atrial fibrillation (confidence 0.93)" in text


def test_a_file_that_could_not_be_read_says_why_and_what_to_do() -> None:
    assert "folder/gone.hea not read: There is no recording. hint: Check the path." in unwrapped("measure")


def test_the_mask_shows_each_verdict_and_each_rule_once_with_its_evidence() -> None:
    text = unwrapped("mask")
    assert "blocked sotalol 80, 120 mg oral R29" in text
    assert "cannot evaluate dofetilide 500 ug oral needs creatinine" in text
    assert text.count("Sotalol is not started with potassium below 4.0 mmol/L") == 1
    assert "Patient: potassium 3.1 mmol/L. Source: sotalol label" in text


def test_a_simulation_shows_value_and_change_with_their_spread_and_its_doubts() -> None:
    text = unwrapped("simulation")
    assert "QTcF ms 427 461 ± 8 452 to 470 +35 ± 8 +25 to +43" in text
    assert "unlike what the model was trained on" in text
    assert "QRS wider than any in training" in text
    assert "over 3 samples, seed 7" in text
    assert "not measurable: PR: in 3 of 3 samples: no P wave" in text


def test_the_ranking_shows_score_risk_goal_and_intervals_in_order() -> None:
    lines = [" ".join(line.split()) for line in printed("ranking", 120).splitlines()]
    assert "before the dose 0.05 0.11 75 – 92 427" in lines
    assert "1 metoprolol 25 mg oral at 2 h 0.05 0.04 ± 0.02 0.13 67 % 74 – 92 427 +0" in lines
    assert "2 no drug at 2 h 0.06 0.05 ± 0.02 0.14 67 % 74 – 92 427 +0" in lines
    assert "3 verapamil 120 mg oral at 2 h (caution: R44) – – – 67 % 74 – 92 – –" in lines


@pytest.mark.parametrize("name", ["ranking", "simulation"])
def test_the_caption_says_which_risk_and_what_the_combined_one_is_made_of(name: str) -> None:
    text = unwrapped(name)
    assert "risk: by the intervals; combined: intervals, 17 labels of ecgwm labels pooled by sign" in text
    assert "circumstances by Tisdale" in text


def test_a_risk_by_labels_is_told_with_its_pooling_and_the_combined_one_beside_it() -> None:
    used = JUDGED_BY.model_copy(update={"risk": "labels", "pooling": "top3"})
    out = io.StringIO()
    result = made_ranking().model_copy(update={"judged_by": used})
    print_ranking(Console(file=out, width=120, color_system=None), result)
    text = " ".join(out.getvalue().split())
    assert "labels bined" in text
    assert (
        "by the 17 labels of ecgwm labels pooled by their top3 as in the paper, sinus rhythm a danger" in text
    )


def test_tisdale_is_told_item_by_item_and_as_a_lower_bound() -> None:
    text = unwrapped("ranking")
    assert "Tisdale: 4 to 7 points of 21, low to moderate: female 1, heart failure 3; not acute" in text
    assert "unknown, so the score is a lower bound: sepsis" in text
    assert text.count("Tisdale:") == 2
    assert "7 to 10 points of 21, moderate, with a QT drug 3: verapamil 120 mg oral" in text
    assert "Tisdale: 7 to 10 points of 21, moderate: female 1" in unwrapped("simulation")


def test_the_ranking_says_how_it_was_made_and_what_was_excluded_and_why() -> None:
    text = unwrapped("ranking")
    assert "mean risk + 0.6 SD over 3 samples" in text
    assert "simulated trials, no real post-dose ECG" in text
    assert "Excluded, never simulated" in text
    assert "sotalol 80, 120 mg oral – blocked: Sotalol is not started with potassium below 4.0 mmol/L" in text
    assert "[R29: sotalol label]" in text
    assert "dofetilide 500 ug oral – cannot evaluate: needs creatinine" in text
    assert "Verapamil raises the digoxin level" in text
    assert "every row: QTcF within limits" in text


def test_an_empty_mask_is_shown_without_a_fault() -> None:
    out = io.StringIO()
    print_mask(Console(file=out, width=80), MaskResult(verdicts=()))
    assert "verdict" in out.getvalue()
