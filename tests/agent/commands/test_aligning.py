"""`align` as people and scripts meet it: a CSV of ten episodes in one command, and a page that says what it found."""

import json
from pathlib import Path

import numpy as np
import pytest
from langchain_core.language_models.fake_chat_models import FakeListChatModel

from agent import alignment_page
from agent.alignment_words import estimated
from agent.models import ChatModel
from tests.agent.commands.test_measuring import run, run_json
from tests.tools.alignment.made import MODEL, ManyModel, kept, manifest
from tests.tools.alignment.test_run import made
from tools.alignment import analysis, unit
from tools.alignment import run as run_module
from tools.alignment.episode import Episode
from tools.alignment.metrics import Estimate
from tools.alignment.record import Failure
from worldmodel.networks import ModelInfo

ROOT = Path(__file__).parents[3]
DRAWN = alignment_page._figures


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A world model that costs nothing, and a page without its figures, which take most of the time."""
    monkeypatch.setattr(alignment_page, "_figures", lambda _: {})
    model = ManyModel()
    model.info = ModelInfo(**MODEL.model_dump())
    monkeypatch.setattr(run_module, "shared_model", lambda: model)
    monkeypatch.setattr(unit, "shared_model", lambda: model)


@pytest.fixture
def ten(tmp_path: Path) -> Path:
    """Ten episodes with few candidates each, on the built-in ECG."""
    rows = [
        f"{i},s{i // 2},built-in,{ROOT / 'examples' / 'healthy_volunteer.json'},svt-termination,adenosine 6 mg iv"
        for i in range(10)
    ]
    path = tmp_path / "ten.csv"
    path.write_text("\n".join(["id,subject,ecg,patient,goal,prescribed", *rows]) + "\n")
    return path


def test_a_csv_of_ten_episodes_in_one_command(
    ten: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ten.parent)
    figures = pytest.MonkeyPatch()
    figures.setattr(alignment_page, "_figures", DRAWN)
    words = ("align", ten, "-k", "1", "--jobs", "1")
    code, found = run_json(*words, capsys=capsys)
    assert code == 0
    data = found["data"]
    assert (data["episodes"], data["scored"], data["skipped"]) == (10, 10, {})
    assert set(data["metrics"]["top_1"]) >= {"value", "ci95"}
    assert {"random within mask", "popularity by indication"} <= set(data["baselines"])
    assert data["by_drug"]["adenosine"]["episodes"] == 10
    assert data["manifest"]["k"] == 1
    assert data["lambda"] == 0.6
    assert "not benefit" in data["statement"]
    page = Path(data["page"]).read_text("utf-8")
    assert data["statement"] in page
    assert page.count("<svg") == 4
    figures.undo()
    code, out, _ = run(*words, capsys=capsys)  # goes on, with nothing left to do
    assert code == 0
    assert "10 of 10 episodes scored" in out
    assert "Agreement is not benefit" in out
    code, out, err = run(*words, "--seed", "1", capsys=capsys)
    assert code == 1
    assert "seed was 0, now 1" in err


def test_episodes_that_cannot_be_scored_are_told_and_none_at_all_is_a_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "e.csv"
    path.write_text("id,subject,ecg,patient,prescribed\n1,s,gone.hea,gone.json,digoxin 0.25 mg oral\n")
    code, out, _ = run("align", path, "--out", tmp_path / "out", capsys=capsys)
    assert code == 1
    assert "0 of 1 episodes scored; 1 patient file" in out
    assert "not scored: 1: cannot read" in out


def test_a_language_model_is_priced_before_it_is_asked_and_compared_after(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    episodes = [Episode(str(i), f"s{i}", "built-in", {"age_years": 60, "sex": "male"}, "x") for i in range(9)]
    monkeypatch.setattr("tools.alignment.read.read_episodes", lambda _: episodes)
    monkeypatch.setattr("tools.alignment.engine.here", made)
    words = ("align", "made.csv", "--out", tmp_path / "out", "--jobs", "1", "--language-model", "made")
    code, out, err = run(*words, "--dry-run", capsys=capsys)
    assert code == 1
    assert "without --language-model" in err
    assert run(*words[:-2], capsys=capsys)[0] == 0
    code, out, _ = run(*words, "--dry-run", "--price", "2", "8", capsys=capsys)
    assert code == 0
    assert "made would be asked 1 times" in " ".join(out.split())  # nine episodes alike are one question
    chat = ChatModel(FakeListChatModel(responses=["4, 3, 2, 1"] * 9), "made", "localhost")
    monkeypatch.setattr("agent.alignment_language.choose_model", lambda *_: chat)
    code, found = run_json(*words, capsys=capsys)
    assert code == 0
    assert found["data"]["language_model"]["calls"] == 1
    assert "language model alone" in found["data"]["baselines"]
    assert run(*words[:-2], "--dry-run", capsys=capsys)[0] == 3
    assert run(*words, "--max-cost", "1", capsys=capsys)[0] == 3


def test_text_of_records_is_escaped_on_the_page(tmp_path: Path) -> None:
    risks = np.tile([[0.1], [0.4]], 3)
    episodes = [kept(0, risks, 1, indication="<script>alert(1)</script>"), kept(1, risks, 0, blocked=[0])]
    episodes.append(
        kept(2, risks, 0).model_copy(update={"failure": Failure(code="x", message="<b>gone</b>")})
    )
    result = analysis.analyse(lambda: episodes, manifest(3), 0.6)
    page = alignment_page.write_page(tmp_path / "p.html", result).read_text("utf-8")
    assert "<script>" not in page
    assert "<b>gone" not in page
    assert "blocked by the mask" in page


def test_numbers_are_told_with_their_interval_or_not_at_all() -> None:
    assert estimated("top_1", Estimate(value=0.41, ci95=(0.33, 0.49), n=9)) == "41 % [33, 49]"
    assert estimated("mrr", Estimate(value=-0.001, ci95=None, n=1)) == "0.00"
    assert estimated("mrr", Estimate(value=None, ci95=None, n=0)) == "–"


def test_the_example_of_the_readme_is_readable() -> None:
    from tools.alignment.read import read_episodes

    episodes = read_episodes(ROOT / "examples" / "episodes.csv")
    assert len(episodes) == 10
    assert all(
        isinstance(e.patient, Path) and json.loads(e.patient.read_text())["age_years"] for e in episodes
    )
