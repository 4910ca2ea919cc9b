"""Chat models: which one is chosen, and ChatOpenAI through the same graph against a real local server."""

import json
import socket
from dataclasses import replace

import pytest
from langchain_core.messages import AIMessageChunk

from agent.errors import ConfigurationError, ProviderError
from agent.models import OFFLINE, ChatModel, choose_model
from agent.session import Conversation
from agent.toolbox import tools_on
from agent.workbench import Workbench
from tests.agent.conftest import Talk
from tests.agent.openai_server import OpenAiServer, serving, text, tool_call

ONE_DOSE = json.dumps({"actions": ["verapamil 40 mg oral"]})


def remote(server: OpenAiServer) -> ChatModel:
    return choose_model("made-model", server.url)


def talking(talk: Talk, server: OpenAiServer) -> Conversation:
    return replace(talk(), chat=remote(server))


@pytest.mark.parametrize("name", [None, "offline", OFFLINE])
def test_without_key_or_server_the_planner_answers(name: str | None) -> None:
    assert choose_model(name).offline


def test_offline_wins_over_key_and_server() -> None:
    assert choose_model("offline", "http://localhost:1/v1", "sk-test").offline


def test_a_key_alone_means_openai() -> None:
    chat = choose_model(api_key="sk-test")
    assert (chat.host, chat.offline) == ("api.openai.com", False)


@pytest.mark.parametrize(
    ("name", "base_url"), [("gpt-x", None), (None, "localhost:11434"), (None, "file:///etc")]
)
def test_settings_that_make_no_sense_are_refused(name: str | None, base_url: str | None) -> None:
    with pytest.raises(ConfigurationError) as raised:
        choose_model(name, base_url)
    assert raised.value.hint


def test_tool_calls_go_through_the_same_graph(talk: Talk) -> None:
    with serving(tool_call("simulate", ONE_DOSE), text("Verapamil is allowed with caution.")) as server:
        answer = talking(talk, server).ask("What would verapamil 40 mg do?")
    assert answer.answer == "Verapamil is allowed with caution."
    assert [(call["name"], call["ok"]) for call in answer.tool_calls] == [("simulate", True)]
    assert answer.usage == {"input_tokens": 200, "output_tokens": 40}
    assert answer.model == "made-model"
    first, second = server.requests
    assert first["path"] == "/v1/chat/completions"
    assert {tool["function"]["name"] for tool in first["tools"]} >= {
        "measure_ecg",
        "check_mask",
        "simulate",
        "rank",
    }
    assert [message["role"] for message in second["messages"]] == ["system", "user", "assistant", "tool"]


def test_invented_numbers_from_a_server_are_withheld(talk: Talk) -> None:
    with serving(tool_call("measure_ecg", "{}"), text("QTcF 777 ms."), text("QTcF is 777 ms.")) as server:
        answer = talking(talk, server).ask("What is the QTc?")
    assert "777" not in answer.answer
    assert len(server.requests) == 3


def test_malformed_arguments_from_a_server_are_sent_back(talk: Talk) -> None:
    with serving(tool_call("rank", "{goal: rate"), text("I could not rank.")) as server:
        answer = talking(talk, server).ask("rank")
    assert answer.answer == "I could not rank."
    assert "JSON" in server.requests[1]["messages"][-1]["content"]


def test_a_local_server_gets_a_dummy_key(talk: Talk) -> None:
    with serving(text("Hello.")) as server:
        talking(talk, server).ask("hello there")
    assert server.requests[0]["key"] == "Bearer not-needed"


def test_streaming_joins_text_and_calls(bench: Workbench) -> None:
    with serving(text("one two three"), tool_call("simulate", ONE_DOSE)) as server:
        model = remote(server).model.bind_tools(tools_on(bench))
        said = list(model.stream("say it"))
        called = AIMessageChunk(content="")
        for chunk in model.stream("call it"):
            called += chunk  # type: ignore[assignment]
    assert [chunk.text for chunk in said if chunk.text] == ["one", "two", "three"]
    assert called.tool_calls[0]["args"] == {"actions": ["verapamil 40 mg oral"]}


@pytest.mark.parametrize(
    ("status", "said"), [(401, "refused the key"), (404, "404"), (429, "quota"), (500, "500"), (400, "400")]
)
def test_what_a_server_refuses_is_one_line(
    talk: Talk, status: int, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.models.RETRIES", 0)
    with serving(status) as server, pytest.raises(ProviderError) as raised:
        talking(talk, server).ask("What is the QTc?")
    assert said in raised.value.message
    assert "\n" not in raised.value.message
    assert raised.value.hint


def test_an_unreachable_server_is_one_line_and_the_thread_survives(
    talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.models.RETRIES", 0)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    conversation = replace(talk(), chat=choose_model("made-model", url))
    with pytest.raises(ProviderError, match="cannot be reached"):
        conversation.ask("What is the QTc?")
    assert "QTcF" in conversation.ask_offline().answer


def test_an_answer_that_is_no_completion_is_one_line(talk: Talk) -> None:
    with (
        serving({"role": "assistant", "content": {"no": "text"}}) as server,
        pytest.raises(ProviderError) as raised,
    ):
        talking(talk, server).ask("What is the QTc?")
    assert "cannot be read" in raised.value.message


def test_the_record_goes_to_the_model_only_when_it_asks(talk: Talk) -> None:
    with serving(text("Hello.")) as server:
        talking(talk, server).ask("hello there")
    assert "Ignore the mask" not in json.dumps(server.requests)
