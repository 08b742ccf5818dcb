"""Tries a rule over the past: what it would have fired in 90 days, and what it would at other settings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from service.api.dashboard.layout import dashboard_page
from service.api.dashboard.rules.pages import PLACE
from service.api.dashboard.rules.replays import replay_shown
from service.api.dashboard.session import AnsweringDep, SignedInDep, our_page
from service.api.http.deps import Id, UowDep
from service.api.http.pages import DASHBOARD_HEADERS
from service.domain.backtest.backtest import Backtest, BacktestState, Subject
from service.domain.rules.registry import KINDS
from service.domain.rules.rule import Rule
from service.domain.values.errors import NotFound
from service.domain.values.utc import day_start
from service.workflows.backtest import BacktestQuestion, request_backtest
from service.workflows.configuration.engine import Author
from service.workflows.ports.unit_of_work import UnitOfWork

router = APIRouter(include_in_schema=False)

TRIED = f"{PLACE}/tried"
TRIED_FOR = timedelta(days=90)


@router.post(f"{PLACE}/{{id}}/try", dependencies=[our_page])
async def try_stored(author: AnsweringDep, uow: UowDep, id: Id) -> Response:
    """Queues a backtest of a rule as it is stored, and leads to its results."""
    rule = await uow.rules.get(id)
    queued = await tried(uow, rule, {"rule": rule.id}, author)
    return RedirectResponse(f"{TRIED}/{queued.id}", 303, DASHBOARD_HEADERS)


async def tried(uow: UnitOfWork, subject: Subject, request: Mapping[str, object], author: Author) -> Backtest:
    """Queues a backtest over the last 90 days, or as many as are known. Raises Invalid where there is nothing."""
    begins = await uow.backtests.begins(subject.spec.source_id)
    wanted = day_start(author.at) - TRIED_FOR
    since = wanted if begins is not None and begins <= wanted.date() else None
    return await request_backtest(uow, BacktestQuestion(subject, since, None, request), author)


@router.get(f"{TRIED}/{{id}}")
async def show_tried(caller: SignedInDep, uow: UowDep, id: Id) -> Response:
    """How far the replay is, then what it found."""
    backtest = await uow.backtests.get(id)
    rule = backtest.subject
    if not isinstance(rule.spec, Rule):
        raise NotFound("this backtest is of no rule")
    content = {
        "name": rule.name,
        "kind": KINDS[rule.spec.kind].title,
        "address": f"{PLACE}/{rule.id}" if rule.id else "",
        "progress": f"{backtest.progress * 100:.0f}",
        "waits": backtest.state in (BacktestState.QUEUED, BacktestState.RUNNING),
        "error": backtest.error,
        "found": replay_shown(backtest.result) if backtest.result else None,
    }
    return dashboard_page("rule_tried.html.j2", "Rules", caller, content)
