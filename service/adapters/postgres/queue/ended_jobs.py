"""Jobs that ran to their end here, while the database could not be told so.

The queue library reports a job's end once. Is the connection lost in that very moment, the job stays `doing` under a
worker that lives: no sweep for dead workers would ever free it, nor its `lock`, and its source would fall silent.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from procrastinate import App, JobContext
from procrastinate.jobs import Job, Status
from procrastinate.worker import Worker

_log = logging.getLogger(__name__)


class _Run(NamedTuple):
    """A job as one worker ran it: another worker may run the same job again after a long outage."""

    job: int | None
    worker: int | None


class EndedJobs:
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
        """Finishes what still counts as running though it had ended before the last call already."""
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
