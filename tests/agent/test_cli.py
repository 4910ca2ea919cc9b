"""The command line as scripts meet it: envelopes, exit codes, and no traceback without --debug."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from agent.cli import app


def run(*words: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command, run in this process."""
    with pytest.raises(SystemExit) as ended:
        app(list(words))
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def run_json(*words: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    code, out, err = run(*words, "--json", capsys=capsys)
    assert "Traceback" not in err
    return code, json.loads(out)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's own folder and keys stay out of the tests."""
    monkeypatch.setenv("ECGWM_HOME", str(tmp_path / "home"))
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "ECGWM_MODEL", "ECGWM_BASE_URL", "ECGWM_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "home"


def test_every_command_of_the_contract_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run("--help", capsys=capsys)
    assert code == 0
    names = (
        "demo",
        "chat",
        "ask",
        "rank",
        "simulate",
        "measure",
        "mask",
        "plot",
        "kb",
        "train",
        "threads",
        "doctor",
    )
    assert [name for name in names if f"\n  {name} " not in out] == []


def test_no_words_is_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys=capsys) == run("--help", capsys=capsys)


@pytest.mark.parametrize(
    "words",
    [
        ("nonsense",),
        ("rank",),
        ("rank", "--ecg", "x", "--what"),
        ("rank", "--ecg", "x", "-k", "0"),
        ("rank", "--ecg", "x", "-k", "three"),
        ("simulate", "--ecg", "x"),
        ("simulate", "--ecg", "x", "--drug", "verapamil"),
        ("measure",),
        ("kb",),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_exit_code_2_in_both_forms(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    code, envelope = run_json(*words, capsys=capsys)
    assert (code, envelope["error"]["code"], envelope["schema_version"]) == (2, "usage", 1)
    code, out, err = run(*words, capsys=capsys)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert "hint: " in err


def test_a_missing_recording_is_an_entry_with_error_and_exit_code_1(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, envelope = run_json("measure", "nowhere", "nowhere-else", capsys=capsys)
    assert code == 1
    assert [bool(entry["error"]) for entry in envelope["data"]["recordings"]] == [True, True]


def test_a_missing_pre_dose_ecg_is_one_line_and_a_hint(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run("rank", "--ecg", "nowhere", capsys=capsys)
    assert (code, out) == (1, "")
    assert [line.split(":")[0] for line in err.splitlines()] == ["error", "hint"]


def test_an_unknown_key_in_the_patient_file_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    patient = tmp_path / "patient.json"
    patient.write_text('{"age_years": 60, "sex": "male", "shoe_size": 43}')
    code, envelope = run_json("mask", "--patient", str(patient), capsys=capsys)
    assert code == 1
    assert "shoe_size" in envelope["error"]["message"]


def test_debug_shows_the_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    _, _, err = run("rank", "--ecg", "nowhere", "--debug", capsys=capsys)
    assert "Traceback" in err


def test_doctor_never_prints_the_key(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    _, out, err = run("doctor", "--json", capsys=capsys)
    assert "sk-very-secret" not in out + err
    (key,) = (check for check in json.loads(out)["data"]["checks"] if check["name"] == "key")
    assert key["detail"] == "present"


def test_a_broken_configuration_file_is_exit_code_3(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home.mkdir()
    (home / "config.toml").write_text('modle = "x"')
    code, envelope = run_json("doctor", capsys=capsys)
    assert code == 3
    assert "modle" in envelope["error"]["message"]


def test_a_reader_that_has_enough_is_no_error() -> None:
    """`ecgwm-agent ... --json | head -1`: no traceback, no error line."""
    script = f"{sys.executable} -m agent.cli kb show verapamil --json | head -n 1"
    root = Path(__file__).parents[2]
    done = subprocess.run(["bash", "-c", script], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout == "{\n"
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("words", "ends"),
    [
        (("--preset", "delineator"), 2),
        (("--preset", "delineator", "--data", "nowhere"), 1),
        (("--preset", "paper", "--data", "."), 2),
    ],
)
def test_training_says_what_data_it_needs(
    words: tuple[str, ...], ends: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = run("train", "--out", str(tmp_path / "run"), *words, capsys=capsys)
    assert code == ends
    assert "--data" in err and "Traceback" not in err
    assert not (tmp_path / "run").exists()
