"""Evaluating the world model: the table is whole, judged as it is printed, and beside its rivals."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.worldmodel.evaluation.made_comparison import made_comparison
from tools import worldmodel_goals
from tools.evaluate import ARMS, NO_DATA, arms, evaluate_worldmodel, read_recordings
from tools.worldmodel_goals import Asked, Range, at_least, at_most, goal_rows
from worldmodel.ecg import Ecg
from worldmodel.errors import EcgFileError
from worldmodel.evaluation import comparison, forecast_scores, missing_leads
from worldmodel.evaluation.fidelity import FidelityRow, evaluate_fidelity
from worldmodel.evaluation.missing_leads import MissingRow
from worldmodel.evaluation.rivals import anchor_alone
from worldmodel.evaluation.roll_outs import StepRow
from worldmodel.model import WorldModel


def test_the_whole_table_of_a_small_evaluation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparison, "FITTED_PATIENTS", 4)
    monkeypatch.setattr(comparison, "GALLERY", 2)
    monkeypatch.setattr(missing_leads, "SINGLES", (("V2",),))
    monkeypatch.setattr(missing_leads, "PAIRS", (("V3", "V4"),))
    monkeypatch.setattr("tools.evaluate.STEPS", (0, 4))
    monkeypatch.setattr("tools.evaluate.RIVAL_SAMPLES", 1)
    monkeypatch.setattr("tools.evaluate.SAMPLES_IN_PASSING", (1, 2))
    monkeypatch.setattr(forecast_scores, "RESAMPLES", 5)
    monkeypatch.setattr("tools.evaluate.shared_model", lambda: anchor_alone(WorldModel.load()))
    result = evaluate_worldmodel(patients=2, k=3, seed=3)
    assert {(row.action, row.hours) for row in result.effects} == set(ARMS)
    assert len(result.effects) == 6 * len(ARMS)
    json.loads(json.dumps(result.model_dump(mode="json"), allow_nan=False))
    (qtc,) = (line for line in result.summary if line.interval == "qtcf_ms")
    true = [
        row.true_mean for row in result.effects if row.interval == "qtcf_ms" and row.true_mean is not None
    ]
    rms = (sum(value**2 for value in true) / len(true)) ** 0.5
    assert qtc.rms_bias_of_persistence == pytest.approx(rms, abs=0.1)
    goals = {row.name: row for row in result.goals}
    assert set(goals["QTcF bias"].beside) >= {"oracle", "persistence", "mean effect", "regression", "prior"}
    assert goals["QTcF bias"].beside["persistence"] > 30.0
    assert goals["VAE QT SD"].value is None and goals["VAE QT SD"].why_not == NO_DATA
    assert [row.step for row in result.roll_out] == [1, 2] and len(result.missing_leads) == 2


@pytest.mark.parametrize(
    "asked, low, high",
    [(at_most(3), 2.9, 3.1), (at_least(0.95), 0.96, 0.94), (Range(77, 83), 80, 76), (Range(77, 83), 83, 84)],
)
def test_a_range_holds_its_limits_and_nothing_beyond(asked: Range, low: float, high: float) -> None:
    assert asked.holds(low) is True and asked.holds(high) is False and asked.holds(None) is None


def test_a_value_is_judged_as_it_is_printed_and_unknown_is_not_met() -> None:
    asked = Asked("bias", "ms", 1, at_most(3), at_most(1.5))
    row = asked.row(3.04, (float("nan"), 4.0))
    assert (row.value, row.met, row.stretch_met, row.ci95) == (3.0, True, False, None)
    unknown = asked.row(float("nan"), why_not="nothing was measured")
    assert (unknown.value, unknown.met, unknown.why_not) == (None, None, "nothing was measured")
    assert (row.goal, str(Range(0.85, 1.15)), str(at_least(88))) == ("≤ 3", "0.85–1.15", "≥ 88")


def test_every_goal_of_the_issue_has_its_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forecast_scores, "RESAMPLES", 5)
    actions = dict(zip(made_comparison(patients=2).actions, list(arms().values())[:3], strict=True))
    rows = goal_rows(
        made_comparison(patients=60),
        actions,
        [MissingRow(("V1",), 3, -3.5, 1.0), MissingRow(("V1", "V2"), 3, 3.5, 1.0)],
        [StepRow(5, 10, 12.0, 1.0, 10.0, 9.0, 0.0, 10.0)],
        [FidelityRow("qt_ms", 20, -0.4, 3.5, 0.5)],
        None,
        ["verapamil hr_bpm"],
        0,
    )
    by = {row.name: row for row in rows}
    assert len(by) == len(rows)
    assert (by["one lead missing"].met, by["two leads missing"].met) == (False, True)
    assert by["roll-out, step 5"].value == 1.2 and by["roll-out, step 5"].met is True
    assert (by["VAE QT bias"].stretch_met, by["VAE QT SD"].met) == (True, False)
    asked = {row.name for row in rows if row.goal}
    for interval in ("QTcF", "J-Tpeakc", "Tpeak-Tend", "PR", "QRS", "HR"):
        assert f"{interval} bias" in asked
    for interval in ("QTcF", "Tpeak-Tend", "PR"):
        assert {f"{interval} spread", f"{interval} in 80 %", f"{interval} in 90 %"} <= asked
    assert {"false QTcF", "r QTcF of ceiling", "recognised"} <= asked
    assert {"delta-risk r", "delta-risk sign"} <= asked
    assert by["QTcF bias"].met is True and by["recognised"].value == 100.0


def test_a_roll_out_that_never_ended_says_so() -> None:
    nowhere = StepRow(5, 0, *[float("nan")] * 6)
    row = worldmodel_goals._rolled_row([nowhere])
    assert row.value is None and row.goal is None and row.why_not


def test_a_folder_is_read_file_by_file_and_a_missing_one_is_told(tmp_path: Path) -> None:
    with pytest.raises(EcgFileError, match="There is no folder"):
        read_recordings([tmp_path / "nowhere"])
    (tmp_path / "bad.hea").write_text("bad 12 500 5000\nbad.dat 16 1000 16 0 0 0 0 I\n")
    ecgs, doubts = read_recordings([tmp_path])
    assert not ecgs and len(doubts) == 1


def test_encode_decode_keeps_intervals_and_leaves_out_what_is_not_sinus(
    made_ecg: Callable[..., Ecg],
) -> None:
    ecg = made_ecg()
    flat = Ecg(np.zeros_like(ecg.samples_mv), ecg.fs_hz, ecg.leads)
    rows, used = evaluate_fidelity(WorldModel.load().vae, [ecg, flat])
    assert used == 1
    qt = next(row for row in rows if row.interval == "qt_ms")
    assert qt.recordings == 1 and abs(qt.bias_ms) < 8.0
