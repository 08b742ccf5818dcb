"""`/v1/owners/csv`: owners and tags as a file, to be filled in elsewhere."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from service.api.http.deps import AuthorDep, UowDep, admin, viewer
from service.api.http.responses import respond
from service.api.sources.owner_lines import CSV, CSV_HEADERS, owners_csv, read_changes
from service.domain.values.errors import Invalid
from service.workflows.configuration.ownership import change_ownership

router = APIRouter(prefix="/v1/owners/csv", tags=["Directory"])

FILE = {"content": {"text/csv": {"schema": {"type": "string"}}}}
EXAMPLES = {"examples": {"example": {"value": "member,owner,tag:team\r\nworkspace:production,eng-oncall,eng\r\n"}}}


class OwnersChangedOut(BaseModel):
    """`lines` that the file has, and how many members have another owner or other tags than before."""

    lines: int
    changed: int = Field(examples=[12])


@router.get(
    "",
    summary="All workspaces and API keys with their owners and tags, as CSV",
    response_class=Response,
    responses={200: FILE},
    dependencies=[viewer],
)
async def download(uow: UowDep) -> Response:
    return Response(await owners_csv(uow), headers=CSV_HEADERS, media_type=CSV)


@router.put(
    "",
    summary="Set owners and tags from CSV; what the file has no line or no column for stays",
    response_model=OwnersChangedOut,
    responses={409: {}},
    openapi_extra={"requestBody": {"required": True, "content": {"text/csv": FILE["content"]["text/csv"] | EXAMPLES}}},
    dependencies=[admin],
)
async def upload(request: Request, uow: UowDep, author: AuthorDep) -> Response:
    try:
        text = (await request.body()).decode("utf-8")
    except UnicodeDecodeError as error:
        raise Invalid(f"byte {error.start + 1}: this is not UTF-8 text") from error
    await uow.become_only_writer()
    found = await read_changes(uow, text, author)
    if found.changed:
        await change_ownership(uow, [after for _, after in found.changed], author)
    return respond(OwnersChangedOut(lines=found.lines, changed=len(found.changed)))
