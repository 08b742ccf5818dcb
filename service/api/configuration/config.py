"""`/v1/config`: the whole configuration as one document, compared and applied."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Body, Query
from fastapi.responses import JSONResponse, Response
from pydantic import JsonValue

from service.api.configuration.apply import apply, export
from service.api.configuration.documents import ConfigAction, ConfigIn, ConfigPlanOut
from service.api.http.deps import AuthorDep, PortsDep, UowDep, admin, in_one_transaction, rehearsed, viewer
from service.api.http.responses import respond

router = APIRouter(prefix="/v1/config", tags=["Configuration"])

EXAMPLE = {"budgets": [{"name": "eng monthly", "amount": "5000.00", "for_each": "workspace"}]}


class Unlisted(StrEnum):
    """The fate of what is stored and not in the document, of the kinds that the document has."""

    KEEP = "keep"
    DELETE = "delete"


@router.get(
    "",
    summary="Read the whole configuration, as one would write it: what is as usual is left out, and secrets are stubs",
    response_model=dict[str, JsonValue],  # as ConfigIn, every document would have two schemas
    dependencies=[viewer],
)
async def get(uow: UowDep, author: AuthorDep) -> Response:
    return JSONResponse(await export(uow, author))


@router.put(
    "",
    summary="Make the configuration as the document says, in one transaction, or say what would change",
    response_model=ConfigPlanOut,
    responses={409: {}},
    dependencies=[admin],
)
async def put(
    document: Annotated[ConfigIn, Body(openapi_examples={"example": {"value": EXAMPLE}})],
    ports: PortsDep,
    author: AuthorDep,
    dry_run: Annotated[bool, Query(description="only say what would change")] = False,
    unlisted: Annotated[Unlisted, Query(description="what becomes of others of the document's kinds")] = Unlisted.KEEP,
) -> Response:
    carry_out = rehearsed if dry_run else in_one_transaction
    changes = await carry_out(ports, lambda uow: apply(ports, uow, document, ConfigAction(unlisted), author))
    return respond(ConfigPlanOut(applied=not dry_run, changes=changes))
