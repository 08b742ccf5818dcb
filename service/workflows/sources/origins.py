"""Noting where the reports of a source come from; data that go back are refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from service.domain.sources.source import ReportName, SourceState
from service.domain.spend.lateness import LONGEST_UNREFRESHED
from service.workflows.ports.sources import Provenance, ReadReport, ReportRow, SourceError
from service.workflows.ports.spend import DayInputs
from service.workflows.ports.unit_of_work import UnitOfWork


async def note_origin(uow: UnitOfWork, source_id: str, report: ReportName, origin: Provenance, now: datetime) -> None:
    """Notes where a report came from, in the transaction that writes it.

    Raises SourceError for one that is older than what was read before: it would take back what is known. And for one
    whose data are not refreshed any more: who reads it is as blind as who cannot read it.
    """
    refreshed_at = origin.refreshed_at
    if refreshed_at is not None and now - refreshed_at > LONGEST_UNREFRESHED:
        raise SourceError(
            f"The analytics reports have not been refreshed since {refreshed_at:%Y-%m-%d %H:%M} UTC: what was spent"
            " after that is unknown",
            retryable=True,
        )
    state = await uow.polling_states.get(source_id)
    noted = _noted(state, report, origin, now)
    if noted != state:
        await uow.polling_states.note_reports(noted)


async def refuse_emptiness(
    uow: UnitOfWork, source_id: str, report: ReadReport[ReportRow], is_known: Callable[[DayInputs], bool]
) -> None:
    """Raises SourceError for a report without one row, of days of which something is known.

    It would make each of them cost nothing. Without anything known it may be the truth: nobody has used anything.
    """
    if not report.origin.is_empty:
        return
    days = sorted({bucket.window.start.date() for bucket in report.buckets})
    known = [day for day, seen in (await uow.facts.day_inputs(source_id, days)).items() if is_known(seen)]
    if known:
        raise SourceError(
            f"The analytics report has no row at all, and there was something on {max(known)} when it was read before:"
            " nothing is taken back, the next poll reads it again",
            retryable=True,
        )


def _noted(state: SourceState, report: ReportName, origin: Provenance, now: datetime) -> SourceState:
    if report is ReportName.COST:
        refreshed_at = _later(state.refreshed_at, origin, now)
        return replace(state, reports_read=origin.reports, refreshed_at=refreshed_at, remark=origin.remark or None)
    if report is ReportName.USAGE_HOURS:
        return replace(state, usage_refreshed_at=_later(state.usage_refreshed_at, origin, now))
    return state


def _later(before: datetime | None, origin: Provenance, now: datetime) -> datetime | None:
    """A time in the future was noted by a clock that has been set back since, and says nothing."""
    read = origin.refreshed_at
    if read is not None and before is not None and read < before <= now:
        raise SourceError(
            f"The analytics report is of data up to {read:%Y-%m-%d %H:%M} UTC, and data up to {before:%Y-%m-%d %H:%M}"
            " were read before: nothing is taken back, the next poll reads it again",
            retryable=True,
        )
    return read or before
