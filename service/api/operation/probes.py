"""Probes of liveness and readiness, outside `/v1` and without a token."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Literal, cast

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from service.api.http.deps import NowDep, PortsDep, VisitorDep, in_one_transaction
from service.api.http.problems import problem
from service.api.http.responses import respond
from service.api.operation.recent import Recent
from service.domain.values.durations import format_duration
from service.workflows.operation.lateness import Late, Work, find_late

Readiness = Callable[[], Awaitable[str | None]]
"""Returns why this process cannot work (no database, an old schema), None when it can."""
LateFound = Recent[list[Late]]

router = APIRouter(tags=["Operations"])


class Health(BaseModel):
    status: Literal["ok"] = "ok"


class BehindOut(BaseModel):
    name: str = Field(description="of the source or the kind of job; a notification's id")
    since: datetime


class LateOut(BaseModel):
    """Work of one kind that has waited for longer than `limit`."""

    work: Work
    count: int = Field(description="of notifications 1,000 at most")
    since: datetime = Field(description="when the one became due that waits longest")
    limit: str = Field(examples=["5m"])
    first: list[BehindOut] = Field(description="those that wait longest, ten at most; empty without a viewer's token")
    next_step: str


class ReadyOut(BaseModel):
    """This process can work. `late` is what the workers are behind with."""

    status: Literal["ok", "late"]
    late: list[LateOut]


@router.get("/healthz", summary="The process lives", response_model=Health)
async def healthz() -> Response:
    return respond(Health())


@router.get("/readyz", summary="The process can work, and what is late", response_model=ReadyOut, responses={503: {}})
async def readyz(request: Request, ports: PortsDep, now: NowDep, visitor: VisitorDep) -> Response:
    ready = cast("Readiness", request.app.state.ready)
    obstacle = await ready()
    if obstacle is not None:
        return problem(503, obstacle)
    found = cast("LateFound", request.app.state.late)
    late = await found.get(lambda: in_one_transaction(ports, lambda uow: find_late(uow, now)))
    return respond(_show(late) if visitor is not None else _show_nameless(late))


def _show_nameless(late: Sequence[Late]) -> ReadyOut:
    shown = _show(late)
    return shown.model_copy(update={"late": [one.model_copy(update={"first": []}) for one in shown.late]})


def _show(late: Sequence[Late]) -> ReadyOut:
    return ReadyOut(status="late" if late else "ok", late=[_show_one(one) for one in late])


def _show_one(late: Late) -> LateOut:
    return LateOut(
        work=late.work,
        count=late.arrears.count,
        since=late.oldest.since,
        limit=format_duration(late.limit),
        first=[BehindOut(name=one.name, since=one.since) for one in late.arrears.first],
        next_step=late.next_step,
    )
