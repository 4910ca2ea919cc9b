"""`evaluate delineation` as scripts and people meet it."""

import json
from pathlib import Path

import pytest

from agent.cli import app


def run(*words: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        app(["evaluate", "delineation", *words])
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def test_json_has_the_envelope_and_the_reason_for_no_neurokit2(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run("--synthetic", "2", "--json", capsys=capsys)
    printed = json.loads(out)
    assert (code, printed["schema_version"], printed["command"]) == (0, 1, "evaluate delineation")
    assert [one["records"] for one in printed["data"]["sets"]] == [2, 2, 2, 2]
    assert printed["data"]["neurokit"]["version"] is None and printed["data"]["neurokit"]["why_not"]


def test_people_see_goals_and_how_to_get_neurokit2_in_80_columns(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    code, out, _ = run("--synthetic", "2", capsys=capsys)
    assert code == 0
    assert "goal: |bias| < 1, SD < 4 ms" in out and "goal: median |e| ≤ 3 ms" in out
    assert "NeuroKit2 not run" in out and "…" not in out
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize(
    "words, said",
    [
        (("--data", "nowhere"), "There is no folder nowhere."),
        (("--synthetic", "0"), "There is nothing to evaluate on."),
        (("--synthetic", "1", "--neurokit", "/no/such/python"), "cannot be run"),
    ],
)
def test_what_is_missing_is_told_with_a_hint(
    words: tuple[str, ...],
    said: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = run(*words, capsys=capsys)
    assert code == 1 and not out
    assert said in err and "hint: " in err and "Traceback" not in err
