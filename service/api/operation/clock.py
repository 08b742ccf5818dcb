"""`/v1/clock`: the product's time, which may run faster than a caller's."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, Field

from service.api.http.deps import NowDep, viewer
from service.api.http.responses import respond

router = APIRouter(prefix="/v1/clock", tags=["Operations"])


class ClockNowOut(BaseModel):
    now: datetime = Field(description="the instant by which everything here is judged: TOCSIN_CLOCK may set it")


@router.get("", summary="The product's time", response_model=ClockNowOut, dependencies=[viewer])
async def read(now: NowDep) -> Response:
    return respond(ClockNowOut(now=now))
