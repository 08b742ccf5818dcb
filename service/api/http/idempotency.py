"""`Idempotency-Key`: the same POST again gets the first one's answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Request
from fastapi.responses import Response
from pydantic import BaseModel

from service.api.http.deps import AuthorDep, CallerDep, PortsDep, UowDep
from service.api.http.responses import JSON, respond
from service.domain.access import KeptAnswer
from service.workflows.access import idempotency
from service.workflows.access.idempotency import KeyedRequest
from service.workflows.configuration.engine import Author
from service.workflows.ports.unit_of_work import Ports, UnitOfWork

KeyHeader = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="Any text of your own: sent again within 24 h with the same request, it is carried out once",
        pattern=r"^[!-~]{1,255}$",
    ),
]


class Replayed(Exception):
    """The request was carried out before; `answer` is what it got."""

    def __init__(self, answer: KeptAnswer) -> None:
        super().__init__()
        self.answer = answer


def answer_again(_: Request, error: Exception) -> Response:
    assert isinstance(error, Replayed)
    headers = dict(error.answer.headers) | {"Idempotent-Replayed": "true"}
    return Response(error.answer.body, error.answer.status, headers, JSON)


async def read_key(request: Request, caller: CallerDep, key: KeyHeader = None) -> KeyedRequest | None:
    if key is None:
        return None
    digest = idempotency.digest_request(request.method, _target(request), await request.body())
    return KeyedRequest(caller.id, key, digest)


def _target(request: Request) -> str:
    """Path and query as they were sent: the host is a matter of how the API was reached."""
    path = request.scope.get("raw_path") or request.url.path.encode()
    return b"?".join((path, request.scope["query_string"])).decode("latin-1")


KeyedDep = Annotated[KeyedRequest | None, Depends(read_key)]


def _kept(request: KeyedRequest, response: Response, document: BaseModel) -> KeptAnswer:
    headers = {k: v for k, v in response.headers.items() if k in {"location", "etag"}}
    body = document.model_dump_json(by_alias=True)
    return KeptAnswer(request.digest, response.status_code, body, tuple(headers.items()))


@dataclass(frozen=True, slots=True)
class Once:
    """A POST inside the request's transaction: its answer is kept exactly when its work is."""

    uow: UnitOfWork
    request: KeyedRequest | None
    author: Author

    async def answer(
        self,
        document: BaseModel,
        status: int = 200,
        headers: dict[str, str] | None = None,
        *,
        kept: BaseModel | None = None,
    ) -> Response:
        """Answers with the document; a repetition gets `kept`, where the document itself holds a secret."""
        response = respond(document, status, headers)
        if self.request is not None:
            answer = _kept(self.request, response, kept or document)
            await idempotency.keep(self.uow, self.request, answer)
        return response


async def once(uow: UowDep, request: KeyedDep, author: AuthorDep) -> Once:
    """Raises Replayed."""
    if request is not None:
        answered = await idempotency.recall(uow, request)
        if answered is not None:
            raise Replayed(answered)
    return Once(uow, request, author)


OnceDep = Annotated[Once, Depends(once)]


@dataclass(frozen=True, slots=True)
class OnceOutside:
    """A POST that calls the world outside, so that no transaction may be open meanwhile."""

    ports: Ports
    request: KeyedRequest | None
    author: Author

    async def answer(self, document: BaseModel) -> Response:
        response = respond(document)
        if self.request is not None:
            answer = _kept(self.request, response, document)
            await idempotency.run_keep(self.ports, self.request, answer)
        return response


async def once_outside(ports: PortsDep, request: KeyedDep, author: AuthorDep) -> OnceOutside:
    """Raises Replayed."""
    if request is not None:
        answered = await idempotency.run_recall(ports, request)
        if answered is not None:
            raise Replayed(answered)
    return OnceOutside(ports, request, author)


OnceOutsideDep = Annotated[OnceOutside, Depends(once_outside)]
