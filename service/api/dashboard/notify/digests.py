"""`/pages/digests`: reports by schedule; one with what became of the last, what it says, and to send it now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from service.api.dashboard.documents.listing import PAGE, ResourceLine, ResourceListing
from service.api.dashboard.documents.pages import led_to
from service.api.dashboard.layout import dashboard_page
from service.api.dashboard.notify.channels import channel_name
from service.api.dashboard.notify.digests_form import CONTENTS, PERIODS
from service.api.dashboard.notify.frame import AREAS, DIGESTS, PLACE
from service.api.dashboard.paging import OLDEST_FIRST, AskedPartDep, sorted_out
from service.api.dashboard.session import AnsweringDep, SignedInDep, our_page
from service.api.digests.page import CHART_ALT, chart_answer
from service.api.http.deps import IdOrName, NowDep, PortsDep, UowDep
from service.domain.access import Role
from service.domain.charts.chart import Theme
from service.domain.digests.digest import DigestPlan
from service.domain.digests.phrases import digest_message, period
from service.domain.digests.runs import DigestFailure, DigestRun, RunState, Sending
from service.domain.messages.people import known_as
from service.domain.values.errors import Conflict
from service.domain.values.names import describe_scope
from service.domain.values.plain_text import minute
from service.domain.values.resources import Resource
from service.domain.values.scopes import ORGANISATION
from service.workflows.configuration.engine import Author
from service.workflows.digests.deliver import next_occurrence, send_now
from service.workflows.digests.preview import preview, run_preview_chart
from service.workflows.ports.unit_of_work import Ports, UnitOfWork
from service.workflows.sources.naming import names_of

router = APIRouter(include_in_schema=False)

ALL = "all"
"""Stands for the share of a digest that has none."""

_STATES: Mapping[RunState, tuple[str, str]] = {
    RunState.QUEUED: ("info", "on its way"),
    RunState.SENT: ("calm", "sent"),
    RunState.DEAD: ("critical", "not sent"),
}
_LISTING = ResourceListing(
    heading="Digests",
    about="Reports by schedule: what a day, a week or a month has cost, and what happened in it. Nobody has to answer.",
    path=DIGESTS,
    noun="digest",
    none="There is none: nobody gets a report.",
    place=PLACE,
    areas=AREAS,
)


@router.head(DIGESTS)  # probes ask so
@router.get(DIGESTS)
async def list_digests(caller: SignedInDep, ports: PortsDep, uow: UowDep, now: NowDep, part: AskedPartDep) -> Response:
    page = await uow.digests.page(limit=PAGE, cursor=part.cursor)
    found, receivers = sorted_out(page), await uow.receivers.named()
    lines = []
    for digest in found.readable:
        comes, failure = _next(ports, digest.spec, now), await uow.digest_runs.failing(digest.id)
        lines.append(_line(digest, receivers, comes, await _last(uow, digest), failure))
    return _LISTING.page(caller, lines, found.unreadable, part.links(DIGESTS, page, OLDEST_FIRST))


async def _last(uow: UnitOfWork, digest: Resource[DigestPlan]) -> DigestRun | None:
    return await uow.digest_runs.latest(digest.id)


def _line(
    digest: Resource[DigestPlan],
    receivers: Mapping[str, str],
    comes: str,
    last: DigestRun | None,
    failure: DigestFailure | None,
) -> ResourceLine:
    tone, word = _badge(digest.spec, last, failure)
    address = f"{DIGESTS}/{digest.id}"
    sent = f"last one {minute(last.created_at)}, {_STATES[last.state][1]}" if last else "none has been sent yet"
    to = f"to {_addressee(digest.spec, receivers)}, about {PERIODS[digest.spec.covers]}"
    lines = [to, f"next: {comes}", sent] if digest.spec.enabled else [to, sent]
    return ResourceLine(digest.name, f"{address}/edit", lines, tone, word, page=address)


def _addressee(plan: DigestPlan, receivers: Mapping[str, str]) -> str:
    name = receivers.get(plan.receiver_id, "somebody deleted")
    return f"the owners, each their share, and {name} the rest" if plan.to_owner else name


def _badge(plan: DigestPlan, last: DigestRun | None, failure: DigestFailure | None) -> tuple[str, str]:
    """Returns a colour and a word for what somebody should know first; empty ones where all is well."""
    if failure:
        return "critical", "failing"
    if not plan.enabled:
        return "quiet", "off"
    return _STATES[last.state] if last and last.state is not RunState.SENT else ("", "")


@router.head(f"{DIGESTS}/{{id}}")  # probes ask so
@router.get(f"{DIGESTS}/{{id}}")
async def show_digest(
    caller: SignedInDep,
    ports: PortsDep,
    uow: UowDep,
    now: NowDep,
    id: IdOrName,
    share: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    """`share` is the receiver whose share is shown, of a digest to owners; else the first one's."""
    digest, receivers = await uow.digests.get(id), await uow.receivers.named()
    failure, last = await uow.digest_runs.failing(digest.id), await _last(uow, digest)
    tone, word = _badge(digest.spec, last, failure)
    content = {
        "areas": AREAS,
        "area": DIGESTS,
        "name": digest.name,
        "address": f"{DIGESTS}/{digest.id}",
        "tone": tone,
        "word": word,
        "failure": f"Since {minute(failure.since)}: {failure.error}" if failure else "",
        "settings": await _settings(uow, digest, receivers, _next(ports, digest.spec, now)),
        "last": _run(last, digest.spec.timezone, receivers) if last else None,
        "said": await _said(ports, uow, digest, Author(caller.actor, now), share),
        "may_write": caller.role.allows(Role.ADMIN),
        "may_send": caller.role.allows(Role.OPERATOR),
    }
    return dashboard_page("digest.html.j2", PLACE, caller, content)


def _next(ports: Ports, plan: DigestPlan, now: datetime) -> str:
    comes = next_occurrence(ports.cron, plan, now)
    if comes is None:
        return "its times cannot be told" if plan.enabled else "not while it is off"
    return minute(comes)


async def _settings(
    uow: UnitOfWork, digest: Resource[DigestPlan], receivers: Mapping[str, str], comes: str
) -> Sequence[tuple[str, str]]:
    spec = digest.spec
    names = await names_of(uow, await uow.polling_states.get(spec.source_id))
    return [
        ("Next", comes),
        ("Schedule", f"{spec.cron} on the clock of {spec.timezone}"),
        ("Sent to", _addressee(spec, receivers)),
        ("It says", CONTENTS[spec.content]),
        ("It is about", PERIODS[spec.covers]),
        ("Spend of", describe_scope(spec.scope, ORGANISATION, names)),
    ]


def _run(run: DigestRun, timezone: str, receivers: Mapping[str, str]) -> Mapping[str, object]:
    tone, word = _STATES[run.state]
    by = f"asked for by {known_as(run.asked_by, '')}" if run.asked_by else "by its schedule"
    waits = f"; tried again {minute(run.due_at)}" if run.state is RunState.QUEUED else ""
    return {
        "tone": tone,
        "word": word,
        "head": f"{minute(run.created_at)}, {by}{waits}",
        "about": f"About {period(run.window, timezone)}",
        "detail": run.detail,
        "channels": [
            (_place(one, receivers), *_STATES[one.state], _tries(one.attempts), one.detail) for one in run.sendings
        ],
    }


def _place(one: Sending, receivers: Mapping[str, str]) -> str:
    """Returns a channel in words, and whose it is where that is not the digest's own receiver."""
    whose = receivers.get(one.receiver_id, "")
    return ", ".join(part for part in (whose, channel_name(one.channel)) if part)


def _tries(attempts: int) -> str:
    return f"after {attempts} attempts" if attempts > 1 else ""


async def _said(
    ports: Ports, uow: UnitOfWork, digest: Resource[DigestPlan], author: Author, asked: str
) -> Mapping[str, object]:
    """Returns what the digest would say if it were sent now: of the last full period, as figures are known."""
    try:
        shown = await preview(ports, uow, digest, author, asked)
    except Conflict as error:
        return {"refused": str(error)}
    share, message = shown.digest.share, digest_message(shown.digest, shown.run.id, ports.public_url)
    return {
        "refused": "",
        "shares": [(f"?share={one.receiver_id}#says", one.about, one is share) for one in shown.shares],
        "headline": message.headline,
        "summary": message.summary,
        "facts": message.facts,
        "chart": f"{DIGESTS}/{digest.id}/charts/{share.receiver_id if share else ALL}.png",
        "alt": CHART_ALT,
    }


@router.get(f"{DIGESTS}/{{id}}/charts/{{share}}.png")
async def show_chart(
    caller: SignedInDep, ports: PortsDep, now: NowDep, id: IdOrName, share: IdOrName, theme: Theme = Theme.LIGHT
) -> Response:
    """Draws the chart of what would be sent now, outside any transaction."""
    return chart_answer(await run_preview_chart(ports, id, Author(caller.actor, now), share, theme))


@router.post(f"{DIGESTS}/{{id}}/send", dependencies=[our_page])
async def send_digest(ports: PortsDep, uow: UowDep, author: AnsweringDep, id: IdOrName) -> Response:
    """Sends the digest of the last full period; its page says what becomes of it."""
    digest = await uow.digests.get(id)
    await send_now(uow, ports.cron, digest, author)
    return led_to(f"{DIGESTS}/{digest.id}#last")
