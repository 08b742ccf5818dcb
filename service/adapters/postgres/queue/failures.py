"""Jobs that fail, in few lines: one that fails again and again has its traceback logged as seldom as an outage."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog
from procrastinate import JobContext
from procrastinate.worker import Worker
from structlog.contextvars import bound_contextvars

from service.workflows.ports.outages import StorageUnavailable, is_worth_a_line

log = structlog.get_logger(__name__)


class FailedJobs:
    """Counts the failures in a row of each task and lock: a source's evaluations, the deliveries."""

    def __init__(self) -> None:
        self._in_a_row: dict[str, int] = {}

    async def note_failure(self, run_job: Callable[[], Awaitable[object]], context: JobContext, _: Worker) -> object:
        """A middleware around every job of a worker: each of its log lines has the job's id.

        A database that is away is noted where it was asked.
        """
        with bound_contextvars(job_id=context.job.id):
            return await self._run(run_job, context)

    async def _run(self, run_job: Callable[[], Awaitable[object]], context: JobContext) -> object:
        subject = context.job.lock or context.job.task_name
        try:
            result = await run_job()
        except StorageUnavailable:
            raise
        except Exception:
            failures = self._in_a_row[subject] = self._in_a_row.get(subject, 0) + 1
            if is_worth_a_line(failures):
                log.exception("job_failed", task=context.job.task_name, lock=context.job.lock, failures=failures)
            raise
        self._in_a_row.pop(subject, None)
        return result
