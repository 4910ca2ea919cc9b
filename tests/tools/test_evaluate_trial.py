"""The trial's evaluation as a tool: its table, its warnings, and its file."""

import csv
from pathlib import Path

import pytest

from tests.worldmodel.datasets_tables import write_table
from tools.errors import OutputError
from tools.evaluate_trial import evaluate_trial
from worldmodel.errors import DataSetError


def test_predictions_have_a_row_for_each_subject_arm_and_time_after_the_dose(tmp_path: Path) -> None:
    out = tmp_path / "predictions.csv"
    result = evaluate_trial(write_table(tmp_path / "table.csv"), predictions=out)
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert len(rows) == 3 * 2 * 3
    assert {row["EXTRT"] for row in rows} == {"Placebo", "Dofetilide"}
    peak = next(row for row in rows if row["EXTRT"] == "Dofetilide" and float(row["TPT"]) == 2.5)
    assert float(peak["qtcf_ms_q05"]) < float(peak["qtcf_ms_mean"]) < float(peak["qtcf_ms_q95"])
    assert 30.0 < float(peak["qtcf_ms_mean"]) < 90.0
    assert {score.interval for score in result.scores} >= {"qtcf_ms", "pr_ms", "hr_bpm"}
    assert not any("in-sample" in warning for warning in result.warnings)


def test_what_was_seen_early_draws_the_rest_towards_it(tmp_path: Path) -> None:
    table = write_table(tmp_path / "table.csv")

    def qtcf(result_file: Path) -> float:
        rows = csv.DictReader(result_file.read_text().splitlines())
        return next(
            float(row["qtcf_ms_mean"]) for row in rows if row["EXTRT"] == "Dofetilide" and row["TPT"] == "6"
        )

    evaluate_trial(table, predictions=tmp_path / "a.csv")
    evaluate_trial(table, predictions=tmp_path / "b.csv", observe_until_h=2.5)
    true = 0.6 * 38.0
    assert abs(qtcf(tmp_path / "b.csv") - true) < abs(qtcf(tmp_path / "a.csv") - true)


def test_subjects_that_were_fitted_are_told(tmp_path: Path) -> None:
    result = evaluate_trial(write_table(tmp_path / "table.csv", (1001, 2)))
    assert any("1 of 2 subjects" in warning and "in-sample" in warning for warning in result.warnings)


def test_a_folder_that_is_not_there_and_an_unknown_arm_are_told_before_the_work(tmp_path: Path) -> None:
    table = write_table(tmp_path / "table.csv")
    with pytest.raises(OutputError, match="no folder"):
        evaluate_trial(table, predictions=tmp_path / "none" / "p.csv")
    strange = write_table(tmp_path / "b.csv", EXTRT="Aspirin")
    with pytest.raises(DataSetError, match="Aspirin"):
        evaluate_trial(strange)


def test_one_subject_or_no_placebo_arm_is_scored_without_a_band(tmp_path: Path) -> None:
    """A table of that layout need not be a whole trial."""
    one = evaluate_trial(write_table(tmp_path / "one.csv", (7,)))
    assert {row.inside for row in one.profile} == {0}
    assert {score.mae_of_mean_effect for score in one.scores} == {None}
    drug_alone = evaluate_trial(write_table(tmp_path / "drug.csv", EXTRT="Dofetilide"))
    assert drug_alone.profile == () and drug_alone.scores
