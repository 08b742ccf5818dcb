"""The memory of a rule's scopes from one evaluation to the next, and as it was at a past instant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from service.domain.alerts.alert import Alert
from service.domain.rules.rule import PENDING_FOR, GateVerdict
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
