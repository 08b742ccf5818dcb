"""Sources of cost, and the state of polling them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from service.domain.sources.commitment import PriorityCommitment
from service.domain.sources.locality import Locality, locality_of
from service.domain.values.resources import Sealed

LONGEST_BACKOFF = timedelta(hours=1)
SHORTEST_INTERVAL = timedelta(minutes=1)
LONGEST_INTERVAL = timedelta(days=1)
CLOCK_SKEW = timedelta(minutes=1)
"""How far the clocks of two machines may differ before what one wrote lies in the other's future."""


class SourceKind(StrEnum):
    CLAUDE_ADMIN = "claude_admin"
    SIMULATOR = "simulator"
    """The built-in simulator: its data is invented, and every answer and message says so."""


class ReportFamily(StrEnum):
    """The two families of reports of one organisation."""

    ADMIN = "admin"
    """The Usage and Cost Admin API: minutes late, and no API key on the bill."""
    ANALYTICS = "analytics"
    """The Usage and Cost Analytics API: refreshed every four hours, and each key billed."""


class People(StrEnum):
    """How much is kept of the people whom the analytics reports name."""

    OFF = "off"
    """Nothing: they are not asked for."""
    HASHED = "hashed"
    """A keyed digest of each one's id: the same person is the same digest, and nobody can turn it back."""
    NAMES = "names"
    """The digest, and in one place the name beside it."""


class ReportName(StrEnum):
    COST = "cost"
    USAGE_HOURS = "usage_hours"
    USAGE_MINUTES = "usage_minutes"
    DIRECTORY = "directory"


@dataclass(frozen=True, slots=True)
class Source:
    kind: SourceKind
    base_url: str
    admin_key: Sealed
    poll_interval: timedelta = timedelta(minutes=5)
    enabled: bool = True
    prefer: ReportFamily | None = None
    """Which of the two the figures come from; None: only the Admin reports are known to it."""
    timezone: str | None = None
    """The IANA zone by whose clock people work; None: learnt from the hours."""
    country: str | None = None
    """The ISO 3166-1 code of the country whose public holidays people have; None: no holidays are known."""
    subdivision: str | None = None
    """A part of the country, with holidays of its own."""
    priority_commitment: PriorityCommitment | None = None
    """The commitment to the Priority Tier of a month; None: nothing is known of one."""
    people: People = People.OFF
    claude_code: bool = False
    """Whether people's use of Claude Code is read, too."""

    @property
    def locality(self) -> Locality:
        return locality_of(self.timezone, self.country, self.subdivision)


@dataclass(frozen=True, slots=True)
class SourceState:
    """The state of polling a source. Times are aware UTC, None where it never happened.

    `fence` grows with every poll; a poll may write only while it holds the newest one.
    `organization_id` is the organisation that this source has, and no other enabled one may have. It outlives a change
    of the key until the new key has named its own; `organization_name` is only ever what the present key has named.
    `cost_read_at` is the last success of the cost report, the only one that makes budgets stale.
    `failures` counts the polls in a row that brought no bill or no usage, and `failing_since` is when the first began.
    `polling_since` is when the running poll began. `assessed_read_at` is the `cost_read_at` that the budgets were last
    assessed with. `rules_assessed_at` is when the rules were last evaluated.
    `evaluated_at` is when budgets and rules were last gone through, whatever was read, and all that was found was
    stored, or when that was still as good as new. `evaluation` grows with every evaluation; one may store only while it
    is the newest. `evaluation_due_at` is when the next one may answer differently, if nothing is read or edited before.
    `reports_read` are those that the bill was last read from, and `remark` what an operator should know of that.
    `refreshed_at` and `usage_refreshed_at`: up to when the vendor has said that the analytics reports are complete.
    """

    source_id: str
    fence: int
    next_poll_at: datetime
    organization_id: str | None = None
    organization_name: str | None = None
    last_success_at: datetime | None = None
    cost_read_at: datetime | None = None
    usage_read_at: datetime | None = None
    minutes_read_at: datetime | None = None
    directory_read_at: datetime | None = None
    deep_read_at: datetime | None = None
    failures: int = 0
    failing_since: datetime | None = None
    polling_since: datetime | None = None
    assessed_read_at: datetime | None = None
    rules_assessed_at: datetime | None = None
    evaluated_at: datetime | None = None
    last_error: str | None = None
    evaluation: int = 0
    evaluation_due_at: datetime | None = None
    reports_read: ReportFamily | None = None
    refreshed_at: datetime | None = None
    usage_refreshed_at: datetime | None = None
    remark: str | None = None

    @property
    def is_identified(self) -> bool:
        """Whether the present key has named its organisation. Nothing may be stored before."""
        return self.organization_name is not None


def is_poll_interval(interval: timedelta) -> bool:
    """Whether a source may be polled that often."""
    return SHORTEST_INTERVAL <= interval <= LONGEST_INTERVAL


def after_begin(state: SourceState, now: datetime) -> SourceState:
    """A poll begins. One that was never ended has crashed or was killed: it counts as failed, too."""
    if state.polling_since is not None:
        state = after_failure(state, state.polling_since)
    return replace(state, polling_since=now)


def after_failure(state: SourceState, began: datetime) -> SourceState:
    """A poll that began at `began` brought no bill, or no usage."""
    return replace(state, failures=state.failures + 1, failing_since=state.failing_since or began, polling_since=None)


def after_success(state: SourceState, now: datetime) -> SourceState:
    """A poll has brought the bill."""
    return replace(state, failures=0, failing_since=None, polling_since=None, cost_read_at=now)


def due_after_bill(state: SourceState, started: datetime, interval: timedelta) -> datetime:
    """When the source is due after a poll that began at `started` has read the bill.

    If it was due by then, this was that poll. Otherwise its turn comes no later: a back-off is over, whoever asked.
    """
    following = started + interval
    return following if state.next_poll_at <= started else min(state.next_poll_at, following)


def succeeded_ahead(state: SourceState, now: datetime) -> bool:
    """Whether the last success lies in the future: it was a drill's, or the clock was set back since."""
    return any(at > now + CLOCK_SKEW for at in _successes(state))


def lies_ahead(state: SourceState, interval: timedelta, now: datetime) -> bool:
    """Whether a clock ahead of this one wrote the state: with it, the source would not be polled for that long."""
    latest = now + retry_delay(interval, state.failures)
    return succeeded_ahead(state, now) or state.next_poll_at > latest + CLOCK_SKEW


def back_in_time(state: SourceState, now: datetime) -> SourceState:
    """The state with no time after `now`: due at once and deeply, and failing until the bill has been read."""
    ahead = max([state.next_poll_at, *_successes(state)])
    error = f"The clock went back: this source was polled, or due, at {ahead:%Y-%m-%d %H:%M} UTC. It is read again"
    clamped = replace(
        state,
        next_poll_at=now,
        last_success_at=_until(state.last_success_at, now),
        cost_read_at=_until(state.cost_read_at, now),
        usage_read_at=_until(state.usage_read_at, now),
        minutes_read_at=_until(state.minutes_read_at, now),
        directory_read_at=None,
        deep_read_at=None,
        failing_since=_until(state.failing_since, now),
        polling_since=_until(state.polling_since, now),
        last_error=error,
        evaluation_due_at=now,
    )
    return clamped if clamped.failing_since else after_failure(clamped, now)


def _successes(state: SourceState) -> list[datetime]:
    return [at for at in (state.last_success_at, state.cost_read_at, state.usage_read_at) if at is not None]


def _until(at: datetime | None, now: datetime) -> datetime | None:
    return None if at is None else min(at, now)


def retry_delay(interval: timedelta, failures: int) -> timedelta:
    """The wait before the next poll: doubled with every failure in a row, an hour at most."""
    doubled: timedelta = interval * 2 ** min(failures, 20)
    return max(interval, min(doubled, LONGEST_BACKOFF))
