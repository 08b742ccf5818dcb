"""A budget's alert: a threshold that spend, or the forecast of it, has crossed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from service.domain.alerts.evidence.evidence import Evidence, OriginKind, OriginRef, Trend, direction, material_trend
from service.domain.forecasts.forecast import ForecastMethod
from service.domain.spend.best_known import Basis
from service.domain.values.money import Money
from service.domain.values.periods import Window


@dataclass(frozen=True, slots=True)
class ForecastEvidence:
    """The forecast of a period's end: US dollars, `low` to `high` is the 80 % range.

    `history_days` complete days were learnt from. `exhausted_at` is when the amount is used up, None where it is
    not within the period. `released`: the alert's threshold was crossed, and the forecast has clearly left it since.
    `quiet_days`: public holidays to come of which less is expected.
    """

    low: Money
    mid: Money
    high: Money
    method: ForecastMethod
    history_days: int
    exhausted_at: datetime | None
    released: bool = False
    quiet_days: tuple[date, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetEvidence(Evidence):
    """A budget's spend when its alert last changed.

    `threshold` is the highest crossed one's key, `level` its dollars; `late` says the crossing was first seen after
    the period's end. `forecast` is there where the budget has a threshold on forecast and one could be made.
    `fired_on` is the spend at the crossing, where the settled bill has contradicted it since.
    `billed_days` are the UTC days whose bill made a late crossing, read on `billed_on`; empty and None where it was not
    late, or no bill that is known of.
    `of_everything`: the budget is of the whole organisation, and its messages need not name the scope.
    """

    kind: Literal["budget"] = "budget"
    budget_id: str
    budget_name: str
    scope_name: str
    amount: Money
    spent: Money
    basis: Basis
    threshold: str
    level: Money
    period: Window
    period_label: str
    timezone: str
    late: bool = False
    unpriced_tokens: int = 0
    terms: str = ""
    forecast: ForecastEvidence | None = None
    fired_on: Money | None = None
    of_everything: bool = False
    billed_days: tuple[date, ...] = ()
    billed_on: date | None = None

    def spoken(self, say: Callable[[str], str]) -> BudgetEvidence:
        return replace(self, scope_name=say(self.scope_name))

    @property
    def by_forecast(self) -> bool:
        """Whether the alert is about where spend is heading, and not about what is spent."""
        return self.threshold.startswith("forecast:")

    @property
    def percent(self) -> Decimal:
        """Spend as a percentage of the budget; 0 for a budget of $0."""
        return self.spent.ratio_to(self.amount) * 100 if self.amount else Decimal(0)

    @property
    def origin(self) -> OriginRef:
        return OriginRef(OriginKind.BUDGET, self.budget_id, self.budget_name)

    @property
    def labels(self) -> Mapping[str, str]:
        return {"basis": "forecast" if self.by_forecast else "actual"}

    @property
    def figure(self) -> Money:
        """Spend, or the forecast where the alert is about it."""
        return self.forecast.mid if self.forecast and self.by_forecast else self.spent

    @property
    def is_calm(self) -> bool:
        """Whether spend, or the forecast of it, is below the alert's level again."""
        return self.forecast is not None and self.forecast.released if self.by_forecast else self.spent < self.level

    @property
    def measured(self) -> Money:
        return self.spent

    @property
    def whole(self) -> Money:
        return self.spent

    @property
    def at_detection(self) -> Money:
        return self.spent

    def says_more_than(self, shown: Evidence) -> bool:
        """A higher level, or one of other terms. After an edit it may be lower: then nobody is called."""
        if not isinstance(shown, BudgetEvidence):
            return True
        return self.level > shown.level or self.terms != shown.terms

    def inhibits(self, other: Evidence) -> bool:
        """Spend that has crossed a threshold keeps quiet the forecast of the same budget and period."""
        if not isinstance(other, BudgetEvidence) or self.by_forecast or not other.by_forecast:
            return False
        return (self.budget_id, self.period) == (other.budget_id, other.period)

    def moved_since(self, shown: Evidence) -> Trend | None:
        """A material change, or one back over the level."""
        if not isinstance(shown, BudgetEvidence):
            return None
        if shown.by_forecast:
            return self._forecast_moved_since(shown)
        before, after = shown.spent, self.spent
        fell_back = (before >= self.level) != (after >= self.level)
        return direction(before, after) if fell_back else material_trend(before, after)

    def _forecast_moved_since(self, shown: BudgetEvidence) -> Trend | None:
        if shown.forecast is None or self.forecast is None:
            return None
        before, after = shown.forecast.mid, self.forecast.mid
        fell_back = shown.forecast.released != self.forecast.released
        return direction(before, after) if fell_back else material_trend(before, after)

    def announced(self, at: datetime, shown: Evidence | None = None) -> BudgetEvidence:
        return self if self.billed_days or shown is None else self._as_late_as(shown)

    def edited_in(self, shown: Evidence) -> BudgetEvidence:
        return self._as_late_as(shown)

    def _as_late_as(self, shown: Evidence) -> BudgetEvidence:
        """The evidence of the same crossing: that the period is over by now does not make it late."""
        if not isinstance(shown, BudgetEvidence) or shown.threshold != self.threshold:
            return self
        return replace(self, late=shown.late, billed_days=shown.billed_days, billed_on=shown.billed_on)

    def noted_beside(self, shown: Evidence) -> BudgetEvidence | None:
        """A forecast's alert keeps its last forecast while none can be made.

        Where spend has not moved, the forecast beside it is not worth a note, though it moves with every hour.
        """
        if not isinstance(shown, BudgetEvidence):
            return self
        lost = shown.by_forecast and shown.forecast is not None and self.forecast is None
        beside = self.edited_in(shown)
        if not self.by_forecast and replace(beside, forecast=shown.forecast) == shown:
            return shown
        return None if lost else beside
