"""simulate, rank and mask through the command line, with a made world model: the envelopes scripts rely on."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent.cli import app
from tests.tools.conftest import FS_HZ, MadeModel, made_samples
from tools.files import write_simulated
from worldmodel.ecg import LEADS, Ecg

PATIENT = Path(__file__).parents[2] / "examples" / "healthy_volunteer.json"


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A WFDB record of a made ECG in sinus rhythm."""
    folder = tmp_path_factory.mktemp("record")
    samples = made_samples().astype(np.float32)[None]
    pre = Ecg(made_samples(), FS_HZ, LEADS)
    return Path(write_simulated(folder, pre, "no drug", 2.0, 0, samples, FS_HZ)[0])


@pytest.fixture(autouse=True)
def made_model(monkeypatch: pytest.MonkeyPatch) -> MadeModel:
    """The shipped weights stay out of these tests."""
    model = MadeModel()
    for module in ("tools.simulate", "tools.rank"):
        monkeypatch.setattr(f"{module}.shared_model", lambda: model)
    return model


def run(*words: object, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        app([str(word) for word in words])
    return int(ended.value.code or 0), *capsys.readouterr()


def run_json(*words: object, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    code, out, err = run(*words, "--json", capsys=capsys)
    assert (code, err) == (0, "")
    envelope: dict[str, Any] = json.loads(out)
    assert envelope["command"] == words[0]
    assert envelope["schema_version"] == 1
    data: dict[str, Any] = envelope["data"]
    return data


def test_simulate_gives_what_the_contract_says(
    record: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = (
        "--patient",
        PATIENT,
        "--drug",
        "dofetilide",
        "--dose",
        "500 ug",
        "-k",
        2,
        "--out",
        tmp_path / "out",
    )
    (action,) = run_json("simulate", "--ecg", record, *words, capsys=capsys)["actions"]
    assert action["action"]["drugs"] == [{"name": "dofetilide", "dose": "500 ug", "route": "oral"}]
    assert len(action["samples"]) == 2
    assert set(action["samples"][0]) >= {"intervals", "risk"}
    assert set(action["summary"]["qtcf_ms"]) >= {"mean", "sd", "q05", "q50", "q95"}
    assert set(action["delta"]["qtcf_ms"]) >= {"mean", "sd", "q05", "q95"}
    assert set(action["support"]) >= {"in_distribution", "score", "reasons"}
    assert all(Path(file).is_file() for file in action["files"])


def test_the_same_seed_prints_the_same_numbers(record: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = (
        "simulate",
        "--ecg",
        record,
        "--patient",
        PATIENT,
        "--action",
        "verapamil 120 mg oral",
        "--seed",
        5,
    )
    assert run_json(*words, capsys=capsys) == run_json(*words, capsys=capsys)


def test_a_refusal_is_exit_code_6_and_nothing_is_simulated(
    record: Path, made_model: MadeModel, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("simulate", "--ecg", record, "--patient", PATIENT, "--drug", "dofetilide", "--dose", "500 mg")
    code, out, _ = run(*words, "--json", capsys=capsys)
    assert code == 6
    assert json.loads(out)["error"]["code"] == "safety_refusal"
    assert made_model.calls == []


def test_rank_gives_what_the_contract_says(record: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--patient", PATIENT, "--drug", "verapamil", "--goal", "rate-control", "-k", 2)
    data = run_json("rank", "--ecg", record, *words, capsys=capsys)
    assert set(data) >= {"ranking", "excluded", "reference", "model"}
    assert set(data["model"]) >= {"name", "version", "trained_on", "synthetic"}
    row = data["ranking"][0]
    assert set(row) >= {
        "rank",
        "action",
        "score",
        "risk_mean",
        "risk_sd",
        "delta_risk",
        "lambda",
        "k",
        "goal",
    }
    assert set(row) >= {"intervals", "verdict", "reasons"}
    assert set(row["goal"]) >= {"name", "attained_probability"}
    assert data["reference"]["action"]["drugs"] == []


def test_rank_goes_by_the_risk_that_is_asked_for(record: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--patient", PATIENT, "--drug", "verapamil", "-k", 2, "--risk", "labels", "--pooling", "top3")
    data = run_json("rank", "--ecg", record, *words, capsys=capsys)
    assert (data["judged_by"]["risk"], data["judged_by"]["pooling"]) == ("labels", "top3")
    assert data["judged_by"]["label_model"]["name"] == "ecgwm labels"
    row = data["ranking"][0]
    assert row["risk_mean"] == row["risks"]["labels"]["mean"]
    assert set(row["risks"]) == {"intervals", "labels", "combined"}
    assert set(row["tisdale"]) >= {"points", "most", "level", "lower_bound", "known", "unknown", "source"}


@pytest.mark.parametrize("command", ["simulate", "rank"])
@pytest.mark.parametrize("option, known", [("--risk", "combined"), ("--pooling", "signed")])
def test_a_risk_or_pooling_that_is_none_is_wrong_usage(
    command: str, option: str, known: str, record: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    what = ("--action", "verapamil 120 mg oral") if command == "simulate" else ("--drug", "verapamil")
    code, out, _ = run(command, "--ecg", record, *what, option, "median", "--json", capsys=capsys)
    error = json.loads(out)["error"]
    assert (code, error["code"]) == (2, "usage")
    assert option in error["message"]
    assert known in error["message"]
    assert error["hint"]


@pytest.mark.parametrize("command", ["simulate", "rank"])
def test_a_file_that_is_no_ecg_fm_is_a_missing_configuration(
    command: str, record: Path, made_model: MadeModel, capsys: pytest.CaptureFixture[str]
) -> None:
    what = ("--action", "no drug") if command == "simulate" else ("--drug", "verapamil")
    code, out, _ = run(command, "--ecg", record, *what, "--ecgfm", PATIENT, "--json", capsys=capsys)
    assert (code, json.loads(out)["error"]["code"]) == (3, "weights")
    assert "mimic_iv_ecg_finetuned.pt" in json.loads(out)["error"]["hint"]
    assert made_model.calls == []


@pytest.mark.parametrize("command", ["simulate", "rank", "mask"])
def test_people_get_text_on_stdout(command: str, record: Path, capsys: pytest.CaptureFixture[str]) -> None:
    what = ("--action", "verapamil 120 mg oral") if command != "rank" else ("--drug", "verapamil")
    code, out, err = run(command, "--ecg", record, "--patient", PATIENT, *what, capsys=capsys)
    assert code == 0
    assert "verapamil" in out
    assert "Traceback" not in err
    assert not out.lstrip().startswith("{")


def test_mask_gives_one_verdict_for_each_action(record: Path, capsys: pytest.CaptureFixture[str]) -> None:
    actions = ("--action", "verapamil 120 mg oral", "--action", "unobtainium 1 mg oral")
    first, second = run_json("mask", "--ecg", record, "--patient", PATIENT, *actions, capsys=capsys)[
        "verdicts"
    ]
    assert set(first) >= {"action", "verdict", "rules", "missing"}
    assert second["verdict"] == "cannot_evaluate"
    assert "unobtainium" in second["reason"]


@pytest.mark.parametrize("hours", ["nan", "-1", "100"])
def test_an_evaluation_that_would_score_nothing_is_wrong_usage(
    hours: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Beyond the trial's last time no pair was left, and its empty table came with exit code 0."""
    code, out, _ = run(
        "evaluate", "ecgrdvq", "--data", tmp_path, "--observe-until", hours, "--json", capsys=capsys
    )
    assert (code, json.loads(out)["error"]["code"]) == (2, "usage")
