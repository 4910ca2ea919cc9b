"""`measure` and `plot` as users and scripts meet them: folders, files of results, and no traceback."""

import json
from pathlib import Path
from typing import Any

import pytest

import agent.commands.measure
from agent.cli import app
from tests.agent.conftest import made_ecg
from tests.tools.made_records import write_record


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two recordings in a folder, one of them in a folder of its own, and a file that is none."""
    write_record(tmp_path / "data", "a", made_ecg())
    write_record(tmp_path / "data" / "more", "b", made_ecg(1.1))
    (tmp_path / "data" / "README.md").write_text("two recordings")
    return tmp_path / "data"


def run(*words: object, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """Exit code, stdout and stderr."""
    with pytest.raises(SystemExit) as ended:
        app([str(word) for word in words])
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    return int(ended.value.code or 0), out, err


def run_json(*words: object, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    code, out, _ = run(*words, "--json", capsys=capsys)
    return code, json.loads(out)


def test_a_folder_is_measured_like_the_files_in_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, of_folder = run_json("measure", folder, capsys=capsys)
    assert code == 0
    _, of_files = run_json("measure", folder / "a.hea", folder / "more" / "b.hea", capsys=capsys)
    assert of_folder["data"]["recordings"] == of_files["data"]["recordings"]
    assert of_folder["data"]["passed_over"] == 1
    assert {
        *(
            "file",
            "fs_hz",
            "duration_s",
            "leads",
            "missing_leads",
            "quality",
            "rhythm",
            "findings",
            "intervals",
        ),
        *(
            "not_measurable",
            "confidence",
            "shape",
            "variability",
            "lead_intervals",
            "lead_marks_ms",
            "window_s",
        ),
    } <= set(of_folder["data"]["recordings"][0])


def test_one_bad_file_is_told_after_the_rest_is_done(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = run("measure", folder / "README.md", folder, capsys=capsys)
    assert code == 1
    assert "not read:" in out
    assert out.count("rhythm sinus") == 2


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_a_file_of_results_is_gone_on_with_and_summed_up(
    folder: Path, tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new" / f"x.{kind}"
    code, printed, _ = run("measure", folder / "a.hea", "--out", out, capsys=capsys)
    assert code == 0
    assert "recordings: 1" in printed
    first = out.read_text()
    code, envelope = run_json(
        "measure", folder / "a.hea", folder, tmp_path / "gone", "--out", out, capsys=capsys
    )
    assert code == 1
    summary = envelope["data"]["summary"]
    assert (summary["recordings"], summary["already_there"], summary["rhythms"]) == (3, 1, {"sinus": 2})
    assert [failed["file"] for failed in summary["first_failed"]] == [str(tmp_path / "gone")]
    assert envelope["data"]["recordings"] == []
    assert out.read_text().startswith(first)
    assert len(out.read_text().splitlines()) == 3 + (kind == "csv")
    code, printed, _ = run("measure", folder, "--out", out, capsys=capsys)
    assert code == 1  # what could not be read before is still not read
    assert "3, 3 of them before" in printed


def test_whoever_stops_it_is_told_how_to_go_on(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tools.measure_many.measure_file", stop)
    code, out, err = run("measure", folder, "--out", tmp_path / "x.jsonl", capsys=capsys)
    assert code != 0
    assert out == ""
    assert f"the same command goes on with {tmp_path / 'x.jsonl'}" in err


def test_of_many_recordings_the_terminal_shows_the_summary_and_says_how_to_get_all(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(agent.commands.measure, "MOST_SHOWN", 1)
    code, out, _ = run("measure", folder, capsys=capsys)
    assert code == 0
    assert "recordings: 2" in out
    assert "rhythm: 2 sinus" in out
    assert "passed over: 1 file that is no recording" in out
    assert "--out" in out
    _, envelope = run_json("measure", folder, capsys=capsys)
    assert len(envelope["data"]["recordings"]) == 2


def test_a_window_is_measured_and_drawn(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, envelope = run_json("measure", folder / "a.hea", "--window", "2-8", capsys=capsys)
    assert envelope["data"]["recordings"][0]["window_s"] == [2.0, 8.0]
    words = ("plot", folder / "a.hea", "--window", "2-8", "--out", tmp_path / "x.pdf")
    code, envelope = run_json(*words, capsys=capsys)
    assert code == 0
    data = envelope["data"]
    assert data["file"] == str(tmp_path / "x.pdf")
    assert data["recordings"] == [{"file": str(folder / "a.hea"), "window_s": [2.0, 8.0]}]
    assert (data["width_mm"], data["sheet"]) == (275.0, "A4 landscape")


def test_a_plot_says_where_it_is_and_how_to_print_it(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("plot", folder / "a.hea", "--compare", folder / "more" / "b.hea", "--out", tmp_path / "x.svg")
    code, out, _ = run(*words, capsys=capsys)
    assert code == 0
    first, second = out.splitlines()
    assert first == str(tmp_path / "x.svg")
    assert "true to scale when printed at 100 %" in second


WRONG_USAGE = (
    ("--out", "{tmp}/x.txt"),
    ("--out", "{tmp}/x.gif"),
    ("--out", "{tmp}/x.png", "--layout", "6x2"),
)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("measure", "{empty}"), "holds no recording"),
        (("measure", "{a}", "--window", "5-60"), "10 s"),
        (("measure", "{table}", "--window", "0-5"), "--fs"),
        (("measure", "{a}", "--out", "{tmp}/x.txt"), ".jsonl"),
        (("measure", "{a}", "--out", "{table}"), "not a measurement"),
        (("measure", "{a}", "--out", "{a}/x.csv"), "cannot write"),
        (("plot", "{a}", "--out", "{tmp}/x.gif"), ".png"),
        (("plot", "{a}", "--out", "{tmp}/x.png", "--window", "5-60"), "10 s"),
        (("plot", "{a}", "--out", "{tmp}/x.png", "--layout", "6x2"), "12x1"),
        (("plot", "{empty}", "--out", "{tmp}/x.png"), "folder"),
        (("plot", "{a}", "--compare", "{tmp}/gone", "--out", "{tmp}/x.png"), "no recording"),
        (("plot", "{a}", "--out", "{a}/x.png"), "cannot write"),
    ],
    ids=lambda words: " ".join(words[:1] + words[2:]) if isinstance(words, tuple) else "",
)
def test_what_is_wrong_is_told_with_a_hint(
    words: tuple[str, ...], told: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "table.csv").write_text("\n".join("0.1,0.2" for _ in range(2000)))
    names = {
        "a": folder / "a.hea",
        "empty": tmp_path / "empty",
        "table": tmp_path / "table.csv",
        "tmp": tmp_path,
    }
    code, out, err = run(*(word.format(**names) for word in words), capsys=capsys)
    assert code == (2 if words[2:] in WRONG_USAGE else 1)
    assert told in " ".join((out + err).split())
    assert "hint: " in out + err


@pytest.mark.parametrize(
    "words",
    [
        ("measure", "x", "--window", "9"),
        ("measure", "x", "--window", "9-3"),
        ("measure", "x", "--jobs", "0"),
        ("measure", "x", "--unit", "furlong"),
        ("plot", "x"),
        ("plot", "x", "--out", "x.png", "--window", "a-b"),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_exit_code_2(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(*words, capsys=capsys)
    assert (code, out) == (2, "")
    assert "hint: " in err
