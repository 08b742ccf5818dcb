"""Digests: asking for what is due, making the message, and sending it until every channel has it.

An occurrence becomes a run, once for all replicas; the run is the outbox. Sending may repeat after a crash.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from service.domain.alerts.alert import Alert, AlertEvent
from service.domain.alerts.evidence import OriginKind
from service.domain.digests.alerts import Tally, concerns, tally
from service.domain.digests.digest import AtRisk, Digest, DigestPlan, Figures, Occasion, build, reached, risks
from service.domain.digests.phrases import digest_message
from service.domain.digests.runs import (
    DigestRun,
    RunState,
    Sending,
    given_up,
    refused,
    sending_of,
    taken,
    waiting,
    with_channels,
)
from service.domain.notify.channels.registry import ChannelConfig
from service.domain.notify.channels.traits import ChartUse
from service.domain.notify.notification import Action, Delivery, Picture
from service.domain.notify.receivers import channel_key
from service.domain.sources.source import SourceKind
from service.domain.values.errors import NotFound
from service.domain.values.periods import Window
from service.domain.values.resources import Resource, new_id
from service.domain.values.scopes import Scope
from service.workflows.configuration.engine import Author
from service.workflows.digests.picture import run_digest_picture
from service.workflows.ports.channels import DeliveryError
from service.workflows.ports.platform import Cron
from service.workflows.ports.unit_of_work import Ports, UnitOfWork
from service.workflows.sources.naming import names_of
from service.workflows.spend import forecast_statuses

log = structlog.get_logger(__name__)

LEASE = timedelta(minutes=5)
"""How long a run is left to whoever sends it; after a crash another worker goes on."""
JUST_BEFORE = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class _Addressed:
    """A run with what it says, and where that goes."""

    run: DigestRun
    plan: DigestPlan
    digest: Digest
    receiver_id: str
    channels: Mapping[str, ChannelConfig]


async def run_due_digests(ports: Ports) -> None:
    """Asks for what the schedules say, and again for runs whose job was lost.

    Of occurrences that nobody was there for only the last one is made up for, and none from before the last edit.
    """
    now = ports.clock()
    async with ports.uow() as uow:
        for digest in await uow.digests.all():
            if digest.spec.enabled:
                await _ask_if_due(uow, ports.cron, digest, now)
        for run in await uow.digest_runs.due(now):
            await uow.jobs.digest(run.id, now)


async def _ask_if_due(uow: UnitOfWork, cron: Cron, digest: Resource[DigestPlan], now: datetime) -> None:
    occurrence = cron.latest(digest.spec.cron, digest.spec.timezone, now)
    if occurrence > digest.updated_at:
        await _ask(uow, cron, digest, occurrence=occurrence, asked_by="", now=now)


async def send_now(uow: UnitOfWork, cron: Cron, digest: Resource[DigestPlan], author: Author) -> DigestRun:
    """A run about the last full period, whatever has been sent of it."""
    return await _ask(uow, cron, digest, occurrence=author.at, asked_by=author.actor, now=author.at)


async def _ask(
    uow: UnitOfWork, cron: Cron, digest: Resource[DigestPlan], *, occurrence: datetime, asked_by: str, now: datetime
) -> DigestRun:
    window, before = _periods(cron, digest.spec, occurrence)
    run = DigestRun(
        id=new_id("dgr", now),
        digest_id=digest.id,
        occurrence=occurrence,
        window=window,
        before=before,
        asked_by=asked_by,
        state=RunState.QUEUED,
        created_at=now,
        due_at=now,
    )
    if await uow.digest_runs.add(run):
        await uow.jobs.digest(run.id, now)
    return run


def _periods(cron: Cron, plan: DigestPlan, at: datetime) -> tuple[Window, Window]:
    """The last full period of a schedule, and the one before it."""
    end = cron.latest(plan.cron, plan.timezone, at)
    start = cron.latest(plan.cron, plan.timezone, end - JUST_BEFORE)
    return Window(start, end), Window(cron.latest(plan.cron, plan.timezone, start - JUST_BEFORE), start)


async def run_digest(ports: Ports, run_id: str) -> None:
    """Sends a run to every channel that has not taken it yet. What is refused is due again later."""
    addressed = await _run_address(ports, run_id)
    if addressed is None:
        return
    run, receiver_id = addressed.run, addressed.receiver_id
    message = digest_message(addressed.digest, run.id, ports.public_url)
    picture = await _run_picture(ports, addressed)
    for key in waiting(run):
        config = addressed.channels[key]
        delivery = Delivery(
            id=f"{run.id}-{key.rpartition(':')[2]}",
            action=Action.OPEN,
            message=message,
            post=None,
            at=ports.clock(),
            picture=picture if _carries_chart(config) else None,
        )
        run = await _send(ports, run, delivery, key, config)
        async with ports.uow() as uow:
            await uow.digest_runs.save(replace(run, due_at=ports.clock() + LEASE))
            await _note_health(uow, receiver_id, sending_of(run, key), ports.clock())
    async with ports.uow() as uow:
        await uow.digest_runs.save(run)
        if run.state is RunState.QUEUED:
            await uow.jobs.digest(run.id, run.due_at)


async def _run_address(ports: Ports, run_id: str) -> _Addressed | None:
    """The run with the channels that its digest has now; None where there is nothing to send (any more)."""
    now = ports.clock()
    async with ports.uow() as uow:
        run = await uow.digest_runs.claim(run_id, now=now, until=now + LEASE)
        if run is None:
            return None
        try:
            digest = await uow.digests.get(run.digest_id)
            receiver = await uow.receivers.get(digest.spec.receiver_id)
        except NotFound as error:
            await uow.digest_runs.save(given_up(run, str(error)))
            return None
        channels = {channel_key(channel): channel for channel in reached(receiver.spec)}
        run = with_channels(replace(run, due_at=now), tuple(channels))
        return _Addressed(run, digest.spec, await _compose(uow, digest, run, now), receiver.id, channels)


async def _note_health(uow: UnitOfWork, receiver_id: str, sending: Sending, now: datetime) -> None:
    """A channel that takes no digest is a failing channel, of which operators hear."""
    if sending.state is RunState.SENT:
        await uow.channel_health.note_well(receiver_id, sending.channel)
    elif sending.state is RunState.DEAD:
        await uow.channel_health.note_dead(receiver_id, sending.channel, sending.detail, at=now, disabled_at=None)


async def _run_picture(ports: Ports, addressed: _Addressed) -> Picture | None:
    """Drawn once for all channels that take it."""
    wanting = [key for key in waiting(addressed.run) if _carries_chart(addressed.channels[key])]
    if not wanting:
        return None
    return await run_digest_picture(ports, addressed.plan, addressed.digest)


def _carries_chart(config: ChannelConfig) -> bool:
    """Whether a digest's chart goes there: it has no address that others could fetch it from."""
    return config.traits.chart is ChartUse.CARRIED


async def _send(ports: Ports, run: DigestRun, delivery: Delivery, key: str, config: ChannelConfig) -> DigestRun:
    try:
        receipt = await ports.channels.open(config).send(delivery)
    except DeliveryError as error:
        log.warning("digest_failed", run_id=run.id, channel=key, reason=error.reason)
        return refused(
            run, key, error.reason, permanent=error.permanent, retry_after=error.retry_after, now=ports.clock()
        )
    log.info("digest_sent", run_id=run.id, channel=key)
    return taken(run, key, receipt.detail)


# ------------------------------------------------------------------------------------------- the content


async def _compose(uow: UnitOfWork, digest: Resource[DigestPlan], run: DigestRun, now: datetime) -> Digest:
    plan = digest.spec
    source = await uow.sources.get(plan.source_id)
    occasion = Occasion(
        name=digest.name,
        window=run.window,
        before=run.before,
        names=await names_of(uow, await uow.polling_states.get(plan.source_id)),
        simulated=source.spec.kind is SourceKind.SIMULATOR,
    )
    figures = Figures(
        now=await uow.facts.spend(plan.source_id, run.window, now),
        before=await uow.facts.spend(plan.source_id, run.before, now),
    )
    return build(plan, occasion, figures, await _at_risk(uow, plan, now), await _tally(uow, plan, run.window))


async def _at_risk(uow: UnitOfWork, plan: DigestPlan, now: datetime) -> list[AtRisk]:
    found: list[AtRisk] = []
    for budget in await uow.budgets.all():
        if budget.spec.source_id == plan.source_id and budget.spec.enabled:
            found += risks(budget, plan, await forecast_statuses(uow, budget, now), now)
    return found


async def _tally(uow: UnitOfWork, plan: DigestPlan, window: Window) -> Tally:
    moves = await uow.alerts.moves(plan.source_id, window)
    origins = await _origins(uow)
    concerning = [
        event for event in moves if concerns(plan.scope, event.alert.scope, origins.get(_origin(event.alert), Scope()))
    ]
    return tally(concerning, await uow.feedback.of_rules(_rules(concerning)))


async def _origins(uow: UnitOfWork) -> dict[str, Scope]:
    """The scopes of budgets and rules by their id."""
    return {
        **{budget.id: budget.spec.scope for budget in await uow.budgets.all()},
        **{rule.id: rule.spec.scope for rule in await uow.rules.all()},
    }


def _origin(alert: Alert) -> str:
    """The id of the budget or rule that an alert is of; empty where it is of none."""
    origin = alert.evidence.origin
    return origin.id if origin else ""


def _rules(moves: list[AlertEvent]) -> set[str]:
    origins = [move.alert.evidence.origin for move in moves]
    return {origin.id for origin in origins if origin and origin.kind is OriginKind.RULE}
