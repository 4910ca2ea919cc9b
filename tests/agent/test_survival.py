"""Threads survive: a kill in every step of the graph, two processes at once, a fork, and a replay."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from agent.cases import BUILT_IN
from agent.errors import ThreadError
from agent.opening import open_conversation
from agent.replay import fork, replay
from agent.threads import ThreadStore
from tests.agent.conftest import StretchingModel, Talk

ROOT = Path(__file__).parents[2]
PATIENT = ROOT / "examples" / "healthy_volunteer.json"
KILLED = """
import os, signal, sys
from pathlib import Path
from agent.opening import open_conversation
patient, step, question = sys.argv[1:]
with open_conversation(patient=Path(patient), model="offline") as conversation:
    conversation.thread_id = "killed"
    conversation.ask(question, lambda event: os.kill(os.getpid(), signal.SIGKILL) if event["step"] == step else None)
"""
LOOKED_UP = "Is verapamil 120 mg oral allowed?"


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no kill -9")
@pytest.mark.parametrize(
    ("step", "question"),
    [
        ("intake", LOOKED_UP),
        ("mask", LOOKED_UP),
        ("propose", LOOKED_UP),
        ("consult", LOOKED_UP),
        ("simulate", "What would verapamil 120 mg oral do?"),
        ("score", "Which rate-control drug is safest?"),
        ("explain", LOOKED_UP),
    ],
)
@pytest.mark.usefixtures("home")
def test_after_a_kill_the_answer_is_the_same(step: str, question: str) -> None:
    command = [sys.executable, "-c", KILLED, str(PATIENT), step, question]
    ended = subprocess.run(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=False)
    assert ended.returncode == -signal.SIGKILL
    with open_conversation(patient=PATIENT, model="offline") as undisturbed:
        expected = undisturbed.ask(question)
    with open_conversation(thread="killed", model="offline") as conversation:
        answer = conversation.resume() or conversation.ask(question)
        assert conversation.resume() is None
    assert answer.answer == expected.answer
    assert answer.tool_calls == expected.tool_calls


def test_while_one_process_answers_another_gets_one_line(
    talk: Talk, store: ThreadStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.threads.WAIT_S", 0.05)
    with store.holding("t1"), pytest.raises(ThreadError, match="another process"):
        talk().ask("What is her QTc?")
    assert "QTcF" in talk().ask("What is her QTc?").answer
    with store.holding("t1"):
        assert "QTcF" in talk(thread_id="t2").ask("What is her QTc?").answer


def test_a_fork_goes_its_own_way(talk: Talk, store: ThreadStore) -> None:
    talk().ask("Is verapamil 40 mg oral allowed?")
    talk().ask("and diltiazem?")
    copy = fork(store, "t1", turns=1)
    assert [turn.question for turn in store.turns(copy)] == ["Is verapamil 40 mg oral allowed?"]
    assert talk(thread_id=copy).ask("and metoprolol?").tool_calls[0]["args"] == {"drugs": ["metoprolol"]}
    assert len(store.turns("t1")) == 2
    with pytest.raises(ThreadError, match="2 turns"):
        fork(store, "t1", turns=3)


def test_a_replay_gives_the_same_numbers_and_tells_what_is_another(
    home: Path,  # noqa: ARG001
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = StretchingModel()
    with open_conversation(
        case={"ecg": BUILT_IN, "patient": BUILT_IN}, model="offline", seed=3, k=2
    ) as talking:
        talking.bench.model = world
        talking.ask("What would metoprolol 25 mg oral do to the rate?")
        (record,) = talking.store.turns(talking.thread_id)
    again = replay(record, world)
    assert (again.same, again.changed) == (True, ())
    monkeypatch.setattr("tests.agent.conftest.prolongation_ms", lambda _: 150.0)
    otherwise = replay(record, world)
    assert not otherwise.same
    assert "simulate: actions[0]" in " ".join(otherwise.differences)
    record.manifest["knowledge_sha256"] = "another"
    assert replay(record, world).changed == ("knowledge_sha256",)
