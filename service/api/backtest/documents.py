"""Backtests in answers."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, Field

from service.api.http.fields import Usd
from service.domain.backtest.backtest import Backtest, BacktestState, BacktestTally, Firing, Result, SweepRow
from service.domain.budgets.budget import Budget
from service.domain.values.money import Money
from service.domain.values.severity import Severity


class SubjectOut(BaseModel):
    """The rule or budget as it was when the backtest was asked for; `id` is null where it is not stored."""

    kind: str = Field(description="a rule's kind, or `budget`", examples=["change"])
    id: str | None
    name: str
    version: int | None


class FiringOut(BaseModel):
    """A message that would have been sent. `day` is the UTC day it is about, `at` the end of the one that found it."""

    at: datetime
    day: date
    scope: str = Field(examples=["workspace:wrkspc_01"])
    name: str
    severity: Severity
    raised: bool = Field(description="an open alert got more severe; false: an alert opened")
    actual: Usd
    expected: Usd = Field(description="of a budget: the threshold's level")
    excess: Usd
    unit: str
    cause: str
    late: bool = Field(description="found more than a day after its day had ended, since it was known late")
    impact: Usd | None = Field(description="excess of the whole alert; null where it is not added up")
    resolved_at: datetime | None = Field(description="null: still open at the end")
    threshold: str | None = Field(description="of a budget")
    severity_reason: str = Field(description="why it would be as severe; empty where nothing is to be said")


class TallyOut(BaseModel):
    """`alerts` opened; `firings` also count those that got more severe. `dollars` is the alerts' impact."""

    alerts: int
    firings: int
    late: int
    alerts_per_month: float
    dollars: Usd | None = Field(description="null for budgets, whose excess is not added up")


class SweepOut(TallyOut):
    """The same replay at another setting."""

    setting: str = Field(examples=["min_percent 45"])
    configured: bool = Field(description="the subject's own setting")


class ScopeTallyOut(BaseModel):
    scope: str
    name: str
    alerts: int
    firings: int


class BacktestOut(BaseModel):
    """`since` and `until` are the first and the last UTC day replayed. Its results are null until it is done."""

    id: str
    state: BacktestState
    progress: float = Field(ge=0, le=1)
    source_id: str
    subject: SubjectOut
    request: dict[str, Any]
    since: date
    until: date
    created_at: datetime
    created_by: str
    started_at: datetime | None
    finished_at: datetime | None
    error: str | None


class BacktestResultOut(BacktestOut):
    ahead: int | None = Field(description="backtests that a worker takes before this one; null once it has begun")
    steps: int | None
    tally: TallyOut | None
    firings: list[FiringOut] | None = Field(description="the newest 500, oldest first; `tally` counts all")
    by_scope: list[ScopeTallyOut] | None
    assumed_share: float | None = Field(description="0..1: dollars that were backfilled, known by assumption")
    sweep: list[SweepOut] | None
    assumptions: list[str] | None


def show_backtest(backtest: Backtest) -> BacktestOut:
    return BacktestOut(**_head(backtest))


def show_result(backtest: Backtest, ahead: int) -> BacktestResultOut:
    found, is_budget = backtest.result, isinstance(backtest.subject.spec, Budget)
    if found is None:
        nothing = dict.fromkeys(BacktestResultOut.model_fields.keys() - BacktestOut.model_fields.keys())
        waits = {"ahead": ahead} if backtest.state is BacktestState.QUEUED else {}
        return BacktestResultOut(**_head(backtest), **nothing | waits)
    return BacktestResultOut(**_head(backtest), ahead=None, **_found(found, is_budget=is_budget))


def _head(backtest: Backtest) -> dict[str, Any]:
    subject = backtest.subject
    return {
        "id": backtest.id,
        "state": backtest.state,
        "progress": round(backtest.progress, 3),
        "source_id": backtest.source_id,
        "subject": SubjectOut(
            kind="budget" if isinstance(subject.spec, Budget) else subject.spec.kind,
            id=subject.id or None,
            name=subject.name,
            version=subject.version if subject.id else None,
        ),
        "request": dict(backtest.request),
        "since": backtest.first_day,
        "until": backtest.last_day,
        "created_at": backtest.created_at,
        "created_by": backtest.created_by,
        "started_at": backtest.started_at,
        "finished_at": backtest.finished_at,
        "error": backtest.error,
    }


def _found(found: Result, *, is_budget: bool) -> dict[str, Any]:
    return {
        "steps": found.steps,
        "tally": TallyOut(**_tally(found.tally, is_budget=is_budget)),
        "firings": [_firing(firing) for firing in found.firings],
        "by_scope": [
            ScopeTallyOut(scope=str(one.scope), name=one.name, alerts=one.alerts, firings=one.firings)
            for one in found.by_scope
        ],
        "assumed_share": found.assumed_share,
        "sweep": [_swept(row, is_budget=is_budget) for row in found.sweep],
        "assumptions": list(found.assumptions),
    }


def _swept(row: SweepRow, *, is_budget: bool) -> SweepOut:
    return SweepOut(setting=row.setting, configured=row.configured, **_tally(row.tally, is_budget=is_budget))


def _tally(tally: BacktestTally, *, is_budget: bool) -> dict[str, Any]:
    return {
        "alerts": tally.alerts,
        "firings": tally.firings,
        "late": tally.late,
        "alerts_per_month": tally.alerts_per_month,
        "dollars": None if is_budget else str(tally.dollars),
    }


def _firing(firing: Firing) -> FiringOut:
    return FiringOut(
        at=firing.at,
        day=firing.day,
        scope=str(firing.scope),
        name=firing.name,
        severity=firing.severity,
        raised=firing.raised,
        actual=str(firing.actual),
        expected=str(firing.expected),
        excess=str(firing.excess),
        unit=firing.unit,
        cause=firing.cause,
        severity_reason=firing.severity_reason,
        late=firing.late,
        impact=_usd(firing.impact),
        resolved_at=firing.resolved_at,
        threshold=firing.threshold,
    )


def _usd(amount: Money | None) -> str | None:
    return None if amount is None else str(amount)
