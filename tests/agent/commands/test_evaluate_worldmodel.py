"""`evaluate worldmodel` and `evaluate ablations` as people meet them."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from agent.cli import app
from agent.console_worldmodel import print_worldmodel
from tests.worldmodel.evaluation.made_comparison import made_comparison
from tools import evaluate, evaluate_ablations
from tools.evaluate import ARMS, EffectGiven, EvaluationResult, Fidelity, LeadsMissing, RollOutStep, arms
from tools.evaluate_ablations import Ablation, AblationsResult
from tools.results import ModelUsed
from tools.worldmodel_goals import goal_rows
from worldmodel.evaluation import forecast_scores
from worldmodel.evaluation.fidelity import FidelityRow
from worldmodel.evaluation.missing_leads import MissingRow
from worldmodel.evaluation.roll_outs import StepRow

MODEL = ModelUsed(name="made", version="0", trained_on="nothing", synthetic=True, sha256="0" * 64)


@pytest.fixture
def result(monkeypatch: pytest.MonkeyPatch) -> EvaluationResult:
    monkeypatch.setattr(forecast_scores, "RESAMPLES", 5)
    compared = made_comparison(patients=30)
    actions = dict(zip(compared.actions, list(arms().values())[:3], strict=True))
    errors = dict.fromkeys((name for name in RollOutStep.model_fields if name.endswith("_ms")), 123.4)
    return EvaluationResult(
        patients=30,
        k=8,
        seed=0,
        goals=goal_rows(
            compared,
            actions,
            [MissingRow(("V1",), 3, -3.5, 1.0)],
            [StepRow(5, 10, 12.0, 1.0, 10.0, 9.0, 0.0, 10.0)],
            [FidelityRow("qt_ms", 0, None, None, None)],
            "no folder of recordings was named with --data",
            [],
            0,
        ),
        effects=tuple(
            EffectGiven(
                action=text,
                hours=hours,
                interval="tpeak_tend_ms",
                pairs=30,
                true_mean=100.1,
                true_sd=20.2,
                simulated_mean=-100.1,
                simulated_sd=20.2,
                bias=-200.2,
            )
            for text, hours in ARMS
        ),
        summary=(),
        missing_leads=(LeadsMissing(leads=("V1",), patients=3, bias_ms=-3.5, sd_ms=1.0),),
        roll_out=(RollOutStep(step=5, action="ranolazine 1500 mg oral", patients=10, **errors),),
        encode_decode=(Fidelity(interval="qt_ms", recordings=3, bias_ms=1.0, sd_ms=2.0, median_abs_ms=0.5),),
        recordings=3,
        model=MODEL,
    )


def run(*words: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        app(["evaluate", *words])
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def test_the_table_fits_80_columns_and_marks_goals_without_colour(result: EvaluationResult) -> None:
    out = io.StringIO()
    print_worldmodel(Console(file=out, width=80), result)
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= 80 and "…" not in out.getvalue()
    qtcf = next(line for line in lines if line.startswith("QTcF bias"))
    assert qtcf.rstrip().endswith("++")
    missing = next(line for line in lines if line.startswith("one lead missing"))
    assert missing.rstrip().endswith("-")
    assert "Not measured, because no folder of recordings was named with --data" in out.getvalue()


def test_json_has_every_row_and_the_command_hands_over_what_it_was_told(
    result: EvaluationResult,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    called: list[tuple[object, ...]] = []

    def made(*given: object) -> EvaluationResult:
        called.append(given)
        return result

    monkeypatch.setattr(evaluate, "evaluate_worldmodel", made)
    words = ("worldmodel", "--patients", "30", "-k", "8", "--data", str(tmp_path), "--json")
    code, out, _ = run(*words, capsys=capsys)
    printed = json.loads(out)
    assert (code, printed["command"]) == (0, "evaluate worldmodel")
    assert len(printed["data"]["goals"]) == len(result.goals)
    assert printed["data"]["goals"][0]["beside"]["oracle"] is not None
    assert called == [(30, 8, 0, None, [tmp_path])]


def test_a_folder_that_is_not_there_is_told_before_anything_is_simulated(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, out, err = run("worldmodel", "--data", str(tmp_path / "nowhere"), capsys=capsys)
    assert code == 1 and not out
    assert "There is no folder" in err and "hint: " in err and "Traceback" not in err


def test_ablations_name_their_figures(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    one = Ablation(name="K", finding="three are few", figure=str(tmp_path / "k.png"), rows=({"k": 3},))
    made = AblationsResult(
        patients=2, steps=50, seed=0, ablations=(one,), table=str(tmp_path / "ablations.json"), model=MODEL
    )
    monkeypatch.setattr(evaluate_ablations, "evaluate_ablations", lambda *_: made)
    code, out, _ = run("ablations", "--out", str(tmp_path), "--patients", "2", "--steps", "50", capsys=capsys)
    assert code == 0 and "K: three are few" in out and "k.png" in out
