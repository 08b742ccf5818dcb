"""The memory of a rule's scopes from one evaluation to the next, as it was at a past instant, and what it says.

That is whose alert an incident is, which days an alert is about, and what people were told of already.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from service.domain.alerts.alert import Alert
from service.domain.alerts.evidence import RuleEvidence
from service.domain.rules.incidents import AlertDays, Span
from service.domain.rules.rule import PENDING_FOR, GateVerdict, Rule, Verdict
from service.domain.rules.verdicts import objected
from service.domain.rules.view import SpendView
from service.domain.values.money import Money
from service.domain.values.scopes import ScopeKey


@dataclass(frozen=True, slots=True)
class EpisodeKey:
    rule_id: str
    scope: ScopeKey


@dataclass(frozen=True, slots=True)
class Episode:
    """A scope that a rule objects to, from the first objection until it is calm again. Times are aware UTC.

    `held_since`: since when nothing but time keeps it from firing; None while it does not stand. `last_held`: when it,
    or a scope whose alert it is, exceeded its gates last.
    """

    began_at: datetime
    held_since: datetime | None = None
    last_held: datetime | None = None


Episodes = Mapping[ScopeKey, Episode]
"""Those of one rule."""


def held_since(episodes: Episodes) -> dict[ScopeKey, datetime]:
    """Everything that `evaluate` needs to know of the evaluation before."""
    return {scope: episode.held_since for scope, episode in episodes.items() if episode.held_since is not None}


@dataclass(frozen=True, slots=True)
class Past:
    """The memory of a rule's scopes. `latest`: the newest alert of each, open or resolved.

    `unjudged`: scopes that could not be judged this time, for a defect. They stay as they are.
    """

    episodes: Episodes
    latest: Mapping[ScopeKey, Alert]
    unjudged: frozenset[ScopeKey] = frozenset()


def resolved_by_people(past: Past) -> dict[ScopeKey, Alert]:
    """The alerts of present incidents that a person has resolved: until such a scope is calm it is muted."""
    resolved = {}
    for scope, episode in past.episodes.items():
        alert = past.latest.get(scope)
        if alert is not None and alert.resolved_by_a_person and alert.opened_at >= episode.began_at:
            resolved[scope] = alert
    return resolved


def own_alerts(past: Past) -> dict[ScopeKey, Alert]:
    """The alert of each present incident: open, or ended before the incident was."""
    episodes = past.episodes
    return {
        scope: alert
        for scope, alert in past.latest.items()
        if alert.is_open or (scope in episodes and alert.opened_at >= episodes[scope].began_at)
    }


def alert_days(alerts: Mapping[ScopeKey, Alert]) -> dict[ScopeKey, AlertDays]:
    """The days that each alert is about."""
    return {
        scope: AlertDays(days_of(alert), alert.is_open or alert.resolved_by_a_person, _named_by(alert))
        for scope, alert in alerts.items()
    }


def _named_by(alert: Alert) -> frozenset[ScopeKey]:
    """The scopes that people heard of in an alert, or would see in it now."""
    heard = alert.evidence.heard if isinstance(alert.evidence, RuleEvidence) else None
    parts = (part.scope for part in alert.newest.contributions)
    return frozenset((*parts, *(scope for scope, _ in (heard.told if heard else ()))))


def days_of(alert: Alert) -> Span:
    """The first and the last day that an alert is about."""
    evidence, opened = alert.evidence, alert.opened_at.date()
    if not isinstance(evidence, RuleEvidence) or not evidence.days:
        return opened, alert.changed_at.date()
    began = evidence.since.date() if evidence.since else min(evidence.days)
    return min(began, opened), max(evidence.days)


def told_before(
    view: SpendView, rule: Rule[object], verdicts: Mapping[ScopeKey, Verdict], latest: Mapping[ScopeKey, Alert]
) -> frozenset[ScopeKey]:
    """The scopes that fire for a day read late which an alert that is over told of already, as its own or by name."""
    late = late_days(view, rule, verdicts)
    ended = [latest[scope] for scope in late.keys() & latest.keys() if not latest[scope].is_open]
    until = [(days_of(alert)[1], _named_by(alert) | {alert.scope}) for alert in ended]
    return frozenset(scope for scope, day in late.items() if any(day <= last and scope in of for last, of in until))


def late_days(view: SpendView, rule: Rule[object], verdicts: Mapping[ScopeKey, Verdict]) -> dict[ScopeKey, date]:
    """The scopes that fire for a day which is judged only because it was read late, and that day."""
    if view.closed is None or view.late_since is None:
        return {}
    usual = view.days[min(view.closed, view.last_told(rule.grain))]
    firing = {scope: each.observation.days for scope, each in objected(verdicts).items() if each.fires}
    return {scope: max(days) for scope, days in firing.items() if days and max(days) < usual}


FIRED = "rang"
PART_OF_ANOTHER = "part_of_another"
"""Another scope's alert contains it."""
MUTED = "muted"
"""A person has resolved this incident's alert, and it is not more severe since."""


@dataclass(frozen=True, slots=True)
class KeptVerdict:
    """One rule's objection to one scope's day. `outcome` is one of the words above, else the gate that stopped it.

    Seen unchanged from `first_at` to `last_at` (aware UTC); the amounts, in US dollars, are those of the last time.
    """

    rule_id: str
    rule_version: int
    scope: ScopeKey
    day: date
    outcome: str
    first_at: datetime
    last_at: datetime
    actual: Money
    expected: Money
    cause: str
    inputs: tuple[tuple[str, str], ...]
    gates: tuple[GateVerdict, ...]


_PASSED = frozenset({FIRED, MUTED, PART_OF_ANOTHER})


def episodes_at(
    at: datetime,
    pending_for: timedelta,
    kept: Sequence[KeptVerdict],
    latest: Mapping[ScopeKey, Alert],
    running: Episodes,
) -> dict[ScopeKey, Episode]:
    """The episodes of an instant, from today's `running` ones where they had begun, else from what was kept.

    `kept` are the verdicts seen at the instant, `latest` the newest alert of each scope as it was then. What had passed
    every gate, or had an open alert, had held for `pending_for` when that was first seen; perhaps for longer.
    """
    begun = {scope: episode for scope, episode in running.items() if episode.began_at <= at}
    opened = [scope for scope, alert in latest.items() if alert.is_open]
    episodes = {}
    for scope in (*begun, *opened, *(verdict.scope for verdict in kept)):
        seen, alert = [verdict for verdict in kept if verdict.scope == scope], latest.get(scope)
        episode = begun.get(scope) or Episode(_began_at(at, seen, alert))
        if episode.held_since is None or episode.held_since > at:
            episode = replace(episode, held_since=_held_since(pending_for, seen, alert))
        episodes[scope] = episode
    return episodes


def _began_at(at: datetime, kept: Iterable[KeptVerdict], alert: Alert | None) -> datetime:
    if alert is None:
        return at
    muted = any(verdict.outcome == MUTED for verdict in kept)
    # Its alert has ended, and its days are still judged: what was seen before the end is no news.
    seen = any(verdict.outcome == FIRED and verdict.first_at <= alert.changed_at for verdict in kept)
    notified = seen and not alert.is_open and not alert.resolved_by_a_person
    return alert.opened_at if alert.is_open or muted or notified else at


def _held_since(pending_for: timedelta, kept: Iterable[KeptVerdict], alert: Alert | None) -> datetime | None:
    since = [alert.opened_at - pending_for] if alert is not None and alert.is_open else []
    for verdict in kept:
        if verdict.outcome in _PASSED:
            since.append(verdict.first_at - pending_for)
        elif verdict.outcome == PENDING_FOR:
            since.append(verdict.first_at)
    return min(since, default=None)
