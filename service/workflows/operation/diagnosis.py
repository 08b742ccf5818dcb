"""The usual reasons why nobody hears of anything: `tocsin doctor` looks for them besides what `tocsin check` tries."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from urllib.parse import urlsplit

from service.domain.notify.channels.console import Console
from service.domain.notify.circuits import FailingChannel
from service.domain.notify.receivers import Receiver, channel_key
from service.domain.notify.routing.doubts import doubts
from service.domain.notify.routing.routes import Route, RouteTable
from service.domain.notify.undelivered import Backlog
from service.domain.sources.source import Source, SourceKind, SourceState
from service.domain.spend.lateness import is_stale
from service.domain.values.plain_text import moment
from service.domain.values.resources import Resource
from service.workflows.configuration.notify import route_table
from service.workflows.notify.known_labels import known_labels
from service.workflows.operation.command_line import Check, run_checks
from service.workflows.operation.lateness import Late, find_late
from service.workflows.ports.unit_of_work import Ports, UnitOfWork

SKEW = timedelta(seconds=30)
"""How far this machine's clock may be from the database's before leases and signatures go wrong."""
PROVE = "Send a test through every channel: POST /v1/receivers/{id}/test, or a drill: tocsin drill"


@dataclass(frozen=True, slots=True)
class Installation:
    """All that is configured and known, as it was read at `now`. `watches`: whether a budget or rule is enabled."""

    now: datetime
    sources: Sequence[tuple[Resource[Source], SourceState]]
    receivers: Sequence[Resource[Receiver]]
    routes: RouteTable
    known: Mapping[str, Collection[str]]
    deliveries: Mapping[tuple[str, str], datetime]
    failing: Sequence[FailingChannel]
    waiting: Sequence[Backlog]
    late: Sequence[Late]
    watches: bool
    public_url: str


async def run_diagnose(ports: Ports, wall_clock: Callable[[], datetime]) -> list[Check]:
    """Checks what `run_checks` does, and what an installation goes wrong by. `wall_clock` is this machine's time."""
    checks = await run_checks(ports)
    async with ports.uow() as uow:
        clock = check_clock(await uow.diagnostics.real_now(), wall_clock())
        installation = await _read(uow, ports)
    return [clock, *checks, *diagnose(installation)]


async def _read(uow: UnitOfWork, ports: Ports) -> Installation:
    now, routes = ports.clock(), await route_table(uow)
    sources = [(one, await uow.polling_states.get(one.id)) for one in await uow.sources.readable()]
    budgets, rules = await uow.budgets.readable(), await uow.rules.readable()
    return Installation(
        now=now,
        sources=sources,
        receivers=await uow.receivers.readable(),
        routes=routes.spec if routes else RouteTable(()),
        known=await known_labels(uow),
        deliveries=await uow.diagnostics.deliveries(),
        failing=await uow.channel_health.failing(),
        waiting=await uow.channel_health.waiting(now),
        late=await find_late(uow, now),
        watches=any(one.spec.enabled for one in budgets) or any(one.spec.enabled for one in rules),
        public_url=ports.public_url,
    )


def diagnose(found: Installation) -> list[Check]:
    """Returns a check for each thing that may be wrong, those that are well included."""
    return [
        *_sources(found),
        _watching(found),
        *_deliveries(found),
        *_routes(found),
        _links(found),
        *_late(found.late),
    ]


def check_clock(database: datetime, here: datetime) -> Check:
    """Compares this machine's clock with the database's; the time of the question is in the difference."""
    off = here - database
    if abs(off) <= SKEW:
        return Check("clock", "agrees with the database's")
    ahead = "ahead of" if off > timedelta() else "behind"
    problem = (
        f"{abs(off).total_seconds():.0f} s {ahead} the database's: leases, retries and Slack's signatures go wrong"
    )
    return Check("clock", "", problem, "Let both machines set their clocks by NTP")


def _sources(found: Installation) -> Iterator[Check]:
    enabled = [(source, state) for source, state in found.sources if source.spec.enabled]
    if not enabled:
        add = "Set ANTHROPIC_ADMIN_KEY and start Tocsin once, or POST /v1/sources"
        yield Check("sources", "", "none is enabled: no organisation is watched", add)
    elif all(source.spec.kind is SourceKind.SIMULATOR for source, _ in enabled):
        add = "Watch your organisation: POST /v1/sources with an Admin API key"
        yield Check("sources", "", "all are simulated: nobody's real spend is watched", add, is_doubt=True)
    for source, state in enabled:
        yield _freshness(source, state, found.now)


def _freshness(source: Resource[Source], state: SourceState, now: datetime) -> Check:
    subject, read_at = f"freshness of {source.name}", state.cost_read_at
    look = f"See which report fails and why: tocsin poll {source.id}"
    if is_stale(state, now):
        since = f"since {moment(read_at)}" if read_at else "yet"
        return Check(subject, "", f"no bill was read {since}: {state.last_error or 'its polls do not end'}", look)
    if read_at is None:
        return Check(subject, "", "it was not read yet", look, is_doubt=True)
    return Check(subject, f"the bill was read at {moment(read_at)}")


def _watching(found: Installation) -> Check:
    if found.watches:
        return Check("budgets and rules", "at least one is enabled")
    add = "Create a budget: POST /v1/budgets, or in a file for tocsin apply"
    return Check("budgets and rules", "", "none is enabled: whatever is spent, nothing fires", add)


def _deliveries(found: Installation) -> Iterator[Check]:
    failing = {(one.receiver_id, one.channel): f"it takes no messages: {one.error}" for one in found.failing}
    waits = {
        (one.receiver_id, one.channel): f"{one.count} waiting since {moment(one.since)}: {one.error}"
        for one in found.waiting
    }
    troubles = waits | failing
    for receiver in found.receivers:
        for channel in receiver.spec.channels:
            prove = PROVE.format(id=receiver.id)
            subject, key = f"delivery to {receiver.name} ({channel.kind})", (receiver.id, channel_key(channel))
            if key in troubles:
                repair = f"Repair the channel (docs/channels.md#each-channel), then: {prove}"
                yield Check(subject, "", troubles[key], repair)
            elif key not in found.deliveries:
                yield Check(subject, "", "nothing was ever delivered, no test either", prove, is_doubt=True)
            else:
                yield Check(subject, f"took a message at {moment(found.deliveries[key])}")


def _routes(found: Installation) -> Iterator[Check]:
    receivers = {one.id: one for one in found.receivers}
    if not found.routes.items:
        yield Check("routes", "", "there are none: nobody is notified", "Start Tocsin once, or PUT /v1/routes")
    for number, route in enumerate(found.routes.items, 1):
        default = "" if route.matchers else ", the default"
        yield _route(f"route {number}{default}", route, receivers.get(route.receiver_id), found.known)


def _route(
    subject: str, route: Route, receiver: Resource[Receiver] | None, known: Mapping[str, Collection[str]]
) -> Check:
    elsewhere = "Lead it to a receiver with channels: PUT /v1/routes, or PATCH its receiver"
    if receiver is None or not receiver.spec.channels:
        name = f"{receiver.name} has no channels" if receiver else "its receiver is gone, or cannot be read"
        return Check(subject, "", f"leads nowhere: {name}", elsewhere)
    if route.escalation_policy_id is None and all(isinstance(one, Console) for one in receiver.spec.channels):
        return Check(subject, "", "leads to a terminal alone, which nobody reads at night", elsewhere, is_doubt=True)
    doubted = doubts(route.matchers, known)
    if doubted:
        ask = "Ask where alerts would go: GET /v1/routes/match?label=team=eng"
        return Check(subject, "", "; ".join(doubted), ask, is_doubt=True)
    return Check(subject, f"leads to {receiver.name}")


def _links(found: Installation) -> Check:
    host = urlsplit(found.public_url).hostname or ""
    if not _is_here_alone(host):
        return Check("links in messages", f"lead to {found.public_url}")
    doubt = f"lead to {found.public_url}, which is this machine alone"
    step = "Set TOCSIN_PUBLIC_URL to the address by which people reach Tocsin"
    return Check("links in messages", "", doubt, step, is_doubt=True)


def _is_here_alone(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _late(late: Sequence[Late]) -> Iterator[Check]:
    if not late:
        yield Check("work", "nothing is late")
    for one in late:
        problem = f"{one.arrears.count} late, the oldest ({one.oldest.name}) since {moment(one.oldest.since)}"
        yield Check(f"late {one.work}", "", problem, f"{one.next_step}.")
