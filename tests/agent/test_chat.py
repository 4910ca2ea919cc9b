"""The conversation at a terminal: answers, slash commands, interruptions, and the way back."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from agent.chat import Chat
from agent.errors import ApprovalPending
from agent.line_reading import completions, line_reader
from agent.session import Conversation
from agent.threads import ThreadStore
from agent.workbench import Workbench
from tests.agent.conftest import Talk
from tests.agent.scripted import ScriptedModel, says


def typed(*lines: str | type[BaseException]) -> Callable[[str], str]:
    """Someone who types these lines, or presses a key, and then leaves."""
    waiting = list(lines)

    def read(_: str) -> str:
        if not waiting:
            raise EOFError
        line = waiting.pop(0)
        if isinstance(line, str):
            return line
        raise line

    return read


def shown(conversation: Conversation, *lines: str | type[BaseException]) -> str:
    out = io.StringIO()
    Chat(conversation, Console(file=out, width=200, color_system=None), typed(*lines)).run()
    return " ".join(out.getvalue().split())


def test_it_answers_and_says_how_to_come_back(talk: Talk) -> None:
    text = shown(talk(), "What is her QTc?", "", "/quit", "never read")
    assert "QTcF" in text
    assert text.endswith("ecgwm-agent chat --thread t1")


def test_a_resumed_thread_shows_what_was_said(talk: Talk) -> None:
    shown(talk(), "What is her QTc?")
    assert "> What is her QTc?" in shown(talk())


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("/help", "what-if questions"),
        ("/thread", "t1"),
        ("/measure", "QTcF"),
        ("/why dofetilide", "[R54]"),
        ("/mask", "metoprolol"),
        ("/mask verapamil", "verapamil"),
        ("/report x.html", "no ranking"),
        ("/report", "No file"),
        ("/nonsense", "/help lists"),
        ("/ecg V2 V5", "median beats"),
        ("/ecg V9", "There is no lead V9"),
        ("/patient", "On record"),
        ("/undo", "nothing to undo"),
    ],
)
def test_slash_commands(talk: Talk, line: str, said: str) -> None:
    assert said in shown(talk(), line)


def test_the_report_is_of_the_last_ranking_and_not_of_the_last_question(talk: Talk, tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    shown(talk(), "Which is the safest of verapamil and metoprolol?", "What is her QTc?", f"/report {report}")
    assert "is the first drug" in report.read_text("utf-8")


def test_an_interrupted_step_does_not_end_the_session(talk: Talk) -> None:
    script = ScriptedModel(script=[KeyboardInterrupt(), says("Hello again.")])
    text = shown(talk(script), "What is her QTc?", "Are you there?")
    assert "Stopped" in text
    assert "Hello again." in text


def test_an_interrupt_at_the_prompt_does_not_end_the_session(talk: Talk) -> None:
    assert "QTcF" in shown(talk(), KeyboardInterrupt, "What is her QTc?")


def test_when_the_provider_fails_the_planner_answers(talk: Talk) -> None:
    text = shown(talk(ScriptedModel(script=[ConnectionError("no route")])), "What is her QTc?")
    assert "The offline planner answers instead" in text
    assert "QTcF" in text


def test_where_questions_go_is_said_before_the_first(talk: Talk) -> None:
    assert "example.org" in shown(talk(ScriptedModel(script=[says("Hello.")])))
    assert "go to" not in shown(talk())


def test_a_thread_is_exported_to_the_screen_or_with_its_manifests(talk: Talk, tmp_path: Path) -> None:
    file = tmp_path / "thread.json"
    assert "# Thread t1" in shown(talk(), "What is her QTc?", "/export", f"/export {file}")
    (turn,) = json.loads(file.read_text("utf-8"))["turns"]
    assert turn["manifest"]["knowledge_sha256"]


def test_undo_goes_on_in_a_copy_and_keeps_what_was_said(talk: Talk, store: ThreadStore) -> None:
    text = shown(
        talk(), "Is verapamil 40 mg oral allowed?", "and diltiazem?", "/undo", "/thread", "and sotalol?"
    )
    assert "Undone: “and diltiazem?”" in text
    copy = next(t.thread_id for t in store.list() if t.thread_id != "t1")
    assert [turn.question for turn in store.turns(copy)] == [
        "Is verapamil 40 mg oral allowed?",
        "and sotalol?",
    ]
    assert [turn.question for turn in store.turns("t1")][-1] == "and diltiazem?"


def test_a_question_that_waits_is_asked_again_when_the_thread_is_resumed(
    talk: Talk, bench: Workbench
) -> None:
    bench.research = True
    with pytest.raises(ApprovalPending):
        talk().ask("What would dofetilide 500 ug oral do?")
    assert "Not simulated" in shown(talk(), "no")


@pytest.mark.parametrize(
    ("text", "line", "found"),
    [
        ("/ra", "/ra", "/rank "),
        ("dofet", "what would dofet", "dofetilide"),
        ("rate", "safest for rate", "rate-control"),
    ],
)
def test_tab_completes(text: str, line: str, found: str) -> None:
    assert found in completions(text, line)


def test_the_history_is_kept(home: Path) -> None:
    readline = pytest.importorskip("readline")
    home.mkdir()
    with line_reader(home):
        readline.add_history("What is her QTc?")
    assert "What is her QTc?" in (home / "history").read_text().replace("\\040", " ")
    readline.clear_history()
