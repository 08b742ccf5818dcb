"""A server that is configured: over REST, with an API token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from service.bootstrap.errors import StartError
from service.cli.config.reading import ConfigFile, Json

TIMEOUT = 60.0
"""Seconds for an answer."""


class ServerError(StartError):
    """The server refuses, or cannot be reached."""


@dataclass(frozen=True, slots=True)
class Server:
    """`url` without a path, such as http://127.0.0.1:8400."""

    url: str
    token: str

    def export(self) -> Json:
        """Returns all that is configured. Raises ServerError."""
        return self._answer("GET", {}, None)

    def put(self, file: ConfigFile, *, dry_run: str, unlisted: str) -> dict[str, Json]:
        """Returns what differs, or differed. Raises ServerError, which says where in the file a mistake is."""
        answer = self._answer("PUT", {"dry_run": dry_run, "unlisted": unlisted}, file)
        assert isinstance(answer, dict)
        return answer

    def _answer(self, method: str, query: Mapping[str, str], file: ConfigFile | None) -> Json:
        body = None if file is None else file.document
        headers = {"Authorization": f"Bearer {self.token}"}
        address = f"{self.url.rstrip('/')}/v1/config"
        try:
            answer = httpx.request(method, address, params=query, json=body, headers=headers, timeout=TIMEOUT)
            document: Json = answer.json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise ServerError(f"{self.url}: {error or type(error).__name__}") from error
        if answer.is_success:
            return document
        raise ServerError(_in_words(document, file) or f"{self.url}: HTTP {answer.status_code}")


def _in_words(problem: Json, file: ConfigFile | None) -> str:
    """Returns the errors of a problem document (RFC 9457), a line each, with where in the file they are."""
    if not isinstance(problem, dict):
        return ""
    errors = problem.get("errors")
    if file is None or not isinstance(errors, list) or not errors:
        return str(problem.get("detail", ""))
    return "\n".join(
        f"{file.place(str(one.get('pointer', '')))}: {one.get('detail')}" for one in errors if isinstance(one, dict)
    )
