"""Wrong usage is exit code 2 with a hint, before anything is read, trained or written."""

import json
from pathlib import Path

import pytest

from agent.cli import app
from tests.tools.conftest import FS_HZ, made_samples
from tests.tools.made_records import write_record
from worldmodel.ecg import LEADS, Ecg


@pytest.mark.parametrize(
    "words",
    [
        ("train", "--preset", "large", "--out", "out"),
        ("train", "--preset", "delineator", "--out", "out"),
        ("train", "--preset", "typical", "--data", "data", "--out", "out"),
        ("train", "--preset", "paper", "--data", "data", "--out", "out"),
        ("train", "--preset", "leads", "--data", "data", "--resume", "--out", "out"),
        ("train", "--device", "gpu", "--out", "out"),
        ("train", "--seed", "-1", "--out", "out"),
        ("train", "--seed", "one", "--out", "out"),
        ("train",),
        ("plot", "ecg.hea", "--out", "x.gif"),
        ("plot", "ecg.hea", "--out", "x"),
        ("plot", "ecg.hea", "--out", "x.png", "--layout", "2x6"),
        ("measure", "ecg.hea", "--out", "x.txt"),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_2(
    words: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    write_record(tmp_path, "ecg", Ecg(made_samples(), FS_HZ, LEADS))
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(SystemExit) as ended:
        app([*words, "--json"])
    assert ended.value.code == 2
    assert json.loads(capsys.readouterr().out)["error"]["hint"]
    assert sorted(tmp_path.rglob("*")) == before
