"""Threads: kept, resumed, listed, exported, and what the audit trail holds."""

import json
from pathlib import Path

import pytest

from agent.errors import ThreadError
from agent.opening import open_conversation
from agent.threads import FILE, ThreadStore, as_markdown, open_threads
from tests.agent.conftest import Talk
from tools.provenance import knowledge_sha256


def test_a_thread_is_resumed_from_a_reopened_store(talk: Talk, store: ThreadStore, home: Path) -> None:
    talk().ask("What would verapamil 80 mg oral do to the PR?")
    with open_threads(home) as reopened:
        conversation = talk()
        conversation.store = reopened
        answer = conversation.ask("and with half the dose?")
    assert answer.tool_calls[0]["args"]["actions"] == ["verapamil 40 mg oral"]
    assert [turn.turn for turn in store.turns("t1")] == [1, 2]


def test_threads_do_not_know_of_each_other(talk: Talk) -> None:
    talk(thread_id="a").ask("What would verapamil 80 mg oral do to the PR?")
    assert "Which drug" in talk(thread_id="b").ask("and with half the dose?").answer


def test_the_list_shows_the_latest_thread_first(talk: Talk, store: ThreadStore) -> None:
    talk(thread_id="a").ask("What is her QTc?")
    talk(thread_id="b").ask("help")
    talk(thread_id="b").ask("what is the rate?")
    assert [(t.thread_id, t.turns, t.first_question) for t in store.list()] == [
        ("b", 2, "help"),
        ("a", 1, "What is her QTc?"),
    ]


def test_the_manifest_says_what_it_takes_to_get_the_same_numbers(talk: Talk, store: ThreadStore) -> None:
    talk().ask("What would verapamil 40 mg oral do to the PR?")
    talk().ask("What is her QTc?")
    simulated, measured = (turn.manifest for turn in store.turns("t1"))
    assert simulated["weights_sha256"] == "0" * 64
    assert measured["weights_sha256"] is None
    assert simulated["knowledge_sha256"] == knowledge_sha256()
    assert (simulated["seed"], simulated["k"], simulated["model"]) == (0, 3, "offline-planner")
    assert len(simulated["ecg_sha256"]) == len(simulated["patient_sha256"]) == 64
    assert simulated["versions"]["langgraph"]


def test_the_same_question_gives_the_same_answer(talk: Talk) -> None:
    question = "What would verapamil 40 mg oral do to the PR?"
    first, again = (talk(thread_id=name).ask(question) for name in ("a", "b"))
    assert first.answer == again.answer
    assert first.tool_calls == again.tool_calls


def test_an_exported_thread_reads_by_itself(talk: Talk, store: ThreadStore) -> None:
    talk().ask("What is her QTc?")
    text = as_markdown("t1", store.turns("t1"))
    assert "## What is her QTc?" in text
    assert "measure_ecg" in text
    assert "Research use only" in text


def test_what_is_kept_is_json(talk: Talk, store: ThreadStore) -> None:
    """A thread outlives the classes of the program that wrote it."""
    talk().ask("What is her QTc?")
    saved = store.saver.get_tuple({"configurable": {"thread_id": "t1"}})
    assert saved is not None
    values = dict(saved.checkpoint["channel_values"])
    del values["messages"]
    assert json.loads(json.dumps(values)) == values


def test_an_unknown_thread_is_one_line(store: ThreadStore) -> None:
    with pytest.raises(ThreadError, match="nobody"):
        store.turns("nobody")
    with pytest.raises(ThreadError, match="nobody"), open_conversation(thread="nobody"):
        pass


def test_a_thread_stays_with_its_case(talk: Talk, tmp_path: Path) -> None:
    talk().ask("help")
    with pytest.raises(ThreadError, match="another ecg"), open_conversation(tmp_path / "b.hea", thread="t1"):
        pass


def test_a_store_that_is_no_database_is_one_line(home: Path) -> None:
    home.mkdir()
    (home / FILE).write_text("this is not a database, but it is long enough to be taken for one" * 20)
    with pytest.raises(ThreadError, match=FILE), open_threads(home):
        pass


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ThreadError, match="cannot open"), open_threads(tmp_path / "file"):
        pass
