"""`/v1/backtests`: a rule or a budget replayed over stored history, as it was known then."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import datetime
from typing import Annotated, TypeVar

from fastapi import APIRouter, Body
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.models import Example
from fastapi.responses import Response
from pydantic import Discriminator, Field, Tag

from service.api.backtest.documents import BacktestOut, BacktestResultOut, show_backtest, show_result
from service.api.budgets.budgets import BudgetIn, BudgetShape
from service.api.http.deps import Id, PortsDep, UowDep, operator, viewer
from service.api.http.fields import InstantOrDate, Name, Reference, Strict
from service.api.http.idempotency import OnceDep
from service.api.http.listing import DEFAULT_LIMIT, Cursor, Limit, Listing
from service.api.http.responses import respond
from service.api.rules.rules import RuleIn, RuleShape
from service.domain.backtest.backtest import Subject
from service.domain.budgets.budget import Budget
from service.domain.rules.rule import Rule
from service.domain.values.errors import Invalid, NotFound
from service.domain.values.resources import Resource
from service.workflows.backtest import BacktestQuestion, cancel_backtest, request_backtest
from service.workflows.configuration.engine import ResourceKind
from service.workflows.configuration.rules import Rules
from service.workflows.configuration.spend import Budgets, source_named
from service.workflows.ports.unit_of_work import Ports, UnitOfWork

router = APIRouter(prefix="/v1/backtests", tags=["Backtests"])

Spec = TypeVar("Spec")


class InlineRule(RuleIn):
    name: Name = "backtest"


class InlineBudget(BudgetIn):
    name: Name = "backtest"


def _form(document: object) -> str:
    return "stored" if isinstance(document, str) else "inline"


RuleRef = Annotated[Annotated[Reference, Tag("stored")] | Annotated[InlineRule, Tag("inline")], Discriminator(_form)]
BudgetRef = Annotated[
    Annotated[Reference, Tag("stored")] | Annotated[InlineBudget, Tag("inline")], Discriminator(_form)
]


class BacktestIn(Strict):
    """A rule or a budget, one of them: the id or name of a stored one, or a document as it would be posted."""

    rule: RuleRef | None = None
    budget: BudgetRef | None = None
    source: Reference | None = Field(default=None, description="of a document that names none")
    since: InstantOrDate | None = Field(
        default=None, description="the first UTC day; 400 days ago, if so much is known"
    )
    until: InstantOrDate | None = Field(default=None, description="not included; now")


EXAMPLES: dict[str, Example] = {
    "stored": {"value": {"rule": "unusual spend", "since": "2026-09-01"}},
    "inline": {"value": {"rule": {"kind": "change", "for_each": "workspace"}}},
    "budget": {"value": {"budget": {"amount": "5000.00"}}},
}


@router.post(
    "",
    summary="Replay a rule or a budget",
    status_code=202,
    response_model=BacktestOut,
    dependencies=[operator],
)
async def start(
    uow: UowDep, ports: PortsDep, once: OnceDep, document: BacktestIn = Body(openapi_examples=EXAMPLES)
) -> Response:
    subject = await _subject(ports, uow, document, once.author.at)
    request = document.model_dump(mode="json", exclude_unset=True, warnings=False)
    queued = await request_backtest(
        uow, BacktestQuestion(subject, document.since, document.until, request), once.author
    )
    return await once.answer(show_backtest(queued), 202, {"Location": f"/v1/backtests/{queued.id}"})


@router.get("", summary="List backtests, newest first", response_model=Listing[BacktestOut], dependencies=[viewer])
async def list_(uow: UowDep, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> Response:
    page = await uow.backtests.page(limit=limit, cursor=cursor)
    return respond(Listing[BacktestOut](items=[show_backtest(one) for one in page.items], next=page.next))


@router.get(
    "/{id}",
    summary="Read a backtest: how far it is, what it found",
    response_model=BacktestResultOut,
    responses={404: {}},
    dependencies=[viewer],
)
async def one(id: Id, uow: UowDep) -> Response:
    backtest = await uow.backtests.get(id)
    return respond(show_result(backtest, len(await uow.backtests.before(backtest))))


@router.post(
    "/{id}/cancel",
    summary="Cancel a backtest that waits or runs",
    response_model=BacktestOut,
    responses={404: {}, 409: {}},
    dependencies=[operator],
)
async def cancel(id: Id, uow: UowDep, once: OnceDep) -> Response:
    return await once.answer(show_backtest(await cancel_backtest(uow, id, once.author)))


async def _subject(ports: Ports, uow: UnitOfWork, document: BacktestIn, now: datetime) -> Subject:
    if (document.rule is None) == (document.budget is None):
        raise Invalid("name a rule or a budget, one of them", "/rule")
    if document.rule is not None:
        return await _rule(ports, uow, document.rule, document.source, now)
    assert document.budget is not None
    return await _budget(ports, uow, document.budget, document.source, now)


async def _rule(
    ports: Ports, uow: UnitOfWork, asked: str | InlineRule, source: str | None, now: datetime
) -> Resource[Rule[object]]:
    if isinstance(asked, str):
        return await _stored(uow, Rules(), asked, source, "/rule")
    asked = asked.model_copy(update={"source": asked.source or source})
    spec = await _inside("rule", RuleShape().read(ports, uow, asked, None))
    await _inside("rule", Rules().validate(uow, spec, None))
    return Resource("", asked.name, 0, now, now, {}, spec)


async def _budget(
    ports: Ports, uow: UnitOfWork, asked: str | InlineBudget, source: str | None, now: datetime
) -> Resource[Budget]:
    if isinstance(asked, str):
        return await _stored(uow, Budgets(), asked, source, "/budget")
    asked = asked.model_copy(update={"source": asked.source or source})
    spec = await _inside("budget", BudgetShape().read(ports, uow, asked, None))
    await _inside("budget", Budgets().validate(uow, spec, None))
    return Resource("", asked.name, 0, now, now, {}, spec)


async def _stored(
    uow: UnitOfWork, kind: ResourceKind[Spec], name: str, source: str | None, pointer: str
) -> Resource[Spec]:
    try:
        found = await kind.store(uow).get(name)
    except NotFound as error:
        raise Invalid(f"there is no {kind.noun} {name!r}", pointer) from error
    if source is not None:
        wanted = await source_named(uow, source, "/source")
        if getattr(found.spec, "source_id", None) != wanted.id:
            raise Invalid(f"the {kind.noun} is of another source", "/source")
    return found


T = TypeVar("T")


async def _inside(field: str, reading: Awaitable[T]) -> T:
    """Reads a document within the request; its errors point into the request."""
    try:
        return await reading
    except Invalid as error:
        raise Invalid(str(error), f"/{field}{error.pointer}") from error
    except RequestValidationError as error:
        errors = [{**one, "loc": ("body", field, *one["loc"][1:])} for one in error.errors()]
        raise RequestValidationError(errors, body={field: error.body}) from error
