"""Trials on pages: a rule or a budget replayed over the last 90 days, and how far that is."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta

from service.domain.access import Caller, Role
from service.domain.backtest.backtest import Backtest, BacktestState, Subject
from service.domain.values.errors import Conflict
from service.domain.values.utc import day_start
from service.workflows.backtest import BacktestQuestion, cancel_backtest, request_backtest
from service.workflows.configuration.engine import Author
from service.workflows.ports.unit_of_work import UnitOfWork

TRIED_FOR = timedelta(days=90)


async def tried(uow: UnitOfWork, subject: Subject, request: Mapping[str, object], author: Author) -> Backtest:
    """Queues a backtest over the last 90 days, or as many as are known. Raises Invalid where there is nothing."""
    begins = await uow.backtests.begins(subject.spec.source_id)
    wanted = day_start(author.at) - TRIED_FOR
    since = wanted if begins is not None and begins <= wanted.date() else None
    return await request_backtest(uow, BacktestQuestion(subject, since, None, request), author)


async def given_up(uow: UnitOfWork, id: str, author: Author) -> None:
    """Cancels a trial; one that is over meanwhile stays, and shows what it found."""
    with suppress(Conflict):
        await cancel_backtest(uow, id, author)


async def standing_of(uow: UnitOfWork, backtest: Backtest, caller: Caller, address: str) -> dict[str, object]:
    """Returns what every page about a trial says of how far it is. `address` is the page's own."""
    return {
        "name": backtest.subject.name,
        "progress": await _progress(uow, backtest),
        "waits": not backtest.state.is_over,
        "cancel": f"{address}/cancel" if caller.role.allows(Role.OPERATOR) else "",
        "error": backtest.error,
        "is_open": False,
    }


async def _progress(uow: UnitOfWork, backtest: Backtest) -> str:
    """Returns how far it is, or what it waits for."""
    if backtest.state is not BacktestState.QUEUED:
        return f"{backtest.progress * 100:.0f} % of the days are replayed."
    before = await uow.backtests.before(backtest)
    if not before:
        return "It waits for a worker: reading, evaluating and notifying go first."
    first = before[0]
    more = f", and {len(before) - 1} more" if len(before) > 1 else ""
    return f"It waits behind the backtest of {first.subject.name}, of which {first.progress * 100:.0f} % is done{more}."
