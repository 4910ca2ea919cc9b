"""What scripts and people are told: strict JSON, one line and a hint, the right exit code."""

import json

import pytest
import typer

from agent.errors import ApprovalPending, ConfigurationError, ProviderError
from agent.output import ExitCode, emit, emit_error, error_code, exit_code
from knowledge.errors import DoseError, PatientFileError, UnknownDrugError
from tools.errors import MissingInputError, SafetyRefusal, UsageError
from worldmodel.errors import EcgFileError, RequestError, WeightsError


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (EcgFileError("m"), ExitCode.FAILED),
        (PatientFileError("m"), ExitCode.FAILED),
        (MissingInputError("m"), ExitCode.FAILED),
        (ZeroDivisionError("m"), ExitCode.FAILED),
        (typer.BadParameter("m"), ExitCode.USAGE),
        (UnknownDrugError("m"), ExitCode.USAGE),
        (DoseError("m"), ExitCode.USAGE),
        (UsageError("m"), ExitCode.USAGE),
        (RequestError("m"), ExitCode.USAGE),
        (ConfigurationError("m"), ExitCode.CONFIGURATION),
        (WeightsError("m"), ExitCode.CONFIGURATION),
        (ProviderError("m"), ExitCode.PROVIDER),
        (ApprovalPending("m"), ExitCode.WAITING),
        (SafetyRefusal("m"), ExitCode.REFUSED),
    ],
)
def test_exit_codes(error: Exception, code: ExitCode) -> None:
    assert exit_code(error) == code


def test_error_codes_are_words_for_scripts() -> None:
    assert error_code(EcgFileError("m")) == "ecg_file"
    assert error_code(SafetyRefusal("m")) == "safety_refusal"
    assert error_code(typer.BadParameter("m")) == "usage"


def test_an_error_in_json_is_on_stdout_and_whole(capsys: pytest.CaptureFixture[str]) -> None:
    emit_error("measure", EcgFileError("no such record", "Check the path."), as_json=True)
    out, err = capsys.readouterr()
    assert json.loads(out) == {
        "schema_version": 1,
        "command": "measure",
        "error": {"code": "ecg_file", "message": "no such record", "hint": "Check the path."},
    }
    assert err == ""


def test_an_error_for_people_is_two_lines_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    emit_error("measure", EcgFileError("line one\nline two", "Check\nthe path."), as_json=False)
    assert capsys.readouterr() == ("", "error: line one line two\nhint: Check the path.\n")


def test_terminal_escapes_of_a_file_do_not_reach_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    emit_error("measure", EcgFileError("record \x1b[2Jx\x07"), as_json=False)
    assert "\x1b" not in capsys.readouterr().err


def test_a_fault_of_the_program_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    emit_error("rank", KeyError("x"), as_json=False)
    assert "--debug" in capsys.readouterr().err


def test_results_go_to_stdout_and_warnings_beside_the_data(capsys: pytest.CaptureFixture[str]) -> None:
    emit("mask", {"verdicts": []}, as_json=True, show=lambda _: None, warnings=["scale"])
    assert json.loads(capsys.readouterr().out) == {
        "schema_version": 1,
        "command": "mask",
        "data": {"verdicts": []},
        "warnings": ["scale"],
    }


def test_people_get_warnings_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    emit("mask", {}, as_json=False, show=lambda console: console.print("table"), warnings=["scale"])
    out, err = capsys.readouterr()
    assert "table" in out
    assert err == "warning: scale\n"


def test_nan_is_refused_rather_than_printed() -> None:
    """NaN is no JSON; a number that is not known has to be null."""
    with pytest.raises(ValueError, match="JSON"):
        emit("measure", {"qt_ms": float("nan")}, as_json=True, show=lambda _: None)
