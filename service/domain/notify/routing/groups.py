"""Collecting: the alerts of one group leave in one message, some time after the first."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from service.domain.notify.routing.labels import Labels
from service.domain.notify.routing.routes import Route


@dataclass(frozen=True, slots=True)
class Group:
    """How a route collects an alert: with all whose `key` is the same. `by` are the values that they share."""

    key: str
    wait: timedelta
    interval: timedelta
    by: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def group(route: Route, labels: Labels) -> Group | None:
    """None for a route that sends each alert at once. Alerts without a label are a group, too."""
    if not route.collects:
        return None
    by = {name: tuple(sorted(labels.get(name, ()))) for name in sorted(set(route.group_by))}
    matchers = [(one.label, one.op.value, one.value) for one in route.matchers]
    identity = json.dumps([route.receiver_id, matchers, by])
    key = hashlib.sha256(identity.encode()).hexdigest()[:32]
    return Group(key, route.group_wait, route.group_interval, by)


def next_departure(last: datetime | None, group: Group, now: datetime) -> datetime:
    """When the group's next message leaves; `last` is the departure that was set before, if any.

    One that is still to come is joined. After one that has been, `interval` is kept; a group that was quiet for longer
    begins again with `wait`. One further off than any could be was set by other timers, or before a clock was set back.
    """
    latest = now + max(group.wait, group.interval)
    if last is None or last > latest:
        return now + group.wait
    if last >= now:
        return last
    following = last + group.interval
    return following if following > now else now + group.wait
