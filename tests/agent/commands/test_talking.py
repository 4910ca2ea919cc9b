"""`ask`, `threads` and `demo` as scripts meet them: envelopes, exit codes, and one clear line for what goes wrong."""

import json
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent.cli import app
from tests.agent.conftest import FS_HZ, StretchingModel, made_ecg
from tests.agent.openai_server import serving, text, tool_call

QUESTION = "What happens to the QTc if I give 500 ug dofetilide, and is verapamil safer?"
VOLUNTEER = {
    "age_years": 28,
    "sex": "male",
    "weight_kg": 76,
    "height_cm": 180,
    "conditions": [],
    "medications": [],
    "allergies": [],
    "labs": [
        {"name": "potassium", "value": 4.4, "unit": "mmol/L"},
        {"name": "magnesium", "value": 0.85, "unit": "mmol/L"},
        {"name": "calcium", "value": 2.35, "unit": "mmol/L"},
        {"name": "creatinine", "value": 80, "unit": "umol/L"},
    ],
    "lvef_percent": 62,
    "systolic_bp_mmhg": 121,
    "pacemaker": False,
    "continuous_ecg": True,
}


@pytest.fixture
def files(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:  # noqa: ARG001
    """--ecg and --patient of a healthy volunteer, and a made world model."""
    ecg = made_ecg()
    counts = np.round(ecg.samples_mv.T * 1000).astype("<i2")
    lines = [f"made {len(ecg.leads)} {FS_HZ:g} {len(counts)}"]
    lines += [f"made.dat 16 1000/mV 16 0 {counts[0, i]} 0 0 {lead}" for i, lead in enumerate(ecg.leads)]
    (tmp_path / "made.hea").write_text("\n".join(lines) + "\n")
    (tmp_path / "made.dat").write_bytes(counts.tobytes())
    (tmp_path / "volunteer.json").write_text(json.dumps(VOLUNTEER))
    monkeypatch.setattr("tools.simulate.shared_model", StretchingModel)
    monkeypatch.setattr("tools.rank.shared_model", StretchingModel)
    monkeypatch.setattr("tools.model.shared_model", StretchingModel)
    return ["--ecg", str(tmp_path / "made.hea"), "--patient", str(tmp_path / "volunteer.json")]


def run(*words: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    """Exit code and envelope of a command."""
    with pytest.raises(SystemExit) as ended:
        app([*words, "--json"])
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    envelope = json.loads(out)
    assert envelope["schema_version"] == 1
    return int(ended.value.code or 0), envelope


def test_ask_answers_as_the_contract_says(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    code, envelope = run("ask", QUESTION, *files, capsys=capsys)
    assert (code, envelope["command"]) == (0, "ask")
    data = envelope["data"]
    assert {"answer", "tool_calls", "simulations", "citations", "thread_id", "usage", "model"} <= set(data)
    assert [(call["name"], call["ok"]) for call in data["tool_calls"]] == [("simulate", True)]
    assert [s["action"]["text"] for s in data["simulations"]] == [
        "dofetilide 500 ug oral",
        "verapamil 120 mg oral",
    ]
    assert data["simulations"][0]["samples"]
    assert data["usage"] == {"input_tokens": 0, "output_tokens": 0}
    assert "dofetilide 500 ug oral" in data["answer"]
    assert "verapamil 120 mg oral has a lower simulated risk than dofetilide 500 ug oral" in data["answer"]


def test_ask_resumes_a_thread(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    _, first = run("ask", "What would verapamil 80 mg oral do to the PR?", *files, capsys=capsys)
    thread = first["data"]["thread_id"]
    _, second = run("ask", "and with half the dose?", "--thread", thread, capsys=capsys)
    assert second["data"]["tool_calls"][0]["args"]["actions"] == ["verapamil 40 mg oral"]
    _, listed = run("threads", "list", capsys=capsys)
    assert [(t["thread_id"], t["turns"]) for t in listed["data"]["threads"]] == [(thread, 2)]
    _, shown = run("threads", "show", thread, capsys=capsys)
    assert [turn["question"] for turn in shown["data"]["turns"]][1] == "and with half the dose?"


def test_ask_through_a_server_on_this_machine(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with serving(tool_call("measure_ecg", "{}"), text("The rate is 75 bpm.")) as server:
        code, envelope = run(
            "ask", "rate?", *files, "--base-url", server.url, "--model", "local", capsys=capsys
        )
    assert code == 0
    assert envelope["data"]["answer"] == "The rate is 75 bpm."
    assert envelope["data"]["model"] == "local"


def test_an_unreachable_server_is_exit_code_4(
    files: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.models.RETRIES", 0)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    code, envelope = run("ask", "rate?", *files, "--base-url", url, capsys=capsys)
    assert code == 4
    assert envelope["error"]["hint"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("ask", "  "), 2),
        (("ask", "What is her QTc?", "--ecg", "nowhere.hea"), 1),
        (("ask", "What is her QTc?", "--thread", "nobody"), 1),
        (("ask", "What is her QTc?", "--model", "gpt-x"), 3),
        (("ask", "What is her QTc?", "--base-url", "localhost"), 3),
        (("threads", "show", "nobody"), 1),
    ],
)
@pytest.mark.usefixtures("home")
def test_what_goes_wrong_is_one_line_with_a_hint(
    words: tuple[str, ...], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    ended, envelope = run(*words, capsys=capsys)
    assert ended == code
    assert envelope["error"]["message"]
    assert "\n" not in envelope["error"]["message"]


def test_export_writes_markdown(files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, asked = run("ask", "What is her QTc?", *files, capsys=capsys)
    with pytest.raises(SystemExit):
        app(["threads", "export", asked["data"]["thread_id"], "--out", str(tmp_path / "thread.md")])
    assert "## What is her QTc?" in (tmp_path / "thread.md").read_text("utf-8")


@pytest.mark.usefixtures("files")
def test_demo_does_the_whole_job(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = tmp_path / "demo.html"
    code, envelope = run("demo", "--out", str(report), "-k", "2", capsys=capsys)
    assert code == 0
    data = envelope["data"]
    assert data["report"] == str(report)
    assert report.stat().st_size > 10_000
    assert data["ranking"]
    assert data["measured"]["intervals"]["hr_bpm"] > 100
    assert data["measured"]["rhythm"]["label"] == "atrial_fibrillation"
    assert [call["name"] for call in data["tool_calls"]] == ["rank"]


def test_what_is_blocked_waits_for_approval_and_is_replayed(
    files: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    asked = "What would dofetilide 500 ug oral do if potassium were 3.0?"
    code, envelope = run("ask", asked, *files, "--research", capsys=capsys)
    assert (code, envelope["error"]["code"]) == (5, "approval_pending")
    thread = envelope["error"]["hint"].split("--thread ")[1].split()[0]
    code, envelope = run("ask", "--thread", thread, "--approve", capsys=capsys)
    assert code == 0
    assert envelope["data"]["answer"].startswith("Research mode")
    assert any(warning.startswith("Research mode") for warning in envelope["warnings"])
    code, envelope = run("ask", "--replay", thread, capsys=capsys)
    assert (code, envelope["data"]["same"]) == (0, True)
    code, envelope = run("ask", "--thread", thread, "--approve", capsys=capsys)
    assert code == 1
