"""Jobs that nothing would ever end: those of dead workers go back into the queue, those that did end are finished.

The queue library marks a job with its worker and the worker's heartbeat, and leaves it at that. A dead job keeps
its `lock`, which blocks its successors; and it cannot go back while another one waits under its `queueing_lock`,
which a unique index holds. That other one will do the same work, so then the dead one is given up.

The library reports a job's end once. If the connection is lost in that very moment, the job stays `doing` under a
worker that lives: no sweep for dead workers would ever free it, nor its `lock`, and its source would fall silent.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import NamedTuple

from procrastinate import App, JobContext, PsycopgConnector
from procrastinate.exceptions import UniqueViolation
from procrastinate.jobs import Job, Status
from procrastinate.worker import Worker

_TURN = 0x70C5_0002
"""The advisory lock that lets one sweep run at a time."""
_log = logging.getLogger(__name__)


async def sweep_stalled(queue: App, stalled_after: timedelta) -> int:
    """Frees the jobs of workers without a heartbeat for `stalled_after`; returns their number.

    Run it often, in every worker: one sweep runs at a time, and another one meanwhile does nothing.
    """
    assert isinstance(queue.connector, PsycopgConnector)
    async with queue.connector.pool.connection() as connection, connection.transaction():
        turn = await connection.execute("SELECT pg_try_advisory_xact_lock(%s)", (_TURN,))
        if not (await turn.fetchone() or (False,))[0]:
            return 0
        stalled = list(await queue.job_manager.get_stalled_jobs(seconds_since_heartbeat=stalled_after.total_seconds()))
        for job in stalled:
            await _free(queue, job)
        return len(stalled)


async def _free(queue: App, job: Job) -> None:
    try:
        await queue.job_manager.retry_job(job)
        _log.warning("job_requeued job=%s task=%s lock=%s", job.id, job.task_name, job.lock)
    except UniqueViolation:
        await _give_up(queue, job)


async def _give_up(queue: App, job: Job) -> None:
    assert job.id is not None
    await queue.job_manager.finish_job_by_id_async(job.id, Status.FAILED, delete_job=True)
    _log.warning("job_given_up job=%s task=%s waiting=%s", job.id, job.task_name, job.queueing_lock)


class _Run(NamedTuple):
    """A job as one worker ran it: another worker may run the same job again after a long outage."""

    job: int | None
    worker: int | None


class EndedJobs:
    """The jobs that ran to their end in this process, while the database may not know."""

    def __init__(self) -> None:
        self._ended: set[_Run] = set()
        self._suspects: set[_Run] = set()

    async def note_end(self, run_job: Callable[[], Awaitable[object]], context: JobContext, _: Worker) -> object:
        """A middleware around every job of a worker."""
        try:
            return await run_job()
        finally:
            self._ended.add(_run(context.job))

    async def finish(self, queue: App) -> None:
        """Finishes the jobs that still count as running though they had ended before the last call."""
        ended = set(self._ended)
        running = {_run(job) for job in await queue.job_manager.list_jobs_async(status=Status.DOING.value)}
        for run in self._suspects & running:
            assert run.job is not None
            await queue.job_manager.finish_job_by_id_async(run.job, Status.FAILED, delete_job=True)
            _log.warning("ended_job_finished job=%s", run.job)
        self._suspects = ended & running
        self._ended -= ended


def _run(job: Job) -> _Run:
    return _Run(job.id, job.worker_id)
