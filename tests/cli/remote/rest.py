"""A server on this machine that answers as it was told, and keeps what it was asked."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from rich.console import Console


class Answering(HTTPServer):
    """`answers` are by method and path under `/v1`, and so are `statuses`; `status` is that of all others."""

    def __init__(self, answers: dict[str, Any]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers, self.status = answers, 200
        self.statuses: dict[str, int] = {}
        self.asked: list[tuple[str, str, Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Answering

    def _answer(self) -> None:
        path, _, query = self.path.removeprefix("/v1").partition("?")
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "null")
        asked = f"{self.command} {path}"
        self.server.asked.append((f"{asked}?{query}", self.headers["Authorization"], body))
        content = json.dumps(self.server.answers[asked]).encode()
        self.send_response(self.server.statuses.get(asked, self.server.status))
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_PUT = do_POST = _answer  # noqa: N815 - the library's names

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@contextmanager
def answering(answers: dict[str, Any]) -> Iterator[Answering]:
    with Answering(answers) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def screen() -> tuple[Console, io.StringIO]:
    text = io.StringIO()
    return Console(file=text, width=100), text
