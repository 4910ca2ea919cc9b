"""A server on this machine that speaks OpenAI's chat-completions protocol and follows a script."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

Json = dict[str, Any]
USAGE = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}


def text(content: str) -> Json:
    """A turn that answers."""
    return {"role": "assistant", "content": content}


def tool_call(name: str, arguments: str) -> Json:
    """A turn that calls a tool; `arguments` as the model wrote them, JSON or not."""
    call = {"id": f"call_{name}", "type": "function", "function": {"name": name, "arguments": arguments}}
    return {"role": "assistant", "content": None, "tool_calls": [call]}


class OpenAiServer(ThreadingHTTPServer):
    """Answers with the next line of `script`, an HTTP status or a turn; `requests` is what it was asked."""

    def __init__(self, script: list[Json | int]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script = script
        self.requests: list[Json] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class _Handler(BaseHTTPRequestHandler):
    server: OpenAiServer

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append(request | {"path": self.path, "key": self.headers["Authorization"]})
        line = self.server.script[min(len(self.server.requests), len(self.server.script)) - 1]
        if isinstance(line, int):
            self._send(line, "application/json", json.dumps({"error": {"message": "scripted"}}))
        elif request.get("stream"):
            self._send(200, "text/event-stream", "".join(_events(line, request["model"])))
        else:
            choice = {
                "index": 0,
                "message": line,
                "finish_reason": "tool_calls" if "tool_calls" in line else "stop",
            }
            body = _envelope("chat.completion", request["model"], [choice]) | {"usage": USAGE}
            self._send(200, "application/json", json.dumps(body))

    def _send(self, status: int, kind: str, body: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the tests read `requests`."""


def _envelope(kind: str, model: str, choices: list[Json]) -> Json:
    return {"id": "chatcmpl-1", "object": kind, "created": 1, "model": model, "choices": choices}


def _events(turn: Json, model: str) -> Iterator[str]:
    """The turn in pieces: words of the text, and arguments of a call cut in two."""
    pieces: list[Json] = [{"role": "assistant", "content": ""}]
    pieces += [{"content": word} for word in (turn["content"] or "").split(" ") if word]
    for index, call in enumerate(turn.get("tool_calls", ())):
        arguments = call["function"]["arguments"]
        half = len(arguments) // 2
        head = {"name": call["function"]["name"], "arguments": arguments[:half]}
        pieces.append(
            {"tool_calls": [{"index": index, "id": call["id"], "type": "function", "function": head}]}
        )
        pieces.append({"tool_calls": [{"index": index, "function": {"arguments": arguments[half:]}}]})
    for piece in pieces:
        choice = {"index": 0, "delta": piece, "finish_reason": None}
        yield f"data: {json.dumps(_envelope('chat.completion.chunk', model, [choice]))}\n\n"
    last = {"index": 0, "delta": {}, "finish_reason": "tool_calls" if "tool_calls" in turn else "stop"}
    yield f"data: {json.dumps(_envelope('chat.completion.chunk', model, [last]))}\n\n"
    yield f"data: {json.dumps(_envelope('chat.completion.chunk', model, []) | {'usage': USAGE})}\n\n"
    yield "data: [DONE]\n\n"


@contextmanager
def serving(*script: Json | int) -> Iterator[OpenAiServer]:
    """A running server; it is gone afterwards."""
    server = OpenAiServer(list(script))
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
