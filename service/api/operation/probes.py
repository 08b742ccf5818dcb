"""Probes of liveness and readiness, outside `/v1` and without a token."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal, cast

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel

from service.api.http.problems import problem
from service.api.http.responses import respond

Readiness = Callable[[], Awaitable[str | None]]
"""Returns why this process cannot work (no database, an old schema), None when it can."""

router = APIRouter(tags=["Operations"])


class Health(BaseModel):
    status: Literal["ok"] = "ok"


@router.get("/healthz", summary="The process lives", response_model=Health)
async def healthz() -> Response:
    return respond(Health())


@router.get("/readyz", summary="The process can work", response_model=Health, responses={503: {}})
async def readyz(request: Request) -> Response:
    ready = cast("Readiness", request.app.state.ready)
    obstacle = await ready()
    return respond(Health()) if obstacle is None else problem(503, obstacle)
