"""The conversation at a terminal: answers, slash commands, interruptions, and the way back."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from agent.chat import Chat
from agent.session import Conversation
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
