"""`/pages/audit`: every write, who did it, when, and what it changed."""

from __future__ import annotations

import json
from collections.abc import Mapping

from fastapi import APIRouter
from fastapi.responses import Response

from service.api.dashboard.access.frame import AUDIT, PLACE, areas
from service.api.dashboard.layout import dashboard_page
from service.api.dashboard.paging import NEWEST_FIRST, AskedPartDep
from service.api.dashboard.session import AdministeringDep, SignedInDep
from service.api.http.deps import UowDep
from service.domain.access import AuditEvent
from service.domain.messages.people import known_as
from service.domain.values.plain_text import minute

router = APIRouter(include_in_schema=False)

PAGE = 50
_NOT_KEPT = "-"


@router.head(AUDIT)  # probes ask so
@router.get(AUDIT)
async def show_audit_log(caller: SignedInDep, uow: UowDep, _: AdministeringDep, part: AskedPartDep) -> Response:
    found = await uow.audit.page(limit=PAGE, cursor=part.cursor)
    content = {
        "areas": areas(caller),
        "area": AUDIT,
        "events": [_line(one) for one in found.items],
        "part": part.links(AUDIT, found, NEWEST_FIRST),
    }
    return dashboard_page("audit.html.j2", PLACE, caller, content)


def _line(event: AuditEvent) -> Mapping[str, object]:
    before, after = event.before or {}, event.after or {}
    return {
        "at": minute(event.at),
        "who": known_as(event.actor, event.actor_name),
        "address": event.address,
        "action": event.action.replace(".", ": ").replace("_", " "),
        "detail": event.detail,
        "subject": event.subject,
        "changes": [(name, _shown(before, name), _shown(after, name)) for name in sorted({*before, *after})],
    }


def _shown(values: Mapping[str, object], name: str) -> str:
    if name not in values:
        return _NOT_KEPT
    value = values[name]
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
