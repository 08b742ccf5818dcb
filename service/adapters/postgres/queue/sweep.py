"""Jobs whose worker died: back into the queue, so that nothing waits for a dead one for ever.

The queue library marks a job with its worker and the worker's heartbeat, and leaves it at that. A dead job keeps
its `lock`, which blocks its successors; and it cannot go back while another one waits under its `queueing_lock`,
which a unique index holds. That other one will do the same work, so then the dead one is given up.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import UniqueViolation
from procrastinate.jobs import Job, Status

_TURN = 0x70C5_0002
_log = logging.getLogger(__name__)


async def sweep_stalled(queue: App, stalled_after: timedelta) -> int:
    """Frees the jobs of workers without a heartbeat for `stalled_after`; gives their number.

    Run it often, in every worker: an advisory lock lets one at a time, and who finds it taken does nothing.
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
