"""Why a rule or budget fired at an instant, or did not: evaluated again with what was known then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Generic, TypeVar

from service.domain.alerts.alert import Alert, AlertEvent
from service.domain.alerts.evidence import Evidence, RuleEvidence, StaleEvidence
from service.domain.explain.explanation import AlertThen, Explanation, decide, gone, ranked, then
from service.domain.explain.remembered_verdicts import KeptThen, RememberedVerdicts, in_force
from service.domain.explain.rules import RuleCase, explain_rule, unseen
from service.domain.rules.evaluation import view_for
from service.domain.rules.feedback import GivenFeedback, holding
from service.domain.rules.memory import Episode, Episodes, KeptVerdict, Past, episodes_at, held_since
from service.domain.rules.registry import kind_of
from service.domain.rules.rule import Rule
from service.domain.rules.view import SpendView
from service.domain.sources.source import Source
from service.domain.values.errors import Invalid, NotFound
from service.domain.values.plain_text import minute
from service.domain.values.resources import Lifetime, Resource
from service.domain.values.scopes import ORGANISATION, ScopeKey
from service.domain.values.utc import hour_start
from service.workflows.ports.alerts import AlertFilter
from service.workflows.ports.unit_of_work import UnitOfWork
from service.workflows.rules.ruling import RuleVerdicts, evaluate_rule, without_told
from service.workflows.rules.view import load_view, load_view_at

MOST_ITEMS = 500
_PAGE = 500

Spec = TypeVar("Spec")


@dataclass(frozen=True, slots=True)
class Asked(Generic[Spec]):
    """The subject of an explanation as it was at the instant: None where it did not exist."""

    at: datetime
    now: datetime
    lifetime: Lifetime
    source_id: str
    resource: Resource[Spec] | None
    source: Resource[Source] | None

    @property
    def is_past(self) -> bool:
        return self.at < self.now


@dataclass(frozen=True, slots=True)
class Explained:
    """The answers, those that fire first, 500 at most; and the verdicts that were kept of the instant.

    `assumed_share` (0..1) of the dollars is assumed to have been known then: they were read much later.
    """

    items: tuple[Explanation, ...]
    stored: tuple[KeptThen, ...] = ()
    assumed_share: float = 0.0


async def ask_rule(uow: UnitOfWork, reference: str, at: datetime, now: datetime) -> Asked[Rule[object]]:
    """A rule by id or name, also a deleted one. Raises NotFound, and Invalid for an instant without knowledge."""
    lifetime = await uow.rules.lifetime(reference)
    first = await uow.rules.as_of(lifetime.id, lifetime.since)
    if first is None:
        raise NotFound(f"the rule {lifetime.name!r} was deleted the moment it was made")
    source = await source_at(uow, first.spec.source_id, at, now)
    return Asked(at, now, lifetime, first.spec.source_id, await uow.rules.as_of(lifetime.id, at), source)


async def source_at(uow: UnitOfWork, source_id: str, at: datetime, now: datetime) -> Resource[Source] | None:
    """The source as it was configured then. Raises Invalid."""
    since = (await uow.sources.lifetime(source_id)).since
    if at > now:
        raise Invalid(f"lies in the future: it is {minute(now)}", "/at")
    if at < since:
        raise Invalid(f"nothing is known of it: the source is read since {minute(since)}", "/at")
    return await uow.sources.as_of(source_id, at)


def absent(asked: Asked[Spec], noun: str) -> Explained:
    """The explanation of a subject that did not exist at the instant."""
    gates = (gone(asked.at, asked.lifetime.since, asked.lifetime.until, noun),)
    outcome = decide(gates, "", past=asked.is_past, fired=None)
    return Explained((Explanation(ORGANISATION, asked.lifetime.name, outcome, gates),))


async def explain_rule_at(uow: UnitOfWork, asked: Asked[Rule[object]], scope: ScopeKey | None) -> Explained:
    """Every scope of a rule, or one."""
    if asked.resource is None or asked.source is None:
        return absent(asked, "rule")
    case, remembered = await _case(uow, asked, asked.resource, asked.source)
    answers = [answer for answer in explain_rule(case) if scope in (None, answer.scope)]
    if not answers:
        answers = [unseen(case, scope or ORGANISATION)]
    return Explained(
        items=tuple(ranked(answers)[:MOST_ITEMS]),
        stored=tuple(remembered.stored(scope)),
        assumed_share=case.view.assumed_share,
    )


async def _case(
    uow: UnitOfWork,
    asked: Asked[Rule[object]],
    rule: Resource[Rule[object]],
    source: Resource[Source],
) -> tuple[RuleCase, RememberedVerdicts]:
    polled, at = not kind_of(rule.spec).judges_spend, asked.at
    view = view_for(rule.spec, await _view(uow, asked, rule, source))
    where = AlertFilter(source_ids=(source.id,)) if polled else AlertFilter(rule_ids=(rule.id,))
    alerts = await alerts_at(uow, where, StaleEvidence if polled else RuleEvidence, at)
    latest = {events[-1].alert.scope: events[-1].alert for events in alerts.before}
    given = await uow.feedback.of_rules([rule.id])
    found = await uow.verdicts.seen(rule.id, hour_start(at), at)
    kept = [verdict for verdict in found if verdict.last_at >= at]
    seen = in_force(found, at, await _moved_at(uow, asked, rule, given))
    remembered = RememberedVerdicts.of(at, seen, [*alerts.open(), *alerts.fired()])
    episodes = await _episodes(uow, asked, rule, view, kept, latest)
    feedback = holding(given, rule.id, at)
    replayed = not (polled and asked.is_past)
    judged = evaluate_rule(view, rule.spec, feedback, held_since(episodes)) if replayed else RuleVerdicts({}, {})
    past = Past(episodes, latest, frozenset(judged.failed))
    verdicts = without_told(view, rule.spec, feedback, judged.verdicts, past)
    decided = remembered.decided(verdicts, rule.spec, feedback, held_since(episodes)) if asked.is_past else {}
    case = RuleCase(
        rule=rule,
        source_enabled=source.spec.enabled,
        view=view,
        verdicts={**verdicts, **decided},
        failed=judged.failed,
        past=past,
        feedback=feedback,
        open_alerts={one.alert.scope: one for one in alerts.open()},
        fired={one.alert.scope: one for one in alerts.fired()},
        remembered=frozenset(held_since(episodes)),
        is_past=asked.is_past,
        unread=_unread(view, polled=polled, replayed=replayed),
        rejudged={scope: verdict for scope, verdict in verdicts.items() if scope in decided},
    )
    return case, remembered


async def _moved_at(
    uow: UnitOfWork, asked: Asked[Rule[object]], rule: Resource[Rule[object]], given: Sequence[GivenFeedback]
) -> datetime:
    """When the rule was last evaluated again: for a new hour, a reading, or a change of what it depends on."""
    at, hour = asked.at, hour_start(asked.at)
    if await uow.planned.all_as_of(hour) != await uow.planned.all_as_of(at):
        return at
    answered = [moment for one in given for moment in (one.feedback.given_at, one.withdrawn_at)]
    moments = [rule.updated_at, await uow.polls.last_finished(asked.source_id, at), *answered]
    return max([hour, *(moment for moment in moments if moment is not None and moment <= at)])


async def _view(
    uow: UnitOfWork, asked: Asked[Rule[object]], rule: Resource[Rule[object]], source: Resource[Source]
) -> SpendView:
    if not asked.is_past:
        return await load_view(uow, source, [rule], asked.at)
    view = await load_view_at(uow, source, [rule], asked.at)
    announced = await uow.planned.all_as_of(asked.at)
    return replace(view, planned=tuple(one.spec for one in announced if one.spec.source_id == source.id))


async def _episodes(
    uow: UnitOfWork,
    asked: Asked[Rule[object]],
    rule: Resource[Rule[object]],
    view: SpendView,
    kept: Sequence[KeptVerdict],
    latest: Mapping[ScopeKey, Alert],
) -> Episodes:
    if not kind_of(rule.spec).judges_spend:
        began = view.polling.failing_since if view.polling else None
        return {ORGANISATION: Episode(began)} if began else {}
    running = {key.scope: episode for key, episode in (await uow.episodes.of([rule.id])).items()}
    return episodes_at(asked.at, rule.spec.gates.pending_for, kept, latest, running) if asked.is_past else running


def _unread(view: SpendView, *, polled: bool, replayed: bool) -> str:
    if not replayed:
        return "polls are not replayed: how reading the source went is known of now alone"
    unread = not polled and view.unknown_days.issuperset(view.days)
    return "nothing of the source had been read yet" if unread else ""


@dataclass(frozen=True, slots=True)
class AlertsThen:
    """The moves, up to an instant, of the newest alert of each fingerprint that opened before it, or just then."""

    at: datetime
    before: Sequence[Sequence[AlertEvent]]
    just_opened: Sequence[Sequence[AlertEvent]]

    def open(self) -> list[AlertThen]:
        """One of each fingerprint: what has just opened replaces what was resolved."""
        return [one for events in (*self.before, *self.just_opened) if (one := then(events, self.at)) is not None]

    def fired(self) -> list[AlertThen]:
        return [AlertThen(events[-1].alert, events[0].reason, opening_cause(events)) for events in self.just_opened]


def opening_cause(events: Sequence[AlertEvent]) -> str:
    opened = then(events[:1], events[0].at)
    return opened.cause if opened is not None else ""


async def alerts_at(uow: UnitOfWork, where: AlertFilter, kind: type[Evidence], at: datetime) -> AlertsThen:
    before: dict[str, Alert] = {}
    just_opened: dict[str, Alert] = {}
    cursor: str | None = None
    while True:
        page = await uow.alerts.page(where, limit=_PAGE, cursor=cursor)
        for alert in page.items:
            if isinstance(alert.evidence, kind) and alert.opened_at <= at:
                (just_opened if alert.opened_at == at else before).setdefault(alert.fingerprint, alert)
        cursor = page.next
        if cursor is None:
            break
    return AlertsThen(
        at,
        [await _moves(uow, alert, at) for alert in before.values()],
        [await _moves(uow, alert, at) for alert in just_opened.values()],
    )


async def _moves(uow: UnitOfWork, alert: Alert, at: datetime) -> list[AlertEvent]:
    return [event for event in await uow.alerts.events(alert.id) if event.at <= at]
