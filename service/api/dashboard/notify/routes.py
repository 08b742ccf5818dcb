"""`/pages/routes`: the routes in their order, and where an alert with some labels would go now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response

from service.api.dashboard.layout import live_page
from service.api.dashboard.notify.channels import channel_name
from service.api.dashboard.notify.frame import AREAS, PLACE, ROUTES
from service.api.dashboard.session import SignedInDep
from service.api.http.deps import NowDep, UowDep
from service.api.notify.route_documents import RouteDocument, TimeIntervalDocument, read_interval, show_routes
from service.api.notify.route_matches import Destination, MatchOut, show_match
from service.domain.access import Role
from service.domain.notify.routing.doubts import closed_labels, require_possible_labels
from service.domain.notify.routing.intervals import in_words
from service.domain.notify.routing.labels import parse_labels
from service.domain.notify.routing.routes import RouteTable
from service.domain.notify.undelivered import NO_SOURCE
from service.domain.values.durations import format_duration
from service.domain.values.errors import Invalid
from service.workflows.configuration.notify import route_table
from service.workflows.notify.known_labels import known_labels
from service.workflows.notify.situation import read_situation
from service.workflows.ports.unit_of_work import UnitOfWork

router = APIRouter(include_in_schema=False)

MOST_LABELS = 50


@dataclass(frozen=True, slots=True)
class AskedAlert:
    """The alert that somebody asks about: its severity and kind, and other labels, one a line."""

    severity: Annotated[str, Query(max_length=20)] = ""
    kind: Annotated[str, Query(max_length=40)] = ""
    labels: Annotated[str, Query(max_length=5000)] = ""

    @property
    def pairs(self) -> list[str]:
        named = {"severity": self.severity, "kind": self.kind}
        given = [f"{name}={value}" for name, value in named.items() if value]
        return [*given, *(line.strip() for line in self.labels.splitlines() if line.strip())][:MOST_LABELS]


@router.head(ROUTES)  # probes ask so
@router.get(ROUTES)
async def show_table(
    caller: SignedInDep, uow: UowDep, now: NowDep, asked: Annotated[AskedAlert, Depends()]
) -> Response:
    stored = await route_table(uow)
    shown = await show_routes(uow, stored.spec if stored else RouteTable(()))
    answer, flaw = None, ""
    if asked.pairs:
        try:
            answer = _answer(await _match(uow, asked, now))
        except Invalid as error:
            flaw = str(error)
    closed = closed_labels()
    content = {
        "areas": AREAS,
        "area": ROUTES,
        "routes": [_route(one, number == len(shown.items)) for number, one in enumerate(shown.items, 1)],
        "doubts": shown.doubts,
        "asked": asked,
        "severities": closed["severity"],
        "alert_kinds": closed["kind"],
        "answer": answer,
        "flaw": flaw,
        "may_write": caller.role.allows(Role.ADMIN),
    }
    return live_page("routes.html.j2", PLACE, caller, content)


async def _match(uow: UnitOfWork, asked: AskedAlert, now: datetime) -> MatchOut:
    """Raises Invalid for labels that no alert has."""
    try:
        labels = parse_labels(asked.pairs)
    except ValueError as error:
        raise Invalid(str(error)) from error
    require_possible_labels(labels, "")
    situation = await read_situation(uow, NO_SOURCE, now)
    return show_match(None, labels, situation, await known_labels(uow))


def _answer(found: MatchOut) -> Mapping[str, object]:
    return {
        "goes_to": [_destination(one) for one in found.goes_to],
        "verdicts": [(one.position + 1, one.receiver, one.matched, one.why, one.doubts) for one in found.routes],
        "silenced_by": [one.name for one in found.silenced_by],
    }


def _destination(one: Destination) -> tuple[str, str]:
    """Returns a channel in words, and what keeps it from being notified at once."""
    when = [f"after {one.after}, by {one.escalation_policy}"] if one.escalation_policy else []
    held = [f"held back: {one.held_by.value.replace('_', ' ')}"] if one.held_by else []
    collected = ["collected with others first"] if one.collected else []
    return f"{one.receiver}, {channel_name(one.channel)}", "; ".join([*when, *held, *collected]) or "at once"


def _times(intervals: Sequence[TimeIntervalDocument]) -> str:
    return ", or ".join(in_words(read_interval(one)) for one in intervals)


def _route(route: RouteDocument, is_default: bool) -> Mapping[str, object]:
    matchers = ", ".join(f"{one.label}{one.op}{one.value}" for one in route.matchers)
    timing = [
        f"collected by {', '.join(route.group_by)}" if route.group_by else "",
        f"repeated every {format_duration(route.repeat_interval)}" if route.repeat_interval else "",
        f"then by {route.escalation_policy}" if route.escalation_policy else "",
        f"notifies nobody {_times(route.mute_times)}" if route.mute_times else "",
        f"notifies only {_times(route.active_times)}" if route.active_times else "",
        "later routes are asked, too" if route.continues else "",
    ]
    what = matchers or ("all that is left" if is_default else "every alert")
    return {"what": what, "receiver": route.receiver, "more": "; ".join(text for text in timing if text)}
