"""Answers that are no success, as errors that can be told apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that is wrong with a request. `pointer` is a JSON pointer to it, `place` where that starts."""

    pointer: str
    detail: str
    place: str = "body"


class ServerError(Exception):
    """The server refuses, or cannot be reached."""


class NoAnswer(ServerError):
    """There was no answer, or none that is JSON."""


class RequestRefused(ServerError):
    """A problem document (RFC 9457): `status`, its sentence, and its `mistakes` where it has some."""

    def __init__(self, status: int, text: str, mistakes: tuple[Mistake, ...] = ()) -> None:
        super().__init__(text)
        self.status, self.mistakes = status, mistakes


class TokenRefused(RequestRefused):
    """401: there is no such token."""


class RoleRefused(RequestRefused):
    """403: the token's role is too small."""


class NothingThere(RequestRefused):
    """404: nothing has that id or name."""


class Clash(RequestRefused):
    """409: a name that is taken, a move that is not possible, something in use, or somebody wrote in between."""


class VersionStale(RequestRefused):
    """412: the stored version is not the one that was read."""


class ValueRefused(RequestRefused):
    """422: a value is not acceptable; `mistakes` say which."""


class Busy(RequestRefused):
    """429 or 503: the server wants to be asked later, and was waited for as long as the caller is patient."""


REFUSALS: Mapping[int, type[RequestRefused]] = {
    401: TokenRefused,
    403: RoleRefused,
    404: NothingThere,
    409: Clash,
    412: VersionStale,
    422: ValueRefused,
    429: Busy,
    503: Busy,
}


def refusal(status: int, document: Json, url: str) -> RequestRefused:
    """Returns the error of an answer that is no success. `url` stands for a sentence where the answer has none."""
    problem = document if isinstance(document, dict) else {}
    mistakes = tuple(_mistake(one) for one in _objects(problem.get("errors")))
    text = str(problem.get("detail") or f"{url}: HTTP {status}")
    return REFUSALS.get(status, RequestRefused)(status, text, mistakes)


def _objects(value: Json) -> list[dict[str, Json]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _mistake(error: dict[str, Json]) -> Mistake:
    return Mistake(str(error.get("pointer", "")), str(error.get("detail", "")), str(error.get("in", "body")))
