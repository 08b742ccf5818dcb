"""`/v1/forecasts`: what any scope will have spent when a period ends."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response
from pydantic import BaseModel, Field, StringConstraints

from service.api.http.deps import NowDep, UowDep, viewer
from service.api.http.fields import Line, Reference, Usd
from service.api.http.responses import respond
from service.api.spend.periods import Boundary, PeriodIn, PeriodOut, read_period, show_period
from service.api.spend.scopes import Part, read_parts
from service.domain.forecasts.forecast import Forecast, ForecastMethod, Missing, NoForecast
from service.domain.spend.best_known import Basis
from service.domain.values.errors import Invalid
from service.domain.values.money import Money
from service.domain.values.periods import PeriodKind, PeriodSpec, Phase, Weekday, validate
from service.workflows.configuration.spend import source_named
from service.workflows.spend import forecast

router = APIRouter(prefix="/v1/forecasts", tags=["Spend"])

# FastAPI takes no value of our own in a query.
Amount = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,11}(\.[0-9]{1,12})?$")]


class ForecastPeriod(StrEnum):
    """The kinds of period that have an end."""

    DAILY = PeriodKind.DAILY
    WEEKLY = PeriodKind.WEEKLY
    MONTHLY = PeriodKind.MONTHLY
    QUARTERLY = PeriodKind.QUARTERLY
    YEARLY = PeriodKind.YEARLY
    CUSTOM = PeriodKind.CUSTOM


class RangeOut(BaseModel):
    """Spend at the end of the period: `low` to `high` is the 80 % range, `mid` the median."""

    low: Usd
    mid: Usd
    high: Usd


class ForecastReason(StrEnum):
    """Why nothing is forecast: nothing spent in ten weeks; too few complete days; a rolling period; an end more than
    400 days away; a period that is over.
    """

    NO_SPEND = Missing.NO_SPEND
    SHORT_HISTORY = Missing.SHORT_HISTORY
    NO_END = Missing.NO_END
    TOO_FAR = Missing.TOO_FAR
    PERIOD_OVER = "period_over"


class ForecastOut(BaseModel):
    """Dollars at the end of the period that runs. Without a forecast, `forecast_reason` says why."""

    source: str
    scope: list[str] = Field(examples=[["workspace:wrkspc_01"]])
    name: str
    period: PeriodOut
    spent: Usd
    basis: Basis
    low: Usd | None
    mid: Usd | None
    high: Usd | None
    method: ForecastMethod | None
    history_days: int = Field(description="complete days that were learnt from")
    quiet_days: list[date] = Field(description="public holidays to come of which less is expected")
    forecast_reason: ForecastReason | None
    amount: Usd | None
    exhausted_at: datetime | None = Field(description="when `amount` will be used up; null where not, or already")


def show_range(made: Forecast | NoForecast | None) -> RangeOut | None:
    if not isinstance(made, Forecast):
        return None
    return RangeOut(low=str(made.low), mid=str(made.mid), high=str(made.high))


def show_reason(made: Forecast | NoForecast | None) -> ForecastReason | None:
    if isinstance(made, Forecast):
        return None
    return ForecastReason(made.reason) if made else ForecastReason.PERIOD_OVER


def show_figures(made: Forecast | NoForecast, amount: Money | None) -> dict[str, object]:
    shown = show_range(made)
    if shown is None or isinstance(made, NoForecast):
        return dict.fromkeys(("low", "mid", "high", "method", "exhausted_at"))
    used_up = made.exhausted_at(amount) if amount is not None else None
    return shown.model_dump() | {"method": made.method, "exhausted_at": used_up}


class ForecastQuestion:
    """The query: which spend, and which period."""

    def __init__(
        self,
        scope: Annotated[
            list[Part],
            Query(max_length=100, description="`org`, or `workspace:`, `model:`, `api_key:` with an id or name"),
        ] = ["org"],  # noqa: B006 - FastAPI copies it
        source: Annotated[Reference | None, Query(description="an id or a name")] = None,
        period: ForecastPeriod = ForecastPeriod.MONTHLY,
        timezone: Annotated[Line, Query(examples=["Europe/Berlin"])] = "UTC",
        week_start: Weekday = Weekday.MONDAY,
        anchor_day: Annotated[int, Query(ge=1, le=31)] = 1,
        start: Annotated[Boundary | None, Query(description="of `custom`: a time, or a date in the zone")] = None,
        end: Annotated[Boundary | None, Query(description="of `custom`, not included")] = None,
    ) -> None:
        self.scope, self.source = scope, source
        self.period = PeriodIn.model_construct(
            kind=PeriodKind(period),
            timezone=timezone,
            week_start=week_start,
            anchor_day=anchor_day,
            start=start,
            end=end,
        )

    def spec(self) -> PeriodSpec:
        """Raises Invalid, pointing at the parameter."""
        try:
            spec = read_period(self.period)
            validate(spec)
        except Invalid as error:
            raise Invalid(str(error), error.pointer.removeprefix("/period")) from error
        return spec


@router.get("", summary="Where spend is heading", response_model=ForecastOut, dependencies=[viewer])
async def read_forecast(
    uow: UowDep,
    now: NowDep,
    question: Annotated[ForecastQuestion, Depends()],
    amount: Annotated[Amount | None, Query(description="the dollars that `exhausted_at` is asked of")] = None,
) -> Response:
    spec = question.spec()
    source = await source_named(uow, question.source, "/source")
    answer = await forecast(uow, source.id, await read_parts(uow, source.id, question.scope), spec, now)
    made = answer.forecast
    return respond(
        ForecastOut.model_validate(
            {
                "source": source.name,
                "scope": question.scope,
                "name": answer.scope_name,
                "period": show_period(answer.period, Phase.OPEN),
                "spent": str(answer.spent.total),
                "basis": answer.spent.basis,
                "history_days": made.history_days,
                "quiet_days": made.quiet_days if isinstance(made, Forecast) else (),
                "forecast_reason": show_reason(made),
                "amount": amount,
                **show_figures(made, Money.of(amount) if amount is not None else None),
            }
        )
    )
