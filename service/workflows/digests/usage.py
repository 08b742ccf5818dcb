"""Reading what was used, for a digest."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import datetime

from service.domain.digests.digest import DigestPlan, Figures, Occasion
from service.domain.digests.usage import Freshness, PaidFor, UsageReport, models_of, same_weekdays, usage_csv, utc_days
from service.domain.spend.best_known import Spend
from service.domain.spend.completeness import LACKING, NOTHING_KNOWN, state_of
from service.domain.spend.lines import CallerKind, LinePart, LineQuestion, line_name
from service.domain.spend.questions import SpendQuestion
from service.domain.spend.rows import Width
from service.domain.spend.tokens import TokenCounts
from service.domain.values.money import ZERO, Money
from service.domain.values.periods import Window
from service.domain.values.scopes import FINEST, Cell, Dimension, Scope, tells_spenders
from service.domain.values.utc import DAY
from service.workflows.ports.unit_of_work import UnitOfWork
from service.workflows.spend import MOST_ROWS, aligned, buckets, priority_use, so_far, unknown_days

MOST_LINES = 20


async def usage_of(
    uow: UnitOfWork, plan: DigestPlan, occasion: Occasion, figures: Figures, now: datetime
) -> UsageReport:
    """The usage of the plan's scope in a period. Kinds of cost are left out where too many rows are behind them.

    Of actors and products dollars alone are known: neither tokens nor kinds of cost.
    """
    source = await uow.sources.get(plan.source_id)
    spent, before = (_by_cell(plan.scope, each) for each in (figures.now, figures.before))
    tokens = await _tokens(uow, plan, occasion.window)
    days = utc_days(occasion.window, plan.timezone) or aligned(occasion.window, Width.DAY)
    callers = await _paid_for(uow, plan, days, LinePart.CALLER)
    return UsageReport(
        models=models_of(spent, before, tokens),
        weekdays=await _weekdays(uow, plan, occasion.window, now),
        days=days,
        paid_for=tuple((await _paid_for(uow, plan, days, LinePart.COST_TYPE)).values()),
        keyless=tuple(paid for id, paid in callers.items() if id != CallerKind.API_KEY),
        priority=await priority_use(uow, source, days.end - DAY),
        freshness=await _freshness(uow, plan, days, now),
        csv=usage_csv(occasion.window, spent, before, tokens, occasion.names),
    )


def _by_cell(scope: Scope, figures: Mapping[Cell, Spend]) -> dict[Cell, Spend]:
    """The spend that a scope holds, by workspace, model and key."""
    found: dict[Cell, Spend] = defaultdict(Spend)
    for cell, spend in figures.items():
        if scope.holds(cell):
            found[cell.at(FINEST)] += spend
    return dict(found)


async def _tokens(uow: UnitOfWork, plan: DigestPlan, window: Window) -> Mapping[Cell, TokenCounts] | None:
    """None where they are not known."""
    if tells_spenders(plan.scope.grain):
        return None
    return await uow.facts.tokens(_question(plan, aligned(window, Width.HOUR), Width.HOUR))


def _question(plan: DigestPlan, window: Window, width: Width) -> SpendQuestion:
    return SpendQuestion(plan.source_id, window, width, plan.scope, Dimension.ORGANISATION)


async def _weekdays(
    uow: UnitOfWork, plan: DigestPlan, window: Window, now: datetime
) -> tuple[tuple[Window, Money], ...]:
    """The spend of the same weekday before, of each one that is known in full: an unread day would be one of $0.00."""
    since = await uow.facts.billed_since(plan.source_id)
    found = []
    for day in same_weekdays(window, plan.timezone):
        if since is not None and day.start >= since and not await unknown_days(uow, plan.source_id, day, now):
            spend = await uow.facts.spend(plan.source_id, day, now, FINEST | plan.scope.grain)
            found.append((day, Spend.dollars(one for cell, one in spend.items() if plan.scope.holds(cell))))
    return tuple(found)


async def _paid_for(uow: UnitOfWork, plan: DigestPlan, days: Window, part: LinePart) -> dict[str, PaidFor]:
    """The dollars of each value of a part, the largest first; none where too many rows are behind or none tell."""
    if tells_spenders(plan.scope.grain):
        return {}
    if await uow.facts.rows_behind(_question(plan, days, Width.HOUR)) > MOST_ROWS:
        return {}
    found = await uow.facts.largest_lines(LineQuestion(_question(plan, days, Width.DAY), (part,)), MOST_LINES)
    return {
        line.ids[0]: PaidFor(line_name(part, line.ids[0], {}), line.figure.spend.total)
        for line in found.lines
        if line.figure.spend.total > ZERO
    }


async def _freshness(uow: UnitOfWork, plan: DigestPlan, days: Window, now: datetime) -> Freshness:
    known = await uow.completeness.knowledge(plan.source_id, days, Width.DAY)
    states = Counter(
        state_of(Width.DAY, day, known.get(day.start, NOTHING_KNOWN), now, spent=False)
        for day in buckets(days, Width.DAY)
    )
    return Freshness(
        billed_until=await uow.facts.billed_until(plan.source_id),
        estimated_until=so_far(await uow.facts.estimated_until(plan.source_id), now),
        lacking={state: states[state] for state in LACKING},
    )
