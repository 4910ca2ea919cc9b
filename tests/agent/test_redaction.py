"""What leaves this machine: said before the first call, and with --redact nothing that identifies the patient."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from agent.models import choose_model
from agent.redaction import disclosure, redacted_text
from agent.session import Conversation
from agent.workbench import Workbench
from knowledge.patient import parse_patient
from tests.agent.conftest import Talk
from tests.agent.openai_server import OpenAiServer, serving, text, tool_call
from tools.case import Case

NOTES = 'Mrs. Example, born 3.4.1955.\nShe said "no".'


@pytest.fixture
def named(bench: Workbench) -> Case:
    """The case with an id, dated labs, telling file names, and notes of two lines."""
    assert bench.case.patient is not None
    document = bench.case.patient.model_dump(mode="json") | {"id": "MRN-4711", "notes": NOTES}
    document["labs"][0]["time"] = "2026-01-05T08:00:00"
    return replace(bench.case, patient=parse_patient(document), ecg_path=Path("/x/Example_1955.hea"))


def remote(talk: Talk, server: OpenAiServer) -> Conversation:
    return replace(talk(), chat=choose_model("made-model", server.url))


def test_a_redacted_record_names_nobody(talk: Talk, bench: Workbench, named: Case) -> None:
    bench.case, bench.redacted = named, True
    talk().ask("what is in her notes?")  # the planner quotes them, before a remote model takes over
    with serving(tool_call("read_record", "{}"), tool_call("measure_ecg", "{}"), text("Done.")) as server:
        answer = remote(talk, server).ask("What is on record?")
    sent = json.dumps(server.requests)
    for secret in ("4711", "Example", "1955", "2026-01-05", "She said"):
        assert secret not in sent, secret
    assert "potassium" in sent
    assert "potassium" in json.dumps(answer.tool_calls)


def test_all_dates_move_by_the_same_days(named: Case) -> None:
    first, second = redacted_text("2026-01-05 2026-01-07", named).split()
    assert first < second < "2026-01-05"
    assert int(second[-2:]) - int(first[-2:]) in (2, 2 - 28, 2 - 29, 2 - 30, 2 - 31)


def test_without_a_flag_nothing_is_changed(talk: Talk, bench: Workbench, named: Case) -> None:
    bench.case = named
    with serving(tool_call("read_record", "{}"), text("Done.")) as server:
        remote(talk, server).ask("What is on record?")
    assert "2026-01-05" in json.dumps(server.requests)


def test_what_leaves_is_said_and_kept(talk: Talk, bench: Workbench) -> None:
    with serving(text("Hello.")) as server:
        conversation = remote(talk, server)
        conversation.ask("hello there")
    said = disclosure(conversation.chat, bench)
    assert "made-model at 127.0.0.1" in said
    assert conversation.store.turns("t1")[-1].manifest["left_this_machine"] == said
    assert disclosure(talk().chat, bench) == ""
