"""Jobs run in the trace of whoever queued them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import nullcontext

import structlog
from procrastinate import App, JobContext
from procrastinate.exceptions import ConnectorException
from procrastinate.worker import Worker

from service.workflows.ports.spans import Spans

log = structlog.get_logger(__name__)

_TAKE = "DELETE FROM job_traces WHERE job_id = %(job_id)s RETURNING traceparent"


class TracedJobs:
    """Runs each job in the trace of whoever queued it. A job that is tried again begins one of its own."""

    def __init__(self, queue: App, spans: Spans) -> None:
        self._queue = queue
        self._spans = spans

    async def continue_trace(self, run_job: Callable[[], Awaitable[object]], context: JobContext, _: Worker) -> object:
        """A middleware around every job of a worker that collects traces."""
        carried = await self._take(context.job.id)
        with nullcontext() if carried is None else self._spans.continued(carried):
            return await run_job()

    async def _take(self, job_id: int | None) -> str | None:
        """A database that is away costs the trace: the job says so itself."""
        try:
            rows = await self._queue.connector.execute_query_all_async(_TAKE, job_id=job_id)
        except ConnectorException as error:
            log.warning("trace_lost", job_id=job_id, reason=str(error.__cause__ or error))
            return None
        return rows[0]["traceparent"] if rows else None
