"""A refusal is an error of its own, a busy server is asked again, and a list is read to its end."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from service.client import (
    Busy,
    Clash,
    Mistake,
    NoAnswer,
    NothingThere,
    RequestRefused,
    RoleRefused,
    Server,
    ServerError,
    TokenRefused,
    ValueRefused,
    VersionStale,
)
from service.client.errors import Json

Reply = tuple[int, Json, dict[str, str]]


class Scripted(HTTPServer):
    """Gives its replies in their order, the last one for ever, and keeps what it was asked and the keys of POSTs."""

    def __init__(self, *replies: Reply) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.replies = list(replies)
        self.asked: list[str] = []
        self.keys: list[str | None] = []


class _Handler(BaseHTTPRequestHandler):
    server: Scripted

    def _answer(self) -> None:
        self.server.asked.append(f"{self.command} {self.path}")
        self.server.keys.append(self.headers["Idempotency-Key"])
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, document, headers = self.server.replies[0]
        if len(self.server.replies) > 1:
            del self.server.replies[0]
        content = b"" if document is None else json.dumps(document).encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_DELETE = _answer  # noqa: N815 - the library's names

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    with Scripted((200, {"items": [], "next": None}, {})) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def at(scripted: Scripted, waits: list[float], *, patience: float = 60.0) -> Server:
    url = f"http://127.0.0.1:{scripted.server_port}"
    return Server(url, "tcn_FAKE", patience=patience, pause=waits.append)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, TokenRefused),
        (403, RoleRefused),
        (404, NothingThere),
        (409, Clash),
        (412, VersionStale),
        (422, ValueRefused),
        (500, RequestRefused),
    ],
)
def test_each_refusal_is_an_error_of_its_own_with_the_servers_words(
    scripted: Scripted, status: int, error: type[RequestRefused]
) -> None:
    flaw: Json = {"pointer": "/amount", "detail": "write US dollars", "in": "body"}
    scripted.replies = [(status, {"status": status, "detail": "no: /amount", "errors": [flaw]}, {})]
    with pytest.raises(RequestRefused, match="no: /amount") as refused:
        at(scripted, []).ask("POST", "/budgets", body={})
    assert type(refused.value) is error
    assert (refused.value.status, refused.value.mistakes) == (status, (Mistake("/amount", "write US dollars"),))


def test_a_busy_server_is_asked_again_when_it_says_and_a_post_keeps_its_key(scripted: Scripted) -> None:
    busy: Reply = (503, {"detail": "too many"}, {"Retry-After": "2"})
    waits: list[float] = []
    scripted.replies = [busy, busy, (201, {"id": "bud_1"}, {})]
    assert at(scripted, waits).ask("POST", "/budgets", body={}) == {"id": "bud_1"}
    assert waits == [2.0, 2.0]
    assert len(set(scripted.keys)) == 1, "carried out once, however often it is sent"
    assert scripted.keys[0]


def test_patience_ends(scripted: Scripted) -> None:
    scripted.replies, waits = [(429, {"detail": "too many"}, {"Retry-After": "20"})], list[float]()
    with pytest.raises(Busy, match="too many"):
        at(scripted, waits, patience=50).ask("GET", "/budgets")
    assert waits == [20.0, 20.0]


def test_a_list_is_read_part_by_part_as_it_is_wanted(scripted: Scripted) -> None:
    scripted.replies = [
        (200, {"items": [{"id": "1"}, {"id": "2"}], "next": "cd"}, {}),
        (200, {"items": [{"id": "3"}], "next": None}, {}),
    ]
    pages = at(scripted, []).pages("/alerts", {"state": ["firing", "snoozed"]})
    assert next(pages) == {"id": "1"}
    assert scripted.asked == ["GET /v1/alerts?state=firing&state=snoozed"]
    assert list(pages) == [{"id": "2"}, {"id": "3"}]
    assert scripted.asked[1] == "GET /v1/alerts?state=firing&state=snoozed&cursor=cd"


def test_an_answer_without_content_is_empty(scripted: Scripted) -> None:
    scripted.replies = [(204, None, {})]
    assert at(scripted, []).ask("DELETE", "/budgets/x") == {}


def test_no_server_and_no_json_are_named_with_the_address() -> None:
    with Server("http://ann:FAKE-password@127.0.0.1:1", "tcn_FAKE") as server, pytest.raises(NoAnswer) as refused:
        server.ask("GET", "/me")
    assert "FAKE-password" not in str(refused.value)
    with pytest.raises(NoAnswer, match=r"127\.0\.0\.1:1"):
        Server("http://127.0.0.1:1", "tcn_FAKE").ask("GET", "/sources")
    with pytest.raises(ServerError):
        Server("nonsense", "tcn_FAKE").ask("GET", "/sources")


@pytest.mark.parametrize("token", ["tcn_secret\n", "tcn_secret\nx", "tcn_secr\u00e9t", " tcn_secret", ""])
def test_a_token_that_no_header_can_hold_is_refused_without_being_shown(token: str) -> None:
    with pytest.raises(ValueError, match="line break") as caught:
        Server("http://127.0.0.1:1", token)
    assert "secr" not in str(caught.value)
