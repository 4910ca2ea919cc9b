"""`kb`: what it checks, and what it imports; nothing of a malformed file stays."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from agent.cli import app

DDINTER = (
    "DDInterID_A,Drug_A,DDInterID_B,Drug_B,Level\n"
    "DDInter1,Heparin,DDInter2,Aspirin,Major\n"
    "DDInter3,Abacavir,DDInter4,Orlistat,Minor\n"
)
PATIENT = {
    "age_years": 60, "sex": "male", "conditions": [], "allergies": [], "medications": [{"name": "aspirin"}],
    "labs": [{"name": "platelets", "value": 250, "unit": "10^9/L"}],
}  # fmt: skip


@pytest.fixture
def run(home: Path) -> object:  # noqa: ARG001  the folder is the environment's
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


def data(result: Result) -> dict:  # type: ignore[type-arg]
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)["data"]  # type: ignore[no-any-return]


def test_an_import_shows_its_licence_and_reaches_the_mask(run, home: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    file, patient = tmp_path / "dd.csv", tmp_path / "patient.json"
    file.write_text(DDINTER)
    patient.write_text(json.dumps(PATIENT))
    mask = ("mask", "--patient", patient, "--action", "heparin 5000 units sc", "--json")
    assert data(run(*mask))["verdicts"][0]["verdict"] == "allowed"
    found = data(run("kb", "import", file, "--json"))
    assert found["imports"][0]["licence"].startswith("CC BY-NC-SA 4.0")
    assert found["not_mapped"] == ["abacavir", "orlistat"]
    assert Path(found["folder"]).is_relative_to(home)
    verdict = data(run(*mask))["verdicts"][0]
    assert verdict["verdict"] == "warning"
    assert "CC BY-NC-SA" in verdict["rules"][0]["source"]
    assert data(run("kb", "import", "--remove", "dd", "--json"))["imports"] == []
    assert data(run(*mask))["verdicts"][0]["verdict"] == "allowed"


def test_a_malformed_file_is_an_error_with_its_line_and_nothing_stays(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    file = tmp_path / "dd.csv"
    file.write_text(DDINTER + "1,2\n")
    result = run("kb", "import", file, "--json")
    assert result.exit_code == 1
    error = json.loads(result.stdout)["error"]
    assert error["code"] == "import_file"
    assert "dd.csv, line 4" in error["message"]
    assert data(run("kb", "import", "--json"))["imports"] == []


def test_a_kind_that_is_none_is_wrong_usage(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    assert run("kb", "import", tmp_path / "x.csv", "--as", "nonsense").exit_code == 2


def test_what_waits_for_a_clinician_is_listed(run) -> None:  # type: ignore[no-untyped-def]
    found = data(run("kb", "check", "--json"))
    assert found["problems"] == []
    assert any(fact["confidence"] == "memory" for fact in found["waiting"])


def test_show_is_for_people_unless_json_is_asked_for() -> None:
    shown = CliRunner().invoke(app, ["kb", "show", "flecainide"])
    assert shown.exit_code == 0
    assert "qrs ms: mean 20, sd 10, source label" in " ".join(shown.stdout.split())
    assert "{" not in shown.stdout
    assert json.loads(CliRunner().invoke(app, ["kb", "show", "flecainide", "--json"]).stdout)["data"][
        "entry"
    ]["atc"]
