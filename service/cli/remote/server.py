"""A server, over REST, with an API token."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import httpx

from service.bootstrap.errors import SettingError, StartError

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"
TIMEOUT = 300.0
"""Seconds for an answer: two thousand budgets take half a minute to be compared."""


class ServerError(StartError):
    """The server refuses, or cannot be reached. `problem` is its answer (RFC 9457), None where there is none."""

    def __init__(self, text: str, problem: Json = None) -> None:
        super().__init__(text)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Server:
    """`url` without a path, such as http://127.0.0.1:8400."""

    url: str
    token: str

    def ask(self, method: str, path: str, query: Mapping[str, str] | None = None, body: Json = None) -> dict[str, Json]:
        """Returns the answer of an operation under `/v1`. Raises ServerError."""
        address, headers = f"{self.url.rstrip('/')}/v1{path}", {"Authorization": f"Bearer {self.token}"}
        try:
            answer = httpx.request(method, address, params=query, json=body, headers=headers, timeout=TIMEOUT)
            document: Json = answer.json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise ServerError(f"{self.url}: {error or type(error).__name__}") from error
        if answer.is_success and isinstance(document, dict):
            return document
        detail = document.get("detail") if isinstance(document, dict) else None
        raise ServerError(str(detail or f"{self.url}: HTTP {answer.status_code}"), document)


def server_at(url: str) -> Server:
    """Returns the server at an address, with the token of the environment. Raises SettingError."""
    token = os.environ.get("TOCSIN_TOKEN", "").strip()
    if not token:
        raise SettingError("TOCSIN_TOKEN is not set: an API token (viewer to read, operator to answer, admin to apply)")
    if not re.fullmatch(r"[!-~]+", token):  # said here: the library's complaint would show the token
        raise SettingError("TOCSIN_TOKEN holds a space, a line break or another character that no token has")
    return Server(url, token)
