"""Digests are asked for when they are due, and sent until every channel has them.

An occurrence becomes a run, once for all replicas; the run is the outbox. As with alerts, a run is claimed, its
deliveries are composed and sent, and each outcome is recorded. Sending may repeat after a crash.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby

import structlog

from service.domain.digests.digest import DigestContent, DigestPlan, reached
from service.domain.digests.periods import KINDS, DigestPeriod, a_week_before, calendar_windows
from service.domain.digests.runs import (
    ChannelPlace,
    DigestRun,
    RunState,
    given_up,
    put_off,
    refused,
    sending_of,
    waiting,
    with_places,
)
from service.domain.digests.shares import Share
from service.domain.notify.notification import Delivery
from service.domain.notify.receivers import Receiver, channel_key
from service.domain.values.errors import Conflict, NotFound, UnreadableDocument
from service.domain.values.periods import Window
from service.domain.values.resources import Resource, new_id
from service.workflows.configuration.engine import Author, Difference, record
from service.workflows.digests.compose import digest_of, run_compose
from service.workflows.digests.send import LEASE, DigestChannel, run_send
from service.workflows.digests.shares import shares_of
from service.workflows.notify.sending import defects_fail
from service.workflows.ports.channels import DeliveryError
from service.workflows.ports.outages import RecurringDefects
from service.workflows.ports.platform import Cron
from service.workflows.ports.unit_of_work import Ports, UnitOfWork
from service.workflows.sources.defects import bounded

log = structlog.get_logger(__name__)

JUST_BEFORE = timedelta(microseconds=1)
_MET = RecurringDefects()


@dataclass(frozen=True, slots=True)
class _ClaimedRun:
    """A run with its digest, the channels that it goes to now, and the share of each receiver, None for all of it."""

    run: DigestRun
    digest: Resource[DigestPlan]
    destinations: Mapping[ChannelPlace, DigestChannel]
    shares: Mapping[str, Share | None]

    def waiting(self) -> list[list[DigestChannel]]:
        """The channels that have not taken it yet, a list a receiver."""
        left = [self.destinations[place] for place in waiting(self.run)]
        return [list(of_one) for _, of_one in groupby(left, key=lambda one: one.receiver_id)]


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
    """A run about the last full period, whatever has been sent of it, on record. Raises Conflict if its times cannot be
    told.
    """
    run = unsent(cron, digest, author)
    await _add(uow, run)
    detail = f"named {digest.name!r}, run {run.id}"
    await record(uow, author, "digest.send", digest.id, detail, Difference(after={"run": run.id}))
    return run


def unsent(cron: Cron, digest: Resource[DigestPlan], author: Author) -> DigestRun:
    """Returns the run that `send_now` would store. Raises Conflict if its times cannot be told."""
    try:
        return _run_of(cron, digest, author.at, author.actor, author.at)
    except (ValueError, LookupError) as error:
        todo = "change its cron or timezone, then send it"
        raise Conflict(f"The times of digest {digest.name!r} cannot be told; {todo}: {error}") from error


def next_occurrence(cron: Cron, plan: DigestPlan, now: datetime) -> datetime | None:
    """Returns when a digest comes next; None for one that is off, or whose times cannot be told."""
    try:
        return cron.following(plan.cron, plan.timezone, now) if plan.enabled else None
    except (ValueError, LookupError):
        return None


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
    for destinations in claimed.waiting():
        try:
            with defects_fail(run.id):
                composed = await _run_compose(ports, claimed, destinations)
        except DeliveryError as error:
            run = _failed(run, destinations, error, ports.clock())
            continue
        for one in destinations:
            delivery = replace(composed[one.key], at=ports.clock(), left_to=sending_of(run, one.place).left_to)
            run = await run_send(ports, run, one, delivery)
    await _run_save(ports, run)


async def _run_compose(
    ports: Ports, claimed: _ClaimedRun, destinations: Sequence[DigestChannel]
) -> dict[str, Delivery]:
    """The deliveries for channels of one receiver, by their keys."""
    run, digest, receiver_id = claimed.run, claimed.digest, destinations[0].receiver_id
    async with ports.uow() as uow:
        now, share = ports.clock(), claimed.shares[receiver_id]
        figures = await digest_of(uow, ports.price_book, digest, run, now, share)
    asked = {one.key: one.channel for one in destinations}
    return await run_compose(ports, run, digest.spec, figures, receiver_id, asked)


def _failed(run: DigestRun, destinations: Sequence[DigestChannel], error: DeliveryError, now: datetime) -> DigestRun:
    """A digest that cannot be composed is a failed attempt in each channel: tried again later, and at last given up."""
    for one in destinations:
        run = refused(run, one.place, error.reason, permanent=False, retry_after=None, now=now)
    return run


async def _run_save(ports: Ports, run: DigestRun) -> None:
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
    run = replace(run, due_at=now, detail="")
    if not digest.spec.to_owner:
        return _claimed(run, digest, [("", receiver)], {receiver.id: None})
    return await _run_share_out(ports, run, digest)


async def _run_share_out(ports: Ports, run: DigestRun, digest: Resource[DigestPlan]) -> _ClaimedRun | None:
    """None where shares cannot be read: it is tried again later."""
    try:
        with defects_fail(run.id):
            async with ports.uow() as uow:
                shares = {one.receiver_id: one for one in await shares_of(uow, digest.spec, run, ports.clock())}
                receivers = await uow.receivers.some(shares)
    except DeliveryError as error:
        await _run_save(ports, put_off(run, error.reason, ports.clock()))
        return None
    return _claimed(run, digest, [(id, receivers[id]) for id in shares], shares)


def _claimed(
    run: DigestRun,
    digest: Resource[DigestPlan],
    receivers: Sequence[tuple[str, Resource[Receiver]]],
    shares: Mapping[str, Share | None],
) -> _ClaimedRun:
    """`receivers`, each under the id that a run knows it by."""
    destinations = [
        DigestChannel((known_as, channel_key(channel)), receiver.id, channel)
        for known_as, receiver in receivers
        for channel in reached(receiver.spec)
    ]
    places = {one.place: one for one in destinations}
    return _ClaimedRun(with_places(run, places), digest, places, shares)
