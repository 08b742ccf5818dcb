"""`/v1/claude-code`: what people do with Claude Code, and what that is estimated to cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response
from pydantic import BaseModel, Field

from service.api.http.deps import NowDep, UowDep, viewer
from service.api.http.fields import Reference, Usd
from service.api.http.listing import DEFAULT_LIMIT, Cursor, Limit, References, encode, place_in
from service.api.http.responses import respond
from service.api.spend.scopes import Member, scope_of
from service.api.spend.spend import Moment
from service.domain.sources.source import SourceKind
from service.domain.spend.claude_code import (
    ClaudeCodeDay,
    CodeActivity,
    Keyed,
    by_actor,
    by_day,
    by_model,
    by_terminal,
    grouped,
    of_actors,
)
from service.domain.spend.rows import Width
from service.domain.values.errors import Invalid
from service.domain.values.names import Names, name_of
from service.domain.values.periods import Window
from service.domain.values.scopes import Dimension, ScopeKey
from service.workflows.configuration.spend import source_named
from service.workflows.spend import aligned

router = APIRouter(prefix="/v1/claude-code", tags=["Spend"])

LONGEST, USUAL = timedelta(days=366), timedelta(days=30)


class CodeGroupBy(StrEnum):
    ACTOR = "actor"
    DAY = "day"
    MODEL = "model"
    TERMINAL = "terminal"


KEYED: Mapping[CodeGroupBy, Callable[[ClaudeCodeDay], Keyed]] = {
    CodeGroupBy.ACTOR: by_actor,
    CodeGroupBy.DAY: by_day,
    CodeGroupBy.MODEL: by_model,
    CodeGroupBy.TERMINAL: by_terminal,
}


class CodeActivityOut(BaseModel):
    """Sessions, lines and tools are not told by model: there they are 0.

    `estimated_cost` is the vendor's estimate at list prices. What of it is billed is on the bill already: it is in no
    amount of `/v1/spend` beside that.
    """

    active_people: int = Field(description="0 where the source's switch `people` is off")
    sessions: int
    lines_added: int
    lines_removed: int
    commits: int
    pull_requests: int
    accepted: int = Field(description="edits that tools proposed and people took")
    rejected: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    estimated_cost: Usd
    cost_per_pull_request: Usd | None
    cost_per_person: Usd | None


class CodeGroupOut(CodeActivityOut):
    id: str = Field(description="empty for whoever may not be known, and for API keys")
    name: str


class ClaudeCodeOut(BaseModel):
    """The largest estimated cost first; days in order."""

    source: str
    since: datetime
    until: datetime
    simulated: bool
    total: CodeActivityOut
    group_by: CodeGroupBy
    items: list[CodeGroupOut]
    next: str | None


class CodeQuery:
    """Whole UTC days of a source, and whose."""

    def __init__(
        self,
        actor: References,
        since: Moment = None,
        until: Moment = None,
        source: Annotated[Reference | None, Query(description="an id or a name")] = None,
    ) -> None:
        self.since, self.until, self.source = since, until, source
        self.members = {Dimension.ACTOR: [Member(reference, "/actor") for reference in actor]}

    def window(self, now: datetime) -> Window:
        """Raises Invalid."""
        until = self.until or now
        since = self.since or until - USUAL
        if since >= until:
            raise Invalid("must be earlier than until", "/since")
        if until - since > LONGEST:
            raise Invalid(f"at most {LONGEST.days} days", "/since")
        return aligned(Window(since, until), Width.DAY)


@router.get("", summary="What people do with Claude Code", response_model=ClaudeCodeOut, dependencies=[viewer])
async def claude_code(
    uow: UowDep,
    now: NowDep,
    query: Annotated[CodeQuery, Depends()],
    group_by: CodeGroupBy = CodeGroupBy.ACTOR,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response:
    listing = f"Claude Code by {group_by}"
    window, skipped = query.window(now), place_in(listing, cursor)
    source = await source_named(uow, query.source, "/source")
    scope = await scope_of(uow, source.id, query.members)
    days = [of_actors(day, scope.actors) for day in await uow.claude_code.days(source.id, window)]
    largest = ordered(grouped(days, KEYED[group_by]), group_by)
    shown = largest[skipped : skipped + limit]
    names = await uow.directory.names(source.id, [ScopeKey(Dimension.ACTOR, id) for id, _ in shown])
    answer = {
        "source": source.name,
        "since": window.start,
        "until": window.end,
        "simulated": source.spec.kind is SourceKind.SIMULATOR,
        "total": _show(sum(grouped(days, by_day).values(), CodeActivity())),
        "group_by": group_by,
        "items": [_show(activity) | {"id": id, "name": group_name(id, group_by, names)} for id, activity in shown],
        "next": encode(listing, str(skipped + limit)) if len(largest) > skipped + limit else None,
    }
    return respond(ClaudeCodeOut.model_validate(answer))


def ordered(found: Mapping[str, CodeActivity], group_by: CodeGroupBy) -> list[tuple[str, CodeActivity]]:
    """Returns the largest estimated cost first; days in their order."""
    if group_by is CodeGroupBy.DAY:
        return sorted(found.items())
    return sorted(found.items(), key=lambda one: (-one[1].cost.usd, one[0]))


def group_name(id: str, group_by: CodeGroupBy, names: Names) -> str:
    return name_of(ScopeKey(Dimension.ACTOR, id), names) if group_by is CodeGroupBy.ACTOR else id


def _show(activity: CodeActivity) -> dict[str, object]:
    each, person = activity.cost_per_pull_request, activity.cost_per_person
    return {
        "active_people": len(activity.people),
        "sessions": activity.sessions,
        "lines_added": activity.lines_added,
        "lines_removed": activity.lines_removed,
        "commits": activity.commits,
        "pull_requests": activity.pull_requests,
        "accepted": activity.accepted,
        "rejected": activity.rejected,
        "input_tokens": activity.input_tokens,
        "output_tokens": activity.output_tokens,
        "cache_read_tokens": activity.cache_read_tokens,
        "cache_write_tokens": activity.cache_write_tokens,
        "estimated_cost": str(activity.cost),
        "cost_per_pull_request": str(each) if each is not None else None,
        "cost_per_person": str(person) if person is not None else None,
    }
