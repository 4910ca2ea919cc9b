"""Search through a server that speaks OpenAI's protocol: asked where configured, never in silence replaced."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from knowledge.embedding_endpoint import Endpoint, configured_endpoint
from knowledge.errors import StoreError
from knowledge.store import open_store


class Server(BaseHTTPRequestHandler):
    """Embeds by the count of a few words, so that the nearest text is known."""

    words = ("digoxin", "verapamil", "potassium", "heart")

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if asked["model"] != "counting":
            self.send_error(404, "no such model")
            return
        rows = [[1.0, *(float(text.lower().count(word)) for word in self.words)] for text in asked["input"]]
        data = [{"object": "embedding", "index": at, "embedding": row} for at, row in enumerate(rows)]
        body = json.dumps({"object": "list", "model": "counting", "data": data, "usage": {}}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_configured_endpoint_embeds_rules_and_questions(url: str, tmp_path: Path) -> None:
    store = open_store(tmp_path, Endpoint("counting", url))
    assert "digoxin" in store.search("digoxin digoxin digoxin", 1)[0].text.lower()
    again = open_store(tmp_path, Endpoint("counting", url))
    assert len(again) == len(store)
    assert len(list(tmp_path.iterdir())) == 1


def test_a_failing_endpoint_is_told_and_not_replaced(url: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no embedding by other") as refused:
        open_store(tmp_path, Endpoint("other", url))
    assert "ECGWM_EMBEDDING_MODEL" in refused.value.hint
    assert not list(tmp_path.iterdir())


def test_the_endpoint_is_the_one_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ECGWM_EMBEDDING_MODEL", raising=False)
    assert configured_endpoint() is None
    monkeypatch.setenv("ECGWM_EMBEDDING_MODEL", "m")
    monkeypatch.setenv("ECGWM_EMBEDDING_URL", "http://localhost:1/v1")
    monkeypatch.setenv("ECGWM_EMBEDDING_API_KEY", "secret")
    found = configured_endpoint()
    assert found == Endpoint("m", "http://localhost:1/v1", "secret")
    assert "secret" not in repr(found)
