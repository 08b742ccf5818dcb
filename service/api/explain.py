"""`/v1/explanations`: why a rule or a budget fired or did not fire at an instant."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response
from pydantic import BaseModel, Field

from service.api.alerts.evidence.rule import InputOut, show_inputs
from service.api.http.deps import NowDep, UowDep, viewer
from service.api.http.fields import InstantOrDate, Reference, Usd
from service.api.http.responses import respond
from service.api.rules.params import KindName
from service.api.rules.preview import GateOut, show_gate
from service.api.spend.periods import PeriodOut, show_period
from service.api.spend.scopes import Part, read_scope_key
from service.domain.alerts.alert import AlertState, Reason
from service.domain.explain.explanation import AlertThen, Explanation
from service.domain.explain.remembered_verdicts import KeptThen
from service.domain.spend.lateness import CLOSING_FOR
from service.domain.values.errors import Invalid
from service.domain.values.money import Money
from service.domain.values.periods import phase
from service.workflows.explain.budgets import ask_budget, explain_budget_at
from service.workflows.explain.explain import Asked, Explained, ask_rule, explain_rule_at
from service.workflows.ports.unit_of_work import UnitOfWork

router = APIRouter(prefix="/v1/explanations", tags=["Alerts"])

Asking = Annotated[Reference | None, Query(description="an id or a name; also of what was deleted since")]


class RuleThenOut(BaseModel):
    """The rule as it was at the instant; `kind` and `version` are null where it did not exist."""

    id: str
    name: str
    kind: KindName | None
    version: int | None


class BudgetThenOut(BaseModel):
    """The budget as it was at the instant; `version` is null where it did not exist."""

    id: str
    name: str
    version: int | None


class AlertThenOut(BaseModel):
    """The scope's alert that was open at the instant, and what it was opened for."""

    id: str
    state: AlertState
    opened_at: datetime
    reason: Reason
    cause: str


class ExplanationOut(BaseModel):
    """One scope; of a budget, one threshold in one period. Amounts are null where they are not known."""

    scope: str = Field(examples=["workspace:wrkspc_01"])
    name: str
    rings: bool = Field(description="an alert opened, or would have")
    outcome: str = Field(
        description="`rang`, `would_ring`, `amends` (an alert is open already), or the gate that stopped it",
        examples=["min_amount"],
    )
    conclusion: str = Field(description="one sentence")
    cause: str = Field(description="what the numbers say, one sentence")
    unit: str = Field(examples=["US dollars a day"])
    actual: Usd | None
    expected: Usd | None = Field(description="of a budget: the threshold's level")
    excess: Usd | None
    severity_reason: str = Field(
        description="why it is as severe as it is; empty where nothing is to be said of it",
        examples=["critical because two hours in a row confirm it"],
    )
    inputs: list[InputOut]
    gates: list[GateOut] = Field(description="in the order of deciding: the first that did not pass stopped it")
    alert: AlertThenOut | None
    threshold: str | None = Field(examples=["actual:80%"])
    period: PeriodOut | None


class StoredVerdictOut(BaseModel):
    """A verdict of the rule that was kept: it held from `first_at` to `last_at`.

    Its figures are those of `figures_at`, never of later than the instant. Where only later ones are kept, there are
    none; where an alert reported them, they are the alert's, without gates.
    """

    scope: str
    outcome: str = Field(description="`rang`, `muted`, `part_of_another`, or the gate that stopped it")
    day: date
    first_at: datetime
    last_at: datetime
    rule_version: int
    figures_at: datetime | None
    actual: Usd | None
    expected: Usd | None
    cause: str
    inputs: list[InputOut]
    gates: list[GateOut]


class ExplanationsOut(BaseModel):
    """Items that fire come first, then by excess; at most 500 items."""

    at: datetime
    rule: RuleThenOut | None
    budget: BudgetThenOut | None
    assumed_share: float = Field(
        description="0 to 1: dollars that count as known then although they were read much later"
    )
    items: list[ExplanationOut]
    stored: list[StoredVerdictOut]
    next: None = None


def show_explanation(one: Explanation, at: datetime) -> ExplanationOut:
    return ExplanationOut(
        scope=str(one.scope),
        name=one.name,
        rings=one.outcome.fires,
        outcome=one.outcome.name,
        conclusion=one.outcome.conclusion,
        cause=one.cause,
        unit=one.unit,
        actual=_usd(one.actual),
        expected=_usd(one.expected),
        excess=_usd(one.excess),
        severity_reason=one.severity_reason,
        inputs=show_inputs(one.inputs),
        gates=[show_gate(gate) for gate in one.gates],
        alert=_show_alert(one.alert),
        threshold=one.threshold,
        period=show_period(one.period, phase(one.period, at, CLOSING_FOR)) if one.period else None,
    )


def _usd(amount: Money | None) -> str | None:
    return None if amount is None else str(amount)


def _show_alert(then: AlertThen | None) -> AlertThenOut | None:
    if then is None:
        return None
    alert = then.alert
    return AlertThenOut(id=alert.id, state=alert.state, opened_at=alert.opened_at, reason=then.reason, cause=then.cause)


def show_stored(kept: KeptThen) -> StoredVerdictOut:
    verdict, is_known = kept.verdict, kept.figures_at is not None
    return StoredVerdictOut(
        scope=str(verdict.scope),
        outcome=verdict.outcome,
        day=verdict.day,
        first_at=verdict.first_at,
        last_at=verdict.last_at,
        rule_version=verdict.rule_version,
        figures_at=kept.figures_at,
        actual=str(verdict.actual) if is_known else None,
        expected=str(verdict.expected) if is_known else None,
        cause=verdict.cause if is_known else "",
        inputs=show_inputs(verdict.inputs if is_known else ()),
        gates=[show_gate(gate) for gate in verdict.gates if is_known],
    )


class Question:
    """The query: a rule or a budget, a scope, and an instant."""

    def __init__(
        self,
        rule: Asking = None,
        budget: Asking = None,
        scope: Annotated[
            Part | None, Query(description="`org`, or `workspace:`, `model:`, `api_key:` with an id or name; else all")
        ] = None,
        at: Annotated[InstantOrDate | None, Query(description="an instant, now by default")] = None,
    ) -> None:
        self.rule, self.budget, self.scope, self.at = rule, budget, scope, at


@router.get(
    "",
    summary="Why something fired or did not",
    response_model=ExplanationsOut,
    responses={404: {}},
    dependencies=[viewer],
)
async def explain(uow: UowDep, now: NowDep, asking: Annotated[Question, Depends()]) -> Response:
    if (asking.rule is None) == (asking.budget is None):
        raise Invalid("name either a rule or a budget", "/rule")
    at = asking.at or now
    if asking.rule is not None:
        return respond(await _of_rule(uow, asking.rule, asking.scope, at, now))
    assert asking.budget is not None
    return respond(await _of_budget(uow, asking.budget, asking.scope, at, now))


async def _of_rule(uow: UnitOfWork, reference: str, scope: str | None, at: datetime, now: datetime) -> ExplanationsOut:
    asked = await ask_rule(uow, reference, at, now)
    found = await explain_rule_at(uow, asked, await read_scope_key(uow, asked.source_id, scope))
    rule = RuleThenOut(**_identity(asked), kind=asked.resource.spec.kind if asked.resource else None)
    return _answer(found, at, rule=rule)


async def _of_budget(
    uow: UnitOfWork, reference: str, scope: str | None, at: datetime, now: datetime
) -> ExplanationsOut:
    asked = await ask_budget(uow, reference, at, now)
    found = await explain_budget_at(uow, asked, await read_scope_key(uow, asked.source_id, scope))
    return _answer(found, at, budget=BudgetThenOut(**_identity(asked)))


def _identity(asked: Asked[Any]) -> dict[str, Any]:
    then = asked.resource
    return {
        "id": asked.lifetime.id,
        "name": then.name if then else asked.lifetime.name,
        "version": then.version if then else None,
    }


def _answer(
    found: Explained, at: datetime, rule: RuleThenOut | None = None, budget: BudgetThenOut | None = None
) -> ExplanationsOut:
    return ExplanationsOut(
        at=at,
        rule=rule,
        budget=budget,
        assumed_share=round(found.assumed_share, 4),
        items=[show_explanation(one, at) for one in found.items],
        stored=[show_stored(verdict) for verdict in found.stored],
    )
