"""Ranking: "no drug" always in the table, the goal before the risk, the excluded named with their rules."""

from dataclasses import replace
from typing import Any

import pytest

from tools.case import Case
from tools.errors import MissingInputError
from tools.rank import RankResult, rank_candidates
from worldmodel.delineation.measure import measure
from worldmodel.ecg import LEADS, Ecg
from worldmodel.measurement import Rhythm


@pytest.fixture
def fast_case(case: Case, made_ecg: Any) -> Case:
    """The same man at 125/min, labelled as in atrial fibrillation, for rate control."""
    ecg = made_ecg(hr_bpm=125.0, qt_ms=330.0)
    measured = replace(measure(ecg), rhythm=Rhythm("atrial_fibrillation", 0.9))
    patient = case.patient.model_copy(update={"goal": "rate-control"}) if case.patient else None
    return replace(case, ecg=ecg, measurement=measured, patient=patient)


def places(result: RankResult) -> dict[str, int]:
    return {row.action.text: row.rank for row in result.ranking}


def test_no_drug_is_in_the_table_and_is_the_reference(case: Case, model: Any) -> None:
    result = rank_candidates(case, drugs=["atenolol"], k=2, model=model)
    assert "no drug" in places(result)
    assert result.reference.action.text == "no drug"
    assert [row.rank for row in result.ranking] == list(range(1, len(result.ranking) + 1))


def test_all_candidates_are_one_batch(case: Case, model: Any) -> None:
    result = rank_candidates(case, drugs=["atenolol", "dofetilide"], k=2, model=model)
    assert [len(call) for call in model.calls] == [len(result.ranking)]
    assert {row.k for row in result.ranking} == {2}


def test_without_a_goal_a_risky_drug_ranks_below_doing_nothing_and_the_user_is_told_why(
    case: Case, model: Any
) -> None:
    result = rank_candidates(case, drugs=["dofetilide"], model=model)
    assert places(result)["no drug"] == 1
    worst = result.ranking[-1]
    assert worst.delta_risk is not None
    assert worst.delta_risk > 0.2
    assert any("QTcF" in reason for reason in worst.reasons)
    assert any("risk alone" in warning for warning in result.warnings)


def test_the_score_is_mean_plus_lambda_sd(case: Case, model: Any) -> None:
    result = rank_candidates(case, drugs=["dofetilide"], lambda_=2.0, model=model)
    for row in result.ranking:
        assert row.score is not None
        assert row.risk_mean is not None
        assert row.risk_sd is not None
        assert row.score == pytest.approx(row.risk_mean + 2.0 * row.risk_sd, abs=2e-4)


def test_a_drug_that_reaches_the_goal_beats_doing_nothing(fast_case: Case, model: Any) -> None:
    """Trap 13 of the paper: by risk alone the drug that does nothing would win."""
    result = rank_candidates(fast_case, drugs=["diltiazem"], k=2, model=model)
    first, nothing = result.ranking[0], result.reference
    assert first.goal is not None
    assert nothing.goal is not None
    assert first.goal.attained_probability == 1.0
    assert nothing.goal.attained_probability == 0.0
    assert first.rank < nothing.rank


def test_a_goal_no_ecg_can_show_is_null_with_a_reason(case: Case, model: Any) -> None:
    result = rank_candidates(case, goal="rhythm-control", drugs=["sotalol"], model=model)
    assert {row.goal.attained_probability for row in result.ranking if row.goal} == {None}
    assert result.reference.goal is not None
    assert result.reference.goal.reason


def test_a_risk_of_which_most_is_unknown_ranks_below_one_that_is_known(
    case: Case, model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A drug that flattens the ECG until nothing can be measured must not look safe for it."""
    honest = model.simulate

    def flattened(*arguments: Any, **options: Any) -> Any:
        simulation = honest(*arguments, **options)
        samples_mv = simulation.samples_mv.copy()
        samples_mv[1:, 1:] = 0.0  # all but one sample of every drug
        return replace(simulation, samples_mv=samples_mv)

    monkeypatch.setattr(model, "simulate", flattened)
    result = rank_candidates(case, drugs=["verapamil"], model=model)
    assert places(result)["no drug"] == 1
    assert {row.lower_bound for row in result.ranking[1:]} == {True}
    assert any("not measurable in 2 of 3 samples" in reason for reason in result.ranking[1].reasons)


def test_without_goal_and_drugs_the_usual_ones_are_ranked_and_the_user_is_told(
    case: Case, model: Any
) -> None:
    result = rank_candidates(replace(case, patient=None), k=1, model=model)
    considered = {verdict.action.drugs[0].name for verdict in result.excluded}
    considered |= {row.action.drugs[0].name for row in result.ranking if row.action.drugs}
    assert {"metoprolol", "dofetilide"} <= considered
    assert "vasopressin" not in considered
    assert any("--goal" in warning for warning in result.warnings)


def test_the_excluded_are_listed_with_their_rules_and_not_ranked(case: Case, model: Any) -> None:
    without = replace(case, patient=None)
    result = rank_candidates(without, drugs=["dofetilide"], model=model)
    assert list(places(result)) == ["no drug"]
    assert result.excluded
    for verdict in result.excluded:
        assert verdict.verdict in ("blocked", "cannot_evaluate")
        assert verdict.rules or verdict.reason


def test_each_drug_is_looked_at_when_it_peaks_unless_told_otherwise(case: Case, model: Any) -> None:
    hours = {
        row.action.text: row.hours
        for row in rank_candidates(case, drugs=["verapamil"], k=1, model=model).ranking
    }
    assert len(set(hours.values())) > 1
    fixed = rank_candidates(case, drugs=["verapamil"], k=1, hours=3.0, model=model)
    assert {row.hours for row in fixed.ranking} == {3.0}


def test_the_json_uses_the_contracts_names(case: Case, model: Any) -> None:
    row = rank_candidates(case, drugs=["atenolol"], k=2, model=model).model_dump(mode="json")["ranking"][0]
    contract = (
        "rank",
        "action",
        "score",
        "risk_mean",
        "risk_sd",
        "delta_risk",
        "lambda",
        "k",
        "goal",
        "intervals",
    )
    assert [name for name in (*contract, "verdict", "reasons") if name not in row] == []
    assert "lambda_" not in row


def test_rows_find_their_waveforms(case: Case, model: Any) -> None:
    result = rank_candidates(case, drugs=["dofetilide"], model=model)
    for row in result.ranking:
        ecg = Ecg(result.waveforms.samples_mv[result.row_in_waveforms(row), 0], result.waveforms.fs_hz, LEADS)
        qt_ms = measure(ecg).intervals.qt_ms
        assert qt_ms is not None
        assert row.intervals["qt_ms"] == pytest.approx(qt_ms + 3.0, abs=3.0)


def test_without_an_ecg_nothing_is_ranked(case: Case, model: Any) -> None:
    with pytest.raises(MissingInputError):
        rank_candidates(replace(case, ecg=None, measurement=None), drugs=["verapamil"], model=model)


def test_a_goal_that_is_met_without_a_drug_is_said(case: Case, fast_case: Case, model: Any) -> None:
    """Ranking drugs for the rate of a heart that beats at 70 would look like advice."""
    met = "already meets the goal of rate-control"
    at_rest = rank_candidates(case, goal="rate-control", drugs=["atenolol"], k=2, model=model)
    assert any(met in warning for warning in at_rest.warnings)
    fast = rank_candidates(fast_case, goal="rate-control", drugs=["atenolol"], k=2, model=model)
    assert not any(met in warning for warning in fast.warnings)
