"""`/pages/sources`: every organisation, and whether it is read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from fastapi import APIRouter
from fastapi.responses import Response

from service.api.dashboard.layout import dashboard_page
from service.api.dashboard.paging import OLDEST_FIRST, AskedPartDep, sorted_out
from service.api.dashboard.session import SignedInDep
from service.api.dashboard.sources.standing import SourceStanding, standing_of
from service.api.http.deps import NowDep, UowDep
from service.domain.access import Role
from service.domain.sources.source import Source, SourceKind, SourceState
from service.domain.values.durations import format_duration
from service.domain.values.plain_text import minute
from service.domain.values.resources import Resource

router = APIRouter(include_in_schema=False)

PLACE = "/pages/sources"
PAGE = 50


@router.head(PLACE)  # probes ask so
@router.get(PLACE)
async def list_sources(caller: SignedInDep, uow: UowDep, now: NowDep, part: AskedPartDep) -> Response:
    found = await uow.sources.page(limit=PAGE, cursor=part.cursor)
    sources = sorted_out(found)
    lines = [_line(one, await uow.polling_states.get(one.id), now) for one in sources.readable]
    content = {
        "sources": lines,
        "unreadable": sources.unreadable,
        "part": part.links(PLACE, found, OLDEST_FIRST),
        "may_write": caller.role.allows(Role.ADMIN),
        "only_simulated": bool(lines) and all(one.spec.kind is SourceKind.SIMULATOR for one in sources.readable),
    }
    return dashboard_page("sources.html.j2", "Sources", caller, content)


def _line(source: Resource[Source], state: SourceState, now: datetime) -> Mapping[str, object]:
    standing: SourceStanding = standing_of(source.spec, state, now)
    return {
        "address": f"{PLACE}/{source.id}",
        "name": source.name,
        "organisation": state.organization_name or "not named yet",
        "simulated": source.spec.kind is SourceKind.SIMULATOR,
        "standing": standing,
        "read": minute(state.cost_read_at) if state.cost_read_at else "never",
        "interval": format_duration(source.spec.poll_interval),
    }
