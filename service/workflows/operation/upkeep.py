"""Upkeep by schedule: the minute's evaluation, due deliveries, retention, and the heartbeat."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial

import structlog

from service.domain.budgets.known import facts_needed_from
from service.domain.notify.routing.routes import LONGEST_INTERVAL
from service.domain.values.periods import Window
from service.workflows.alerts.watch_channels import run_watch_channels
from service.workflows.alerts.watch_silences import run_watch_silences
from service.workflows.budgets.defects import BudgetDefect, attempt
from service.workflows.configuration.notify import forget_silences
from service.workflows.notify.repeats import run_repeats
from service.workflows.operation.drill import run_return_to_present
from service.workflows.operation.lateness import NAMED
from service.workflows.ports.channels import Heartbeat, HeartbeatError
from service.workflows.ports.unit_of_work import Ports, UnitOfWork
from service.workflows.sources.lost_polls import run_end_lost_polls

log = structlog.get_logger(__name__)

DAWN = datetime(1, 1, 1, tzinfo=UTC)
HEARTBEAT, EVALUATION = "heartbeat", "evaluation"
MINUTES_KEPT = timedelta(hours=48)
POLLS_KEPT = timedelta(days=90)
"""A source has 288 a day: they say what was read, and are no fact."""
AHEAD = timedelta(days=45)
SLICE = 200
"""Sources whose evaluations are queued by one transaction."""
FRESH = timedelta(minutes=5)
"""The age at which the last evaluation of an enabled source withholds the heartbeat."""


async def run_minute(ports: Ports) -> None:
    """Queues what is due because time has passed: evaluations, parts of backfills, ends of snoozes, deliveries.

    Each step asks the database for what is due, and has transactions of its own. None of them waits for a source while
    it holds a job: a poll holds its source when it queues the evaluation.
    """
    await run_return_to_present(ports)
    await run_queue_evaluations(ports)
    await run_end_lost_polls(ports)
    await run_queue_other_work(ports)
    await run_watch_channels(ports)
    await run_watch_silences(ports)
    await run_repeats(ports)


async def run_queue_evaluations(ports: Ports) -> None:
    """Queues an evaluation of every source whose answer time alone may have changed. The others are as good as new."""
    now, due = ports.clock(), [""]
    while due:
        async with ports.uow() as uow:
            due = await uow.polling_states.due_evaluations(now, after=due[-1], limit=SLICE)
            await uow.jobs.evaluate(*due)
    async with ports.uow() as uow:
        await uow.polling_states.note_still_evaluated(now)


async def run_queue_other_work(ports: Ports) -> None:
    """The next part of each unfinished backfill (one at work takes no harm: at most one part of it waits), and more.

    What is overdue is asked for without a time, so that it waits once, however many workers ask for it how often.
    """
    now = ports.clock()
    async with ports.uow() as uow:
        for poll in await uow.polls.running_backfills():
            await uow.jobs.backfill(poll.source_id, poll.id)
        for alert_id in await uow.alerts.overdue(now):
            await uow.jobs.wake(alert_id)
        due = await uow.notifications.next_due()
        if due is not None and due <= now:
            await uow.jobs.deliver()


async def run_retention(ports: Ports, keep: timedelta) -> None:
    """Deletes facts, verdicts and digests' runs older than `keep`, minutes older than two days, polls older than 90,
    idle groups, traces of jobs that are done, and silences that have been over for long. Facts that a budget still
    needs are kept.

    Creates the partitions of the month ahead.
    """
    now = ports.clock()
    await ports.storage.make_room(Window(now, now + AHEAD))
    facts_before = min(now - keep, await _run_facts_needed_from(ports, now))
    await ports.storage.forget(facts_before=facts_before.date(), minutes_before=now - MINUTES_KEPT)
    async with ports.uow() as uow:
        await uow.verdicts.forget((now - keep).date())
        await uow.episodes.forget_orphans()
        await uow.calibrations.forget_orphans()
        await uow.watches.forget_orphans()
        await uow.digest_runs.forget(now - keep)
        await uow.groups.forget(now - LONGEST_INTERVAL)
        await uow.jobs.forget_traces()
        await forget_silences(uow, now)
    while await _run_forget_some_polls(ports, now - POLLS_KEPT):
        pass


async def _run_facts_needed_from(ports: Ports, now: datetime) -> datetime:
    """Since when any enabled budget needs facts, at the latest now. One of which that cannot be told needs all."""
    async with ports.uow() as uow:
        budgets, stored = await uow.budgets.readable(), await uow.budgets.named()
    asked = {budget.id: attempt(partial(facts_needed_from, budget, now)) for budget in budgets if budget.spec.enabled}
    defects = {id: since.words for id, since in asked.items() if isinstance(since, BudgetDefect)}
    unclear = defects | {id: "it cannot be read" for id in stored.keys() - {budget.id for budget in budgets}}
    for id, reason in unclear.items():
        log.error("facts_kept_for_budget", budget_id=id, reason=reason)
    return DAWN if unclear else min([now, *(since for since in asked.values() if isinstance(since, datetime))])


async def _run_forget_some_polls(ports: Ports, before: datetime) -> bool:
    async with ports.uow() as uow:
        return await uow.polls.forget(before)


async def run_heartbeat(ports: Ports, heartbeat: Heartbeat) -> bool:
    """Sends the dead man's switch its heartbeat while every enabled source is being evaluated.

    Returns whether it arrived. Errors are logged as outages.
    """
    async with ports.uow() as uow:
        late = await _late_sources(uow, ports.clock())
    if late:
        others = f" and {len(late) - NAMED} others" if len(late) > NAMED else ""
        named = ", ".join(late[:NAMED])
        ports.outages.failed(EVALUATION, f"no heartbeat is sent: nothing has evaluated {named}{others} lately")
        return False
    ports.outages.worked(EVALUATION)
    try:
        await heartbeat.beat()
    except HeartbeatError as error:
        ports.outages.failed(HEARTBEAT, str(error))
        return False
    ports.outages.worked(HEARTBEAT)
    return True


async def _late_sources(uow: UnitOfWork, now: datetime) -> list[str]:
    """Returns the names of the enabled sources that nothing has evaluated lately; in the future is not lately."""
    evaluated = [(source.name, source.state.evaluated_at) for source in await uow.measures.enabled_sources()]
    return [name for name, at in evaluated if at is None or abs(now - at) > FRESH]
