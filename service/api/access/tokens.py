"""`/v1/tokens`: who may use this API."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Body
from fastapi.responses import Response
from pydantic import BaseModel, Field

from service.api.http.deps import AuthorDep, CallerDep, Id, UowDep, admin
from service.api.http.fields import Name, Strict
from service.api.http.idempotency import OnceDep
from service.api.http.listing import DEFAULT_LIMIT, Cursor, Limit, Listing
from service.api.http.responses import respond
from service.domain.access import Role, Token
from service.workflows.access.tokens import create_token, new_secret, revoke_token

router = APIRouter(prefix="/v1/tokens", tags=["Access"])


class TokenIn(Strict):
    name: Name
    role: Role


class TokenOut(BaseModel):
    id: str
    name: str
    role: Role
    hint: str = Field(examples=["...9f3a"])
    created_at: datetime
    revoked_at: datetime | None


class NewTokenOut(TokenOut):
    """`token` is shown this once; a repeated request with the same Idempotency-Key is answered without it."""

    token: str | None


def show_token(token: Token) -> TokenOut:
    return TokenOut.model_validate(token, from_attributes=True)


@router.get("", summary="List tokens", response_model=Listing[TokenOut], dependencies=[admin])
async def list_(uow: UowDep, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> Response:
    page = await uow.tokens.page(limit=limit, cursor=cursor)
    return respond(Listing[TokenOut](items=[show_token(token) for token in page.items], next=page.next))


@router.post(
    "",
    summary="Create a token",
    status_code=201,
    response_model=NewTokenOut,
    responses={409: {}},
    dependencies=[admin],
)
async def create(
    document: Annotated[TokenIn, Body(openapi_examples={"example": {"value": {"name": "deploy", "role": "admin"}}})],
    uow: UowDep,
    once: OnceDep,
) -> Response:
    secret = new_secret()
    token = await create_token(uow, document.name, document.role, secret, once.author)
    answer = NewTokenOut(**show_token(token).model_dump(), token=secret)
    headers = {"Cache-Control": "no-store"}
    return await once.answer(answer, 201, headers, kept=answer.model_copy(update={"token": None}))


@router.delete(
    "/{id}",
    summary="Revoke a token",
    status_code=204,
    responses={404: {}, 409: {}},
    dependencies=[admin],
)
async def revoke(id: Id, uow: UowDep, caller: CallerDep, author: AuthorDep) -> Response:
    await revoke_token(uow, id, caller, author)
    return Response(status_code=204)
