"""What was remembered of a rule's scopes at a past instant, as far as what is kept tells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from service.domain.alerts.alert import Alert
from service.domain.alerts.reconcile import SYSTEM
from service.domain.rules.episodes import Episode, Episodes
from service.domain.rules.kept import MUTED, PART_OF_ANOTHER, RANG, KeptVerdict
from service.domain.rules.rule import PENDING_FOR
from service.domain.values.scopes import ScopeKey

_PASSED = frozenset({RANG, MUTED, PART_OF_ANOTHER})


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
    seen = any(verdict.outcome == RANG and verdict.first_at <= alert.changed_at for verdict in kept)
    told = seen and alert.resolved_by == SYSTEM
    return alert.opened_at if alert.is_open or muted or told else at


def _held_since(pending_for: timedelta, kept: Iterable[KeptVerdict], alert: Alert | None) -> datetime | None:
    since = [alert.opened_at - pending_for] if alert is not None and alert.is_open else []
    for verdict in kept:
        if verdict.outcome in _PASSED:
            since.append(verdict.first_at - pending_for)
        elif verdict.outcome == PENDING_FOR:
            since.append(verdict.first_at)
    return min(since, default=None)
