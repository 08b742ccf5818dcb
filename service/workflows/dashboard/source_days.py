"""How much is known of each of a source's newest days, and what was spent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from service.domain.spend.completeness import NOTHING_KNOWN, BucketState, state_of
from service.domain.spend.lateness import READ_DEEPLY
from service.domain.spend.questions import Figure, SpendQuestion
from service.domain.spend.rows import Width
from service.domain.values.periods import Window
from service.domain.values.scopes import EVERYTHING, Dimension
from service.domain.values.utc import DAY, day_start
from service.workflows.ports.unit_of_work import UnitOfWork
from service.workflows.spend import buckets


@dataclass(frozen=True, slots=True)
class SourceDay:
    """A UTC day of a source."""

    day: date
    state: BucketState
    figure: Figure


async def source_days(uow: UnitOfWork, source_id: str, now: datetime) -> list[SourceDay]:
    """Returns the days that polls read again, today included, the oldest first; none before the first known one."""
    window = Window(day_start(now) - READ_DEEPLY, day_start(now) + DAY)
    known = await uow.completeness.knowledge(source_id, window, Width.DAY)
    question = SpendQuestion(source_id, window, Width.DAY, EVERYTHING, Dimension.ORGANISATION)
    found = await uow.facts.figures_by_bucket(question, READ_DEEPLY.days + 1)
    days = []
    for day in buckets(Window(min(known, default=window.end), window.end), Width.DAY):
        figure = sum(found.figures.get(day.start, {}).values(), Figure())
        knowledge = known.get(day.start, NOTHING_KNOWN)
        state = state_of(Width.DAY, day, knowledge, now, spent=figure.is_something)
        days.append(SourceDay(day.start.date(), state, figure))
    return days
