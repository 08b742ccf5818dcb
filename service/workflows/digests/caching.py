"""Reading what caching saved, for a digest."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from service.domain.digests.caching import CacheCompared, whole_days
from service.domain.digests.digest import DigestPlan
from service.domain.digests.runs import DigestRun
from service.domain.sources.pricing import PriceBook
from service.domain.spend.caching import CacheFigure, InputDay, summed
from service.domain.spend.questions import SpendQuestion
from service.domain.spend.rows import Width
from service.domain.values.periods import Window
from service.domain.values.scopes import Dimension, tells_spenders
from service.workflows.ports.unit_of_work import PriceBooks, UnitOfWork
from service.workflows.spend import MOST_ROWS


async def caching_of(uow: UnitOfWork, books: PriceBooks, plan: DigestPlan, run: DigestRun) -> CacheCompared | None:
    """None for a period without a whole UTC day, for one with more stored rows than a question may add up, and for a
    scope of actors or products, whose tokens are not known.
    """
    now, before = whole_days(run.window), whole_days(run.before)
    if now is None or before is None or tells_spenders(plan.scope.grain):
        return None
    questions = [_question(plan, window) for window in (now, before)]
    if sum([await uow.facts.rows_behind(question) for question in questions]) > MOST_ROWS:
        return None
    prices = books([price.spec for price in await uow.prices.all()])
    read = [await uow.facts.input_days(question) for question in questions]
    return CacheCompared(*await asyncio.to_thread(lambda: [_total(days, prices) for days in read]))


def _question(plan: DigestPlan, window: Window) -> SpendQuestion:
    return SpendQuestion(plan.source_id, window, Width.HOUR, plan.scope, Dimension.ORGANISATION)


def _total(days: Sequence[InputDay], prices: PriceBook) -> CacheFigure:
    return summed(days, prices, lambda _: "").get("", CacheFigure())
