"""Creating, changing and deleting a budget by forms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from service.api.budgets.budgets import BudgetShape
from service.api.dashboard.budgets.pages import PLACE
from service.api.dashboard.documents.controls import Control, ControlKind, Document, Parts, Rows
from service.api.dashboard.documents.pages import ResourcePages, editing_router
from service.api.dashboard.scope_controls import EACH, SCOPE, SEVERITIES, source_controls
from service.domain.values.periods import MOST_ROLLING_DAYS, PeriodKind, Weekday
from service.workflows.configuration.spend import Budgets
from service.workflows.ports.unit_of_work import UnitOfWork

_KINDS = (
    (PeriodKind.MONTHLY.value, "month"),
    (PeriodKind.WEEKLY.value, "week"),
    (PeriodKind.DAILY.value, "day"),
    (PeriodKind.QUARTERLY.value, "quarter"),
    (PeriodKind.YEARLY.value, "year"),
    (PeriodKind.ROLLING.value, "number of days in a row, rolling on"),
    (PeriodKind.CUSTOM.value, "time between two dates, once"),
)
_BY_MONTHS = "monthly quarterly yearly"
_WEEKDAYS = tuple((day.value, day.value.capitalize()) for day in Weekday)
_BASES = (("actual", "is spent"), ("forecast", "is forecast"))
_FRESH: Document = {
    "period": {"kind": "monthly", "timezone": "UTC", "anchor_day": 1},
    "thresholds": [
        {"basis": "actual", "percent": 80, "severity": "warning"},
        {"basis": "actual", "percent": 100, "severity": "critical"},
        {"basis": "forecast", "percent": 100, "severity": "warning"},
    ],
    "enabled": True,
}


def threshold_controls(_: Document) -> Sequence[Control]:
    return (
        Control("/percent", "Percent of it", ControlKind.NUMBER),
        Control("/amount", "or US dollars"),
        Control("/basis", "When so much", ControlKind.CHOICE, choices=_BASES),
        Control("/severity", "it is", ControlKind.CHOICE, choices=SEVERITIES),
    )


async def budget_parts(uow: UnitOfWork, document: Document) -> Parts:
    return (
        Control("/name", "Name", hint="As alerts call it.", is_required=True),
        Control("/amount", "Amount in US dollars", hint="Such as 5000.00", is_required=True),
        *await source_controls(uow, document),
        Control("/period/kind", "The amount is for a", ControlKind.CHOICE, choices=_KINDS),
        Control("/period/timezone", "Time zone", hint="Such as UTC or Europe/Berlin: when its days begin."),
        Control("/period/anchor_day", "Begins on day of the month", ControlKind.NUMBER, "1 to 31", only=_BY_MONTHS),
        Control("/period/week_start", "Begins on", ControlKind.CHOICE, choices=_WEEKDAYS, only="weekly"),
        Control("/period/days", "How many days", ControlKind.NUMBER, f"1 to {MOST_ROLLING_DAYS}", only="rolling"),
        Control("/period/start", "First day", hint="Such as 2026-11-01", only="custom"),
        Control("/period/end", "Ends before", hint="Such as 2026-12-01: that day is not in it.", only="custom"),
        Rows("/thresholds", "Thresholds: each fires once a period", "Threshold", threshold_controls),
        Control("/for_each", "The amount is for", ControlKind.CHOICE, "Each: also those that come later.", EACH),
        *SCOPE,
        Control("/labels", "Labels", ControlKind.PAIRS, "One a line, such as team=eng. Routes match them."),
        Control("/enabled", "Watch this budget", ControlKind.TICK),
    )  # fmt: skip


def _fresh(given: Mapping[str, str]) -> Document:
    """Returns a new budget's document; a link may begin it."""
    return {**_FRESH, **{name: given[name] for name in ("name", "amount", "source") if given.get(name)}}


PAGES = ResourcePages(
    path=PLACE,
    place="Budgets",
    kind=Budgets(),
    shape=BudgetShape(),
    parts=budget_parts,
    fresh=_fresh,
    leads_to=lambda budget: f"{PLACE}/{budget.id}",
)
router = editing_router(PAGES)
