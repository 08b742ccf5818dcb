"""Running the jobs of the queue: which handler does which, worker after worker, until a stop is asked for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import timedelta
from typing import Protocol, Self

import psycopg
from procrastinate import App, BaseRetryStrategy, PsycopgConnector, RetryDecision
from procrastinate.exceptions import ConnectorException, JobAborted
from procrastinate.jobs import Job

from service.adapters.postgres.addresses import libpq_url
from service.adapters.postgres.losses import unavailability
from service.adapters.postgres.queue.failures import FailedJobs
from service.adapters.postgres.queue.jobs import BACKFILL, BACKTEST, DELIVER, DIGEST, EVALUATE, POLL, QUEUE, STEP, WAKE
from service.adapters.postgres.queue.sweep import EndedJobs, sweep_stalled
from service.adapters.postgres.queue.traced_jobs import TracedJobs
from service.workflows.ports.outages import DATABASE, Outages, StorageRefuses, StorageUnavailable
from service.workflows.ports.spans import NoSpans, Spans

HEARTBEAT = timedelta(seconds=10)
STALLED_AFTER = timedelta(seconds=30)
LOOK_EVERY = timedelta(seconds=1)
"""How often workers look for jobs whose time has come or whose lock is free again; new jobs are announced."""
RESTART_AFTER = timedelta(seconds=2)
TRY_AGAIN = timedelta(seconds=30)
MOST_TRIES = 500
CONCURRENCY = 10
GRACE = timedelta(seconds=12)
"""How long running jobs may go on once a stop is asked for: the whole process has 20 s."""
CONNECTIONS = 4
LONGEST_STATEMENT = timedelta(minutes=1)
"""The queue's own statements concern single jobs."""
CONNECTION_WAIT = timedelta(seconds=10)
"""How long the queue waits for a connection: a database that is away does not hold a stop for longer."""


class Handlers(Protocol):
    """The handlers of jobs. A job may run more than once. One that raises is logged; `backtest`, `wake` and `step` are
    tried again, others are not.
    """

    async def poll(self, source_id: str, poll_id: str) -> None: ...

    async def backfill(self, source_id: str, poll_id: str) -> None: ...

    async def evaluate(self, source_id: str) -> None: ...

    async def deliver(self) -> None: ...

    async def backtest(self, backtest_id: str) -> None: ...

    async def wake(self, alert_id: str) -> None: ...

    async def step(self, alert_id: str, policy_id: str, chain: int, round: int, step: int) -> None: ...

    async def digest(self, run_id: str) -> None: ...


class Queue:
    """The queue of one database: a pool of its own beside the units of work's, and a connection to listen."""

    def __init__(self, app: App, connector: PsycopgConnector, outages: Outages, spans: Spans) -> None:
        self._app = app
        self._connector = connector
        self._outages = outages
        self._traces = [] if isinstance(spans, NoSpans) else [TracedJobs(app, spans).continue_trace]
        self._ended = EndedJobs()
        self._failed = FailedJobs()

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        url: str,
        handlers: Handlers,
        outages: Outages | None = None,
        *,
        prepare_threshold: int | None = None,
        spans: Spans | None = None,
    ) -> AsyncIterator[Self]:
        """Connects for as long as the block lasts. Jobs run only in `run`. `outages` and `spans` are this process's."""
        connector = _connector(url, prepare_threshold)
        app = _app(connector, handlers)
        async with AsyncExitStack() as stack:
            try:
                await stack.enter_async_context(app.open_async())
            except (ConnectorException, psycopg.OperationalError) as error:
                raise StorageUnavailable(f"the database cannot be reached: {error.__cause__ or error}") from error
            yield cls(app, connector, outages or Outages(), spans or NoSpans())

    async def run(self, stop: asyncio.Event, *, grace: timedelta = GRACE) -> None:
        """Runs jobs until `stop` is set; running jobs then have `grace` to end before they go back into the queue."""
        worker = asyncio.create_task(self._run_workers(stop, grace))
        stopped = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({worker, stopped}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopped.cancel()
            worker.cancel()
            await asyncio.wait({worker})
        if not worker.cancelled():
            worker.result()

    async def drain(self) -> None:
        """Runs jobs, and those that they queue, until none is due."""
        await self._app.run_worker_async(
            queues=[QUEUE],
            wait=False,
            concurrency=1,
            install_signal_handlers=False,
            delete_jobs="always",
            worker_middleware=[*self._traces],
        )

    async def sweep(self, *, stalled_after: timedelta = STALLED_AFTER) -> None:
        """Frees the jobs that dead workers held or lost connections left. Call it often, in every worker.

        Raises StorageUnavailable.
        """
        try:
            await sweep_stalled(self._app, stalled_after)
            await self._ended.finish(self._app)
        except (ConnectorException, psycopg.OperationalError) as error:
            raise _loss(error) from error

    async def _run_workers(self, stop: asyncio.Event, grace: timedelta) -> None:
        """A worker gives up when it loses the database; another one takes its place, unless it was to stop.

        A loss in the middle of a stop hides that stop: the library raises the loss, not the cancellation.
        """
        while not stop.is_set():
            try:
                await self._run_worker(grace)
            except ConnectorException as error:
                self._outages.failed(DATABASE, str(_loss(error)))
                # A session that began while the database was read-only stays so, also when the database is not.
                await self._connector.pool.drain()
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), RESTART_AFTER.total_seconds())

    async def _run_worker(self, grace: timedelta) -> None:
        await self._app.run_worker_async(
            queues=[QUEUE],
            concurrency=CONCURRENCY,
            install_signal_handlers=False,
            delete_jobs="always",
            fetch_job_polling_interval=LOOK_EVERY.total_seconds(),
            update_heartbeat_interval=HEARTBEAT.total_seconds(),
            stalled_worker_timeout=STALLED_AFTER.total_seconds(),
            worker_middleware=[self._ended.note_end, self._failed.note_failure, *self._traces],
            shutdown_graceful_timeout=grace.total_seconds(),
        )


def _loss(error: Exception) -> StorageUnavailable:
    cause = error.__cause__ or error
    known = unavailability(cause)
    if isinstance(known, StorageRefuses):
        return known
    return StorageUnavailable(f"the queue has lost the database: {cause}")


class _AgainAfterShutdown(BaseRetryStrategy):
    """A job that a shutdown cut short goes back into the queue; any other end is final."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        return RetryDecision() if isinstance(exception, asyncio.CancelledError | JobAborted) else None


class _UntilDone(_AgainAfterShutdown):
    """A job that fails is tried again, for hours, because nothing else would make up for it."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        decision = super().get_retry_decision(exception=exception, job=job)
        if decision is not None or job.attempts >= MOST_TRIES:
            return decision
        return RetryDecision(retry_in={"seconds": int(TRY_AGAIN.total_seconds())})


async def _bounded(connection: psycopg.AsyncConnection) -> None:
    """Uses SET, as every pool does: a pooler refuses start-up options. Waiting for a notification is no statement."""
    await connection.execute(f"SET statement_timeout TO {LONGEST_STATEMENT // timedelta(milliseconds=1)}")
    await connection.commit()


def _connector(url: str, prepare_threshold: int | None) -> PsycopgConnector:
    return PsycopgConnector(
        conninfo=libpq_url(url),
        min_size=1,
        max_size=CONNECTIONS,
        timeout=CONNECTION_WAIT.total_seconds(),
        kwargs={"prepare_threshold": prepare_threshold},
        configure=_bounded,
    )


def _app(connector: PsycopgConnector, handlers: Handlers) -> App:
    app = App(connector=connector)
    again = _AgainAfterShutdown()
    app.task(name=POLL, queue=QUEUE, retry=again)(handlers.poll)
    app.task(name=BACKFILL, queue=QUEUE, retry=again)(handlers.backfill)
    app.task(name=EVALUATE, queue=QUEUE, retry=again)(handlers.evaluate)
    app.task(name=DELIVER, queue=QUEUE, retry=again)(handlers.deliver)
    app.task(name=BACKTEST, queue=QUEUE, retry=_UntilDone())(handlers.backtest)
    app.task(name=WAKE, queue=QUEUE, retry=_UntilDone())(handlers.wake)
    app.task(name=STEP, queue=QUEUE, retry=_UntilDone())(handlers.step)
    app.task(name=DIGEST, queue=QUEUE, retry=again)(handlers.digest)
    return app
