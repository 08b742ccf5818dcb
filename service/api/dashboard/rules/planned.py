"""`/pages/planned-activities`: spend that was announced beforehand; one with the rules that expect it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from fastapi import APIRouter
from fastapi.responses import Response

from service.api.alerts.documents import source_names
from service.api.dashboard.alert_lines import alert_line
from service.api.dashboard.documents.listing import PAGE, ResourceLine, ResourceListing
from service.api.dashboard.documents.pages import led_to
from service.api.dashboard.layout import dashboard_page
from service.api.dashboard.paging import RUNNING_FIRST, AskedPartDep, all_of, sorted_out
from service.api.dashboard.rules.pages import AREAS, MOST_ALERTS, PLACE, PLANNED
from service.api.dashboard.session import AdministeringDep, SignedInDep, our_page
from service.api.http.deps import IdOrName, NowDep, UowDep
from service.api.http.listing import part_by_place
from service.domain.access import Role
from service.domain.rules.planned import ActivityState, PlannedActivity
from service.domain.rules.registry import KINDS
from service.domain.rules.rule import Rule
from service.domain.values.errors import Conflict, UnreadableDocument
from service.domain.values.names import Names, describe_scope
from service.domain.values.plain_text import minute
from service.domain.values.resources import Resource
from service.domain.values.scopes import ORGANISATION
from service.workflows.configuration.rules import end_activity
from service.workflows.dashboard.overview import OPEN
from service.workflows.ports.alerts import AlertFilter
from service.workflows.ports.unit_of_work import UnitOfWork
from service.workflows.sources.naming import names_of

router = APIRouter(include_in_schema=False)

_ORDER = (ActivityState.RUNNING, ActivityState.COMING, ActivityState.OVER)
_TONES = {ActivityState.RUNNING: "calm", ActivityState.COMING: "info", ActivityState.OVER: "quiet"}
_LISTING = ResourceListing(
    heading="Planned activities",
    about="Spend that somebody announced: rules expect so much more in its time, and then forget it.",
    path=PLANNED,
    noun="planned activity",
    none="None is announced. Announce a load test or a migration, and rules do not fire for it.",
    place="Rules",
    areas=AREAS,
)


@router.head(PLANNED)  # probes ask so
@router.get(PLANNED)
async def list_activities(caller: SignedInDep, uow: UowDep, now: NowDep, part: AskedPartDep) -> Response:
    """All of them: those that run, then those that come, the next first, then those that are over, the last first."""
    activities = sorted(await all_of(uow.planned), key=lambda one: _place(one, now))
    page = part_by_place(PLANNED, activities, PAGE, part.cursor)
    found, lines = sorted_out(page), []
    for activity in found.readable:
        names = await _names(uow, activity.spec)
        lines.append(_line(activity, names, now, caller.role))
    return _LISTING.page(caller, lines, found.unreadable, part.links(PLANNED, page, RUNNING_FIRST))


def _place(one: Resource[PlannedActivity] | UnreadableDocument, now: datetime) -> tuple[int, float]:
    if isinstance(one, UnreadableDocument):
        return -1, 0
    state = one.spec.state(now)
    since = one.spec.starts_at.timestamp()
    return _ORDER.index(state), -since if state is ActivityState.OVER else since


async def _names(uow: UnitOfWork, activity: PlannedActivity) -> Names:
    return await names_of(uow, await uow.polling_states.get(activity.source_id))


def _line(activity: Resource[PlannedActivity], names: Names, now: datetime, role: Role) -> ResourceLine:
    spec, state = activity.spec, activity.spec.state(now)
    address = f"{PLANNED}/{activity.id}"
    lines = [_amount(spec, names), _times(spec), spec.comment]
    return ResourceLine(
        name=activity.name,
        address=f"{address}/edit",
        lines=[line for line in lines if line],
        tone=_TONES[state],
        word=state.value,
        acts=[(f"{address}/end", "End it now")] if _may_end(state, role) else (),
        page=address,
    )


def _amount(activity: PlannedActivity, names: Names) -> str:
    return f"{activity.extra_amount.display()} more, {describe_scope(activity.scope, ORGANISATION, names)}"


def _times(activity: PlannedActivity) -> str:
    return f"{minute(activity.starts_at)} to {minute(activity.ends_at)}"


def _may_end(state: ActivityState, role: Role) -> bool:
    return state is ActivityState.RUNNING and role.allows(Role.ADMIN)


@router.head(f"{PLANNED}/{{id}}")  # probes ask so
@router.get(f"{PLANNED}/{{id}}")
async def show_activity(caller: SignedInDep, uow: UowDep, now: NowDep, id: IdOrName) -> Response:
    activity = await uow.planned.get(id)
    state, rules = activity.spec.state(now), await _rules(uow, activity.spec)
    content = {
        "areas": AREAS,
        "area": PLANNED,
        "name": activity.name,
        "address": f"{PLANNED}/{activity.id}",
        "tone": _TONES[state],
        "word": state.value,
        "facts": await _facts(uow, activity.spec),
        "comment": activity.spec.comment,
        "rules": [(one.name, f"{PLACE}/{one.id}", KINDS[one.spec.kind].title) for one in rules],
        "alerts": await _alerts(uow, rules),
        "may_write": caller.role.allows(Role.ADMIN),
        "may_end": _may_end(state, caller.role),
    }
    return dashboard_page("planned_activity.html.j2", "Rules", caller, content)


async def _facts(uow: UnitOfWork, activity: PlannedActivity) -> Sequence[tuple[str, str]]:
    return [
        ("Extra spend", activity.extra_amount.display()),
        ("From", minute(activity.starts_at)),
        ("Until", minute(activity.ends_at)),
        ("Spend of", describe_scope(activity.scope, ORGANISATION, await _names(uow, activity))),
        ("Organisation", (await uow.sources.named())[activity.source_id]),
    ]


async def _rules(uow: UnitOfWork, activity: PlannedActivity) -> Sequence[Resource[Rule[object]]]:
    """Returns the enabled rules that expect some of its spend."""
    return [
        rule
        for rule in await uow.rules.readable()
        if rule.spec.enabled
        and rule.spec.source_id == activity.source_id
        and KINDS[rule.spec.kind].expects_planned
        and rule.spec.scope.may_share(activity.scope)
    ]


async def _alerts(uow: UnitOfWork, rules: Sequence[Resource[Rule[object]]]) -> Sequence[Mapping[str, str]]:
    """Returns the newest open alerts of these rules."""
    if not rules:
        return ()
    asked = AlertFilter(rule_ids=tuple(rule.id for rule in rules), states=OPEN)
    found = await uow.alerts.page(asked, limit=MOST_ALERTS, cursor=None)
    names = await source_names(uow)
    return [alert_line(alert, names) for alert in found.items]


@router.post(f"{PLANNED}/{{id}}/end", dependencies=[our_page])
async def end(uow: UowDep, author: AdministeringDep, id: IdOrName) -> Response:
    """Ends it; one that does not run is left as it is."""
    try:
        await end_activity(uow, id, author)
    except Conflict:
        return led_to(f"{PLANNED}/{id}")
    return led_to(f"{PLANNED}/{id}")
