"""`/pages/sources/{id}`: freshness, completeness by day, the last polls; and to poll, check and read the past."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from fastapi import APIRouter
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response

from service.api.dashboard.documents.pages import led_to
from service.api.dashboard.documents.refused import FormRefused, flaws_of
from service.api.dashboard.documents.writing import parsed
from service.api.dashboard.forms import FormDep
from service.api.dashboard.layout import live_page
from service.api.dashboard.paging import FIRST_PART, NEWEST_FIRST, AskedPart, AskedPartDep
from service.api.dashboard.session import AdministeringDep, SignedInDep, our_page
from service.api.dashboard.sources.days import LEGEND, day_cells, remarks_on_days
from service.api.dashboard.sources.editing import PEOPLE
from service.api.dashboard.sources.listing import PLACE
from service.api.dashboard.sources.poll_lines import poll_line
from service.api.dashboard.sources.standing import standing_of
from service.api.http.deps import IdOrName, NowDep, PortsDep, UowDep, in_one_transaction
from service.api.sources.polls import BackfillIn
from service.domain.access import Caller, Role
from service.domain.sources.commitment import PriorityCommitment
from service.domain.sources.poll import waits_for
from service.domain.sources.source import People, Source, SourceKind, SourceState
from service.domain.values.durations import format_duration
from service.domain.values.errors import Conflict, Invalid
from service.domain.values.plain_text import minute, scaled
from service.domain.values.resources import Resource
from service.workflows.configuration.asking import ask_for_backfill, ask_for_poll
from service.workflows.configuration.probe import SourceCheck, run_check_source
from service.workflows.dashboard.source_days import source_days
from service.workflows.ports.unit_of_work import UnitOfWork
from service.workflows.spend import so_far

router = APIRouter(include_in_schema=False)

ONE = f"{PLACE}/{{id}}"
SHOWN_POLLS = 12


@router.get(ONE)
async def show_source(caller: SignedInDep, uow: UowDep, now: NowDep, id: IdOrName, part: AskedPartDep) -> Response:
    return await source_page(uow, caller, await uow.sources.get(id), now, part=part)


@router.post(f"{ONE}/poll", dependencies=[our_page])
async def poll_now(caller: SignedInDep, uow: UowDep, author: AdministeringDep, id: IdOrName) -> Response:
    source = await uow.sources.get(id)
    try:
        await ask_for_poll(uow, source, author)
    except Conflict as error:
        raise FormRefused(await source_page(uow, caller, source, author.at, flaw=str(error))) from error
    return led_to(f"{PLACE}/{source.id}#polls")


@router.post(f"{ONE}/backfill", dependencies=[our_page])
async def read_the_past(
    caller: SignedInDep, uow: UowDep, author: AdministeringDep, id: IdOrName, form: FormDep
) -> Response:
    source = await uow.sources.get(id)
    since = form.get("/since", "")
    try:
        await ask_for_backfill(uow, source, _day(since), author)
    except (Conflict, Invalid, RequestValidationError) as error:
        flaw = "; ".join(flaws_of(error).values())
        raise FormRefused(await source_page(uow, caller, source, author.at, flaw=flaw, since=since)) from error
    return led_to(f"{PLACE}/{source.id}#polls")


def _day(text: str) -> datetime:
    return parsed(BackfillIn, {"since": text.strip()}).since


@router.post(f"{ONE}/check", dependencies=[our_page])
async def check_key(
    caller: SignedInDep, ports: PortsDep, now: NowDep, author: AdministeringDep, id: IdOrName
) -> Response:
    """Asks the vendor outside any transaction, and shows what it says."""
    check = await run_check_source(ports, id, author)

    async def shown(uow: UnitOfWork) -> Response:
        return await source_page(uow, caller, await uow.sources.get(id), now, check=check)

    return await in_one_transaction(ports, shown)


async def source_page(
    uow: UnitOfWork,
    caller: Caller,
    source: Resource[Source],
    now: datetime,
    *,
    check: SourceCheck | None = None,
    flaw: str = "",
    since: str = "",
    part: AskedPart = FIRST_PART,
) -> Response:
    state, unfinished = await uow.polling_states.get(source.id), await uow.polls.unfinished(source.id)
    polls = await uow.polls.page(source.id, limit=SHOWN_POLLS, cursor=part.cursor)
    days = await source_days(uow, source.id, now)
    content = {
        "name": source.name,
        "address": f"{PLACE}/{source.id}",
        "simulated": source.spec.kind is SourceKind.SIMULATOR,
        "enabled": source.spec.enabled,
        "standing": standing_of(source.spec, state, now),
        "facts": await _facts(uow, source, state, now),
        "settings": _settings(source.spec),
        "cells": day_cells(days),
        "legend": LEGEND,
        "remarks": remarks_on_days(days, await uow.completeness.flaws(source.id)),
        "polls": [poll_line(poll) for poll in polls.items],
        "part": part.links(f"{PLACE}/{source.id}", polls, NEWEST_FIRST),
        "waits_for": waits_for(unfinished),
        "runs": bool(unfinished),
        "may_write": caller.role.allows(Role.ADMIN),
        "may_rehearse": source.spec.enabled and caller.role.allows(Role.OPERATOR),
        "check": _check(check) if check else None,
        "left_as": f"{PLACE}/{source.id}" if check or flaw else "",
        "flaw": flaw,
        "since": since,
    }
    return live_page("source.html.j2", "Sources", caller, content, 422 if flaw else 200)


async def _facts(uow: UnitOfWork, source: Resource[Source], state: SourceState, now: datetime) -> list[tuple[str, str]]:
    spec = source.spec
    return [
        ("Organisation", state.organization_name or "not named yet"),
        ("Bill read", _minute(state.cost_read_at)),
        ("Usage read", _minute(state.usage_read_at)),
        ("Billed until", _minute(await uow.facts.billed_until(source.id))),
        ("Estimated until", _minute(so_far(await uow.facts.estimated_until(source.id), now))),
        ("Polled every", format_duration(spec.poll_interval) if spec.enabled else "not while it is off"),
        ("Next poll", _minute(state.next_poll_at) if spec.enabled else "none"),
    ]


def _settings(spec: Source) -> list[tuple[str, str]]:
    """Returns what somebody has set of how it is read, of people, places and commitments."""
    holidays = ", ".join(one for one in (spec.country, spec.subdivision) if one)
    committed = spec.priority_commitment or PriorityCommitment()
    said = (
        ("Read at", spec.base_url),
        ("Key", spec.admin_key.hint),
        ("People", PEOPLE[spec.people] if spec.people is not People.OFF else ""),
        ("Claude Code", "read" if spec.claude_code else ""),
        ("Office hours on the clock of", spec.timezone or ""),
        ("Public holidays of", holidays),
        ("Priority Tier, a month", f"{scaled(committed.tokens)} tokens" if committed.tokens else ""),
        ("Priority Tier, a month", committed.usd.display() if committed.usd else ""),
    )
    return [(label, value) for label, value in said if value]


def _minute(at: datetime | None) -> str:
    return minute(at) if at else "not yet"


def _check(check: SourceCheck) -> Mapping[str, object]:
    """Returns what the vendor said of the key, in sentences."""
    return {
        "error": check.error,
        "organisation": check.organization.name if check.organization else "",
        "reports": [
            (f"{one.reports.value.capitalize()} reports", "can be read" if one.refusal is None else one.refusal)
            for one in check.reports
        ],
    }
