"""A server on this machine that has a data set in PhysioNet's layout, with Range requests and planned failures."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import unquote


class Server(ThreadingHTTPServer):
    """files: what it has, SHA256SUMS.txt with them; asked: name and Range of each request.

    statuses: answers by name, in place of the file, one for each request. ranges: whether it can go on half way.
    """

    def __init__(self, files: Mapping[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        sums = "".join(f"{hashlib.sha256(content).hexdigest()} {name}\n" for name, content in files.items())
        self.files = {**files, "SHA256SUMS.txt": sums.encode()}
        self.asked: list[tuple[str, str | None]] = []
        self.statuses: dict[str, list[int]] = {}
        self.ranges = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/set/1.0.0"


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        name, wanted = unquote(self.path).removeprefix("/set/1.0.0/"), self.headers["Range"]
        self.server.asked.append((name, wanted))
        planned, content = self.server.statuses.get(name, []), self.server.files.get(name)
        status = planned.pop(0) if planned else 404 if content is None else 200
        if status != 200 or content is None:
            self.send_error(status)
            return
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and self.server.ranges else 0
        if start >= len(content) > 0:
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        self.wfile.write(content[start:])

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving(files: Mapping[str, bytes]) -> Iterator[Server]:
    """The server while it runs."""
    with Server(files) as running:
        thread = Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield running
        finally:
            running.shutdown()
            thread.join()
