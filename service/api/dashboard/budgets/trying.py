"""Tries a budget over the past: what it would have fired in 90 days, and what it would at other thresholds."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from service.api.dashboard.budgets.pages import PLACE, amount_said
from service.api.dashboard.documents.pages import led_to
from service.api.dashboard.layout import dashboard_page
from service.api.dashboard.replays import replay_shown
from service.api.dashboard.session import AnsweringDep, SignedInDep, our_page
from service.api.dashboard.trials import given_up, standing_of, tried
from service.api.http.deps import Id, UowDep
from service.domain.budgets.budget import Budget
from service.domain.values.errors import NotFound
from service.workflows.ports.unit_of_work import UnitOfWork

router = APIRouter(include_in_schema=False)

TRIED = f"{PLACE}/tried"


@router.post(f"{PLACE}/{{id}}/try", dependencies=[our_page])
async def try_stored(author: AnsweringDep, uow: UowDep, id: Id) -> Response:
    """Queues a backtest of a budget as it is stored, and leads to its results."""
    budget = await uow.budgets.get(id)
    queued = await tried(uow, budget, {"budget": budget.id}, author)
    return led_to(f"{TRIED}/{queued.id}")


@router.post(f"{TRIED}/{{id}}/cancel", dependencies=[our_page])
async def cancel(uow: UowDep, author: AnsweringDep, id: Id) -> Response:
    """Cancels a replay, and leads back to it."""
    await given_up(uow, id, author)
    return led_to(f"{TRIED}/{id}")


@router.get(f"{TRIED}/{{id}}")
async def show_tried(caller: SignedInDep, uow: UowDep, id: Id) -> Response:
    """How far the replay is, then what it found."""
    backtest = await uow.backtests.get(id)
    subject = backtest.subject
    if not isinstance(subject.spec, Budget):
        raise NotFound("this backtest is of no budget")
    content = await standing_of(uow, backtest, caller, f"{TRIED}/{id}") | {
        "place": ("Budgets", PLACE),
        "said": amount_said(subject.spec),
        "subject_address": f"{PLACE}/{subject.id}" if await _is_stored(uow, subject.id) else "",
        "found": replay_shown(backtest.result, _told, against="Threshold") if backtest.result else None,
    }
    return dashboard_page("tried.html.j2", "Budgets", caller, content)


def _told(setting: str) -> str:
    """Returns "Threshold at 80%" for "80%"."""
    return f"Threshold at {setting}"


async def _is_stored(uow: UnitOfWork, id: str) -> bool:
    return bool(id) and id in await uow.budgets.named()
