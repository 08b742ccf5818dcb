"""The band that a rule's spend was judged by, of an alert that does not keep it: its kind is asked again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from service.domain.alerts.alert import AlertEvent
from service.domain.alerts.evidence import KeptBucket, RuleEvidence
from service.domain.rules.evaluation import days_needed, grain_needed, hours_needed
from service.domain.rules.feedback import holding
from service.domain.rules.registry import kind_of
from service.domain.rules.rule import DOLLARS_AN_HOUR, Rule
from service.domain.rules.shown import kept_bucket
from service.domain.rules.view import SpendView
from service.domain.sources.locality import NOWHERE
from service.workflows.ports.unit_of_work import UnitOfWork


async def band_of(uow: UnitOfWork, event: AlertEvent, evidence: RuleEvidence) -> Sequence[KeptBucket]:
    """The days or hours around an alert; empty where its kind has no band, or nothing is known of the rule any more."""
    at = await judged_at(uow, event)
    stored = await uow.rules.as_of(evidence.rule_id, at)
    band = kind_of(stored.spec).band if stored is not None else None
    if stored is None or band is None:
        return ()
    by_hour = evidence.unit == DOLLARS_AN_HOUR
    view = await _view(uow, event.alert.source_id, stored.spec, at, hours_needed(stored.spec) if by_hour else 0)
    feedback = holding(await uow.feedback.of_rules([stored.id]), stored.id, at)
    key = evidence.about or event.alert.scope
    return [kept_bucket(one) for one in band(view, stored.spec, feedback, [key]).get(key, ())]


async def judged_at(uow: UnitOfWork, event: AlertEvent) -> datetime:
    """When the evidence was found: later events may have been about other things."""
    at = event.at
    for one in reversed(await uow.alerts.events(event.alert.id)):
        if one.alert.version <= event.alert.version:
            if one.alert.evidence != event.alert.evidence:
                break
            at = one.at
    return at


async def _view(uow: UnitOfWork, source_id: str, rule: Rule[object], at: datetime, hours: int) -> SpendView:
    """The view that the rule judged by, without names."""
    grain = grain_needed([rule])
    figures = await uow.facts.figures_at(source_id, at, days=days_needed(rule), hours=hours, grain=grain)
    announced = await uow.planned.all_as_of(at)
    source = await uow.sources.as_of(source_id, at)
    return SpendView(
        source_id=source_id,
        as_of=figures.as_of,
        days=figures.days,
        cells=figures.cells,
        unknown_days=figures.unknown_days,
        settled_until=figures.settled_until,
        names={},
        planned=tuple(one.spec for one in announced if one.spec.source_id == source_id),
        hours=figures.hours,
        assumed_share=figures.assumed_share,
        locality=NOWHERE if source is None else source.spec.locality,
    )
