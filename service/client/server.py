"""A server, over REST, with an API token: questions and answers as JSON."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Self, TypeAlias
from uuid import uuid4

import httpx

from service.client.errors import Json, NoAnswer, refusal

TIMEOUT = 300.0
"""Seconds for an answer: two thousand budgets take half a minute to be compared."""
PATIENCE = 60.0
"""Seconds for which a busy server is waited for, all waits of a question together."""
LATER = frozenset({429, 503})
Query: TypeAlias = Mapping[str, str | Sequence[str]]

_USER = re.compile(r"//[^/]*@")
"""A user and a password for a proxy on the way: no error shows them."""
_TOKEN = re.compile(r"[!-~]+")


class Server:
    """`url` is without a path, such as http://127.0.0.1:8400. It keeps its connections until it is closed.

    A server that names a time for the next try (`Retry-After`) is asked again then. A POST carries an
    `Idempotency-Key`, so that it is carried out once however often it is sent.
    Raises ValueError, without the token in it, for a token that no header can hold.
    """

    def __init__(
        self, url: str, token: str, *, patience: float = PATIENCE, pause: Callable[[float], None] = time.sleep
    ) -> None:
        if not _TOKEN.fullmatch(token):
            raise ValueError("the token is empty, or holds a space, a line break or another character that none has")
        self.url = url
        self._shown = _USER.sub("//", url)
        self._headers = {"Authorization": f"Bearer {token}"}
        self._http = httpx.Client(timeout=TIMEOUT)
        self._patience, self._pause = patience, pause

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def ask(
        self, method: str, path: str, query: Query | None = None, body: Json = None, version: int | None = None
    ) -> dict[str, Json]:
        """Returns the answer of an operation under `/v1`, empty where it has no content. Raises ServerError.

        With a `version` a write happens only where that one is stored still.
        """
        once = {"Idempotency-Key": uuid4().hex} if method == "POST" else {}
        headers = self._headers | once | ({"If-Match": f'"{version}"'} if version is not None else {})
        waited = 0.0
        while True:
            answer = self._send(method, path, query, body, headers)
            wait = _wanted_wait(answer)
            if wait is None or waited + wait > self._patience:
                return self._read(answer)
            self._pause(wait)
            waited += wait

    def pages(self, path: str, query: Query | None = None) -> Iterator[dict[str, Json]]:
        """Yields the items of a list, part by part as they are wanted. Raises ServerError."""
        cursor: Json = ""
        while cursor is not None:
            part = self.ask("GET", path, {**(query or {}), **({"cursor": str(cursor)} if cursor else {})})
            found, cursor = part.get("items"), part.get("next")
            yield from (one for one in found if isinstance(one, dict)) if isinstance(found, list) else ()

    def now(self) -> datetime:
        """Returns the server's time, aware UTC: with TOCSIN_CLOCK it is not the caller's. Raises ServerError."""
        return datetime.fromisoformat(str(self.ask("GET", "/clock").get("now")))

    def _send(
        self, method: str, path: str, query: Query | None, body: Json, headers: Mapping[str, str]
    ) -> httpx.Response:
        address = f"{self.url.rstrip('/')}/v1{path}"
        try:
            return self._http.request(method, address, params=dict(query or {}), json=body, headers=dict(headers))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise NoAnswer(f"{self._shown}: {error or type(error).__name__}") from error

    def _read(self, answer: httpx.Response) -> dict[str, Json]:
        try:
            document: Json = answer.json() if answer.content else {}
        except ValueError as error:
            raise NoAnswer(f"{self._shown}: {error}") from error
        if answer.is_success and isinstance(document, dict):
            return document
        raise refusal(answer.status_code, document, self._shown)


def _wanted_wait(answer: httpx.Response) -> float | None:
    """Returns the seconds after which the server wants to be asked again; None where it does not say so."""
    said = answer.headers.get("Retry-After", "")
    return float(said) if answer.status_code in LATER and said.isdecimal() else None
