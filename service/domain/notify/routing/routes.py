"""Routes: an ordered list that says who is notified of which alerts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from service.domain.notify.routing.doubts import require_possible
from service.domain.notify.routing.intervals import DAY, TimeInterval, holds
from service.domain.notify.routing.labels import Labels
from service.domain.notify.routing.matchers import Matcher, match_all, validate_matchers
from service.domain.sources.ownership import NOBODY
from service.domain.values.calendars import zone_names
from service.domain.values.errors import Invalid

NOTHING = timedelta()
SHORTEST_REPEAT = timedelta(minutes=5)
LONGEST_WAIT, LONGEST_INTERVAL = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Route:
    """The destination of alerts that all matchers match; without matchers, of every alert.

    `to_owner`: whoever owns what an alert is about is notified, and the receiver where nobody does.
    `repeat_interval`: how long after a notification one is sent again while nobody acknowledges the alert. 0: never;
    None: as `service.domain.notify.routing.repeats` says. It holds back notifications within any of `mute_times`, and
    outside of all `active_times` where there are some. With `group_wait` or `group_interval` it collects the alerts
    that have the same values of the labels in `group_by`.
    """

    receiver_id: str
    matchers: tuple[Matcher, ...] = ()
    escalation_policy_id: str | None = None
    continues: bool = False
    group_by: tuple[str, ...] = ()
    group_wait: timedelta = NOTHING
    group_interval: timedelta = NOTHING
    repeat_interval: timedelta | None = None
    mute_times: tuple[TimeInterval, ...] = ()
    active_times: tuple[TimeInterval, ...] = ()
    to_owner: bool = False

    def receivers(self, owners: Sequence[str]) -> tuple[str, ...]:
        """Returns whom it notifies of an alert of these owners: receivers' ids."""
        return or_instead(owners, self.receiver_id) if self.to_owner else (self.receiver_id,)

    @property
    def collects(self) -> bool:
        return bool(self.group_wait or self.group_interval)

    def is_muted(self, now: datetime) -> bool:
        if any(holds(interval, now) for interval in self.mute_times):
            return True
        return bool(self.active_times) and not any(holds(interval, now) for interval in self.active_times)


def or_instead(owners: Sequence[str], receiver_id: str) -> tuple[str, ...]:
    """Returns the owners, each once, with a receiver in place of NOBODY, and where there is none at all."""
    return tuple(dict.fromkeys(owner or receiver_id for owner in owners or (NOBODY,)))


@dataclass(frozen=True, slots=True)
class RouteTable:
    """Routes in order; the last one, without matchers, is the default and always there."""

    items: tuple[Route, ...]

    def walk(self, labels: Labels) -> Iterator[tuple[Route, bool]]:
        """The routes that are asked, in order, and whether each matches. The first match is the last one asked,
        unless it continues."""
        for route in self.items:
            matched = match_all(route.matchers, labels)
            yield route, matched
            if matched and not route.continues:
                return

    def matching(self, labels: Labels) -> tuple[Route, ...]:
        return tuple(route for route, matched in self.walk(labels) if matched)


def validate_routes(table: RouteTable) -> None:
    """Raises Invalid."""
    if not table.items:
        raise Invalid("the default route, without matchers, cannot be removed", "/items")
    last = len(table.items) - 1
    if table.items[last].matchers:
        raise Invalid("the last route is the default: it has no matchers", f"/items/{last}/matchers")
    if table.items[last].continues:
        raise Invalid("nothing comes after the default route", f"/items/{last}/continue")
    for position, route in enumerate(table.items):
        _validate(route, f"/items/{position}")
        if position < last and not route.matchers and not route.continues:
            raise Invalid("no later route would be asked: give it matchers, or continue", f"/items/{position}/matchers")


def _validate(route: Route, pointer: str) -> None:
    validate_matchers(route.matchers, f"{pointer}/matchers")
    require_possible(route.matchers, f"{pointer}/matchers")
    _validate_group(route, pointer)
    if route.repeat_interval and route.repeat_interval < SHORTEST_REPEAT:
        raise Invalid("must be 5m or longer, 0s for never, or null for the default", f"{pointer}/repeat_interval")
    for name, intervals in (("mute_times", route.mute_times), ("active_times", route.active_times)):
        for place, interval in enumerate(intervals):
            _validate_interval(interval, f"{pointer}/{name}/{place}")


def _validate_group(route: Route, pointer: str) -> None:
    if "..." in route.group_by:
        raise Invalid("for each alert by itself leave group_wait and group_interval at 0s", f"{pointer}/group_by")
    if route.group_by and not route.collects:
        raise Invalid("set group_wait or group_interval: without, each alert is sent at once", f"{pointer}/group_by")
    if not NOTHING <= route.group_wait <= LONGEST_WAIT:
        raise Invalid("must be 0s to 1h", f"{pointer}/group_wait")
    if not NOTHING <= route.group_interval <= LONGEST_INTERVAL:
        raise Invalid("must be 0s to 1d", f"{pointer}/group_interval")


def _validate_interval(interval: TimeInterval, pointer: str) -> None:
    if interval.timezone not in zone_names():
        raise Invalid(f"there is no time zone {interval.timezone!r}; write an IANA name", f"{pointer}/location")
    if not interval.times and not interval.weekdays:
        raise Invalid("this is always: name times or weekdays", pointer)
    for place, time in enumerate(interval.times):
        if not (0 <= time.start < DAY and 0 <= time.end <= DAY and time.start != time.end):
            raise Invalid("start is 00:00 to 23:59, end 00:00 to 24:00, and not the same", f"{pointer}/times/{place}")
