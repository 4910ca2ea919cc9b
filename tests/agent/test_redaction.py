"""What leaves this machine: said before the first call, and with --redact nothing that identifies the patient."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from agent.models import choose_model
from agent.redaction import disclosure, redacted, redacted_text
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


def of_patient(case: Case, **changed: object) -> Case:
    assert case.patient is not None
    return replace(case, patient=parse_patient(case.patient.model_dump(mode="json") | changed))


def test_a_short_id_is_withheld_and_a_dose_that_reads_alike_is_not(named: Case) -> None:
    case = of_patient(named, id="42")
    assert redacted({"id": "42", "dose": "42 mg"}, case) == {"id": "[withheld]", "dose": "42 mg"}
    assert (
        redacted_text("verapamil 120 mg, QT 1204.0", of_patient(named, id="120"))
        == "verapamil 120 mg, QT 1204.0"
    )


def test_names_of_files_that_say_nothing_leave_the_language_as_it_is(named: Case) -> None:
    case = replace(named, ecg_path=Path("/x/ecg.hea"), patient_path=Path("/x/patient.json"))
    said = "You are ecgwm-agent; the ECG of one patient, ecg.hea"
    assert redacted_text(said, case) == "You are ecgwm-agent; the ECG of one patient, [withheld]"


@pytest.mark.parametrize("day", ["2026/01/05", "05-01-2026", "5 Jan 2026", "05/01/26", "3.4.1955"])
def test_dates_in_other_forms_are_withheld(named: Case, day: str) -> None:
    assert redacted_text(f"on {day}, blood pressure 120/80", named) == "on [withheld], blood pressure 120/80"


def test_what_was_said_before_redaction_began_is_withheld_too(
    talk: Talk, bench: Workbench, named: Case
) -> None:
    bench.case = of_patient(named, notes='Frau Müller sagte "nein" zu allem.')
    talk().ask("what is in her notes?")
    bench.redacted = True
    with serving(text("Done.")) as server:
        remote(talk, server).ask("and now?")
    sent = json.dumps(server.requests, ensure_ascii=False)
    assert "Müller" not in sent and "nein" not in sent


def test_a_model_sees_one_shifted_date_and_the_user_the_true_one(
    talk: Talk, bench: Workbench, named: Case
) -> None:
    bench.case, bench.redacted = named, True
    shifted = redacted_text("2026-01-05", named)
    with serving(tool_call("read_record", "{}"), text(f"Potassium is of {shifted}."), text("Bye.")) as server:
        conversation = remote(talk, server)
        answer = conversation.ask("When was potassium taken?")
        conversation.ask("thanks")
    assert answer.answer == "Potassium is of 2026-01-05."
    sent = json.dumps(server.requests)
    assert shifted in sent and "2026-01-05" not in sent and redacted_text(shifted, named) not in sent
