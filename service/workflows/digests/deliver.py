"""Digests are asked for when they are due, and sent until every channel has them.

An occurrence becomes a run, once for all replicas; the run is the outbox. As with alerts, a run is claimed, its
deliveries are composed and sent, and each outcome is recorded. Sending may repeat after a crash.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from service.domain.digests.digest import DigestContent, DigestPlan, reached
from service.domain.digests.periods import KINDS, DigestPeriod, a_week_before, calendar_windows
from service.domain.digests.runs import (
    DigestRun,
    RunState,
    given_up,
    put_off,
    refused,
    sending_of,
    taken,
    waiting,
    with_channels,
)
from service.domain.notify.channels.registry import ChannelConfig
from service.domain.notify.circuits import Concern, said_of_addresses
from service.domain.notify.notification import Delivery, Receipt
from service.domain.notify.receivers import channel_key
from service.domain.values.errors import Conflict, NotFound, UnreadableDocument
from service.domain.values.periods import Window
from service.domain.values.resources import Resource, new_id
from service.workflows.configuration.engine import Author
from service.workflows.digests.compose import digest_of, run_compose
from service.workflows.notify.circuits import ChannelRests, close, close_remainder, enter, refuse
from service.workflows.notify.sending import defects_fail, send_whole
from service.workflows.ports.channels import DeliveryError
from service.workflows.ports.outages import RecurringDefects
from service.workflows.ports.platform import Cron
from service.workflows.ports.unit_of_work import Ports, UnitOfWork
from service.workflows.sources.defects import bounded

log = structlog.get_logger(__name__)

LEASE = timedelta(minutes=5)
"""Real time for which a run is left to whoever sends it; after a crash another worker goes on."""
JUST_BEFORE = timedelta(microseconds=1)
_MET = RecurringDefects()


@dataclass(frozen=True, slots=True)
class _ClaimedRun:
    """A run with its digest, and the channels, by key, that its digest has now."""

    run: DigestRun
    digest: Resource[DigestPlan]
    receiver_id: str
    channels: Mapping[str, ChannelConfig]


async def run_due_digests(ports: Ports) -> None:
    """Asks for what the schedules say, and again for runs whose job was lost.

    Of occurrences that nobody was there for only the last one is made up for, and none from before the last edit.
    """
    now = ports.clock()
    async with ports.uow() as uow:
        failed: dict[str, str] = {}
        for digest in await uow.digests.readable():
            run = _due_run(ports.cron, digest, now) if digest.spec.enabled else None
            if isinstance(run, DigestRun):
                await _add(uow, run)
            elif run is not None:
                failed[digest.id] = run
        await uow.digest_runs.note_failing(failed, now)
        for due in await uow.digest_runs.due(now):
            await uow.jobs.digest(due.id)


def _due_run(cron: Cron, digest: Resource[DigestPlan], now: datetime) -> DigestRun | str | None:
    """The run that the schedule asks for; the defect's words where its times cannot be told."""
    try:
        occurrence = cron.latest(digest.spec.cron, digest.spec.timezone, now)
        return _run_of(cron, digest, occurrence, "", now) if occurrence > digest.updated_at else None
    except Exception as error:
        words = bounded(f"{type(error).__name__}: {error}")
        if _MET.is_worth_a_line(digest.id, words):
            log.exception("digest_failed", digest_id=digest.id)
        return words


async def send_now(uow: UnitOfWork, cron: Cron, digest: Resource[DigestPlan], author: Author) -> DigestRun:
    """A run about the last full period, whatever has been sent of it. Raises Conflict if its times cannot be told."""
    try:
        run = _run_of(cron, digest, author.at, author.actor, author.at)
    except (ValueError, LookupError) as error:
        todo = "change its cron or timezone, then send it"
        raise Conflict(f"The times of digest {digest.name!r} cannot be told; {todo}: {error}") from error
    await _add(uow, run)
    return run


def _run_of(cron: Cron, digest: Resource[DigestPlan], occurrence: datetime, asked_by: str, now: datetime) -> DigestRun:
    window, before = _periods(cron, digest.spec, occurrence)
    return DigestRun(
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


async def _add(uow: UnitOfWork, run: DigestRun) -> None:
    if await uow.digest_runs.add(run):
        await uow.jobs.digest(run.id, run.due_at)


def _periods(cron: Cron, plan: DigestPlan, at: datetime) -> tuple[Window, Window]:
    """The last full period, and the one before it: of the calendar, or between occurrences of the schedule.

    A day's usage is compared with the same weekday of the week before.
    """
    if plan.covers in KINDS:
        last, before = calendar_windows(KINDS[plan.covers], plan.timezone, plan.week_start, at)
        by_weekday = plan.content is DigestContent.USAGE and plan.covers is DigestPeriod.PREVIOUS_DAY
        return last, a_week_before(last, plan.timezone) if by_weekday else before
    end = cron.latest(plan.cron, plan.timezone, at)
    start = cron.latest(plan.cron, plan.timezone, end - JUST_BEFORE)
    return Window(start, end), Window(cron.latest(plan.cron, plan.timezone, start - JUST_BEFORE), start)


async def run_digest(ports: Ports, run_id: str) -> None:
    """Sends a run to every channel that has not taken it yet. What is refused is due again later."""
    claimed = await _run_claim(ports, run_id)
    if claimed is None:
        return
    run = claimed.run
    try:
        with defects_fail(run.id):
            composed = await _run_compose(ports, claimed)
    except DeliveryError as error:
        await _run_fail(ports, run, error)
        return
    for key in waiting(run):
        left_to = sending_of(run, key).left_to
        delivery = replace(composed[key], at=ports.clock(), left_to=left_to)
        run, receipt = await _send(ports, claimed, run, key, delivery)
        await _run_record(ports, run, claimed.receiver_id, key)
        if receipt is not None:
            await _run_note_taken(ports, claimed.receiver_id, key, delivery, receipt)
    async with ports.uow() as uow:
        await uow.digest_runs.save(run)
        if run.state is RunState.QUEUED:
            await uow.jobs.digest(run.id, run.due_at)


async def _run_compose(ports: Ports, claimed: _ClaimedRun) -> dict[str, Delivery]:
    run, digest = claimed.run, claimed.digest
    async with ports.uow() as uow:
        figures = await digest_of(uow, ports.price_book, digest, run, ports.clock())
    asked = {key: claimed.channels[key] for key in waiting(run)}
    return await run_compose(ports, run, digest.spec, figures, claimed.receiver_id, asked)


async def _run_fail(ports: Ports, run: DigestRun, error: DeliveryError) -> None:
    """A digest that cannot be composed is a failed attempt in each channel: tried again later, and at last given up."""
    now = ports.clock()
    for key in waiting(run):
        run = refused(run, key, error.reason, permanent=False, retry_after=None, now=now)
    async with ports.uow() as uow:
        await uow.digest_runs.save(run)
        if run.state is RunState.QUEUED:
            await uow.jobs.digest(run.id, run.due_at)


async def _run_claim(ports: Ports, run_id: str) -> _ClaimedRun | None:
    """None where there is nothing to send, or nobody to send it to any more."""
    now = ports.clock()
    async with ports.uow() as uow:
        run = await uow.digest_runs.claim(run_id, now=now, lease=LEASE)
        if run is None:
            return None
        try:
            digest = await uow.digests.get(run.digest_id)
            receiver = await uow.receivers.get(digest.spec.receiver_id)
        except NotFound as error:
            await uow.digest_runs.save(given_up(run, str(error)))
            return None
        except UnreadableDocument as error:
            await uow.digest_runs.save(put_off(run, str(error), now))
            return None
        channels = {channel_key(channel): channel for channel in reached(receiver.spec)}
        run = with_channels(replace(run, due_at=now, detail=""), tuple(channels))
        return _ClaimedRun(run, digest, receiver.id, channels)


async def _send(
    ports: Ports, claimed: _ClaimedRun, run: DigestRun, key: str, delivery: Delivery
) -> tuple[DigestRun, Receipt | None]:
    """The run after the attempt, with the channel's receipt; None where it did not take the message."""
    receiver_id, channel, system = claimed.receiver_id, claimed.channels[key], f"channel {key}"
    try:
        await _run_enter(ports, receiver_id, key)
        receipt = await send_whole(ports.channels.open(channel), delivery)
    except DeliveryError as error:
        if not isinstance(error, ChannelRests):
            ports.outages.failed(system, error.reason)
        await _run_refuse(ports, receiver_id, key, error)
        hopeless = error.concerns is Concern.MESSAGE
        after = refused(run, key, error.reason, permanent=hopeless, retry_after=error.retry_after, now=ports.clock())
        return after, None
    ports.outages.worked(system)
    log.info("digest_sent", run_id=run.id, channel=key)
    return taken(run, key, receipt, ports.clock()), receipt


async def _run_enter(ports: Ports, receiver_id: str, key: str) -> None:
    async with ports.uow() as uow:
        await enter(uow, receiver_id, key, ports.clock())


async def _run_refuse(ports: Ports, receiver_id: str, key: str, error: DeliveryError) -> None:
    if isinstance(error, ChannelRests) or error.concerns is Concern.MESSAGE:
        return
    async with ports.uow() as uow:
        await refuse(uow, receiver_id, key, error, ports.clock())


async def _run_record(ports: Ports, run: DigestRun, receiver_id: str, key: str) -> None:
    """Records one channel's outcome; the run stays claimed. A channel that takes no digest is a failing channel."""
    now, sending = ports.clock(), sending_of(run, key)
    async with ports.uow() as uow:
        await uow.digest_runs.keep(run, now=now, lease=LEASE)
        if sending.state is RunState.DEAD:
            await uow.channel_health.note_dead(receiver_id, key, sending.detail, at=now)
    if sending.state is RunState.DEAD:
        log.warning("digest_given_up", run_id=run.id, channel=key, reason=sending.detail)


async def _run_note_taken(ports: Ports, receiver_id: str, key: str, delivery: Delivery, receipt: Receipt) -> None:
    now = ports.clock()
    async with ports.uow() as uow:
        if delivery.left_to:
            await close_remainder(uow, receiver_id, key, now, refused=receipt.refused, delayed=receipt.delayed)
        else:
            of_addresses = said_of_addresses(receipt.refused, receipt.delayed)
            await close(uow, receiver_id, key, now, of_addresses=of_addresses)
