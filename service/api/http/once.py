"""`Idempotency-Key`: the same POST again gets the first one's answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Request
from fastapi.responses import Response
from pydantic import BaseModel

from service.api.http.deps import AuthorDep, CallerDep, PortsDep, UowDep
from service.domain.access import KeptAnswer
from service.workflows.access import idempotency as repeat
from service.workflows.configuration.engine import Author
from service.workflows.ports.unit_of_work import Ports, UnitOfWork

JSON = "application/json"
KeyHeader = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="Any text of your own: sent again within 24 h with the same request, it is carried out once",
        pattern=r"^[!-~]{1,255}$",
    ),
]


class Replay(Exception):
    """The request was carried out before; `answer` is what it got."""

    def __init__(self, answer: KeptAnswer) -> None:
        super().__init__()
        self.answer = answer


def answer_again(_: Request, error: Exception) -> Response:
    assert isinstance(error, Replay)
    headers = dict(error.answer.headers) | {"Idempotent-Replayed": "true"}
    return Response(error.answer.body, error.answer.status, headers, JSON)


async def read_attempt(request: Request, caller: CallerDep, key: KeyHeader = None) -> repeat.Attempt | None:
    if key is None:
        return None
    digest = repeat.digest_request(request.method, str(request.url), await request.body())
    return repeat.Attempt(caller.id, key, digest)


AttemptDep = Annotated[repeat.Attempt | None, Depends(read_attempt)]


def respond(document: BaseModel, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(document.model_dump_json(by_alias=True), status, headers, JSON)


def _kept(attempt: repeat.Attempt, response: Response, document: BaseModel) -> KeptAnswer:
    headers = {k: v for k, v in response.headers.items() if k in {"location", "etag"}}
    body = document.model_dump_json(by_alias=True)
    return KeptAnswer(attempt.digest, response.status_code, body, tuple(headers.items()))


@dataclass(frozen=True, slots=True)
class Once:
    """A POST inside the request's transaction: its answer is kept exactly when its work is."""

    uow: UnitOfWork
    attempt: repeat.Attempt | None
    author: Author

    async def answer(
        self,
        document: BaseModel,
        status: int = 200,
        headers: dict[str, str] | None = None,
        *,
        kept: BaseModel | None = None,
    ) -> Response:
        """`kept` is what a repetition is answered, where the document itself holds a secret."""
        response = respond(document, status, headers)
        if self.attempt is not None:
            await repeat.keep(self.uow, self.attempt, _kept(self.attempt, response, kept or document), self.author)
        return response


async def once(uow: UowDep, attempt: AttemptDep, author: AuthorDep) -> Once:
    if attempt is not None:
        answered = await repeat.recall(uow, attempt, author)
        if answered is not None:
            raise Replay(answered)
    return Once(uow, attempt, author)


OnceDep = Annotated[Once, Depends(once)]


@dataclass(frozen=True, slots=True)
class OnceOutside:
    """A POST that calls the world outside, so that no transaction may be open meanwhile."""

    ports: Ports
    attempt: repeat.Attempt | None
    author: Author

    async def answer(self, document: BaseModel) -> Response:
        response = respond(document)
        if self.attempt is not None:
            await repeat.run_keep(self.ports, self.attempt, _kept(self.attempt, response, document), self.author)
        return response


async def once_outside(ports: PortsDep, attempt: AttemptDep, author: AuthorDep) -> OnceOutside:
    if attempt is not None:
        answered = await repeat.run_recall(ports, attempt, author)
        if answered is not None:
            raise Replay(answered)
    return OnceOutside(ports, attempt, author)


OnceOutsideDep = Annotated[OnceOutside, Depends(once_outside)]
