"""The outbox of notifications and digests, who was notified, and the health of channels."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from service.domain.alerts.alert import AlertEvent, Reason
from service.domain.digests.runs import DigestFailure, DigestRun
from service.domain.notify.channels.traits import Rate
from service.domain.notify.circuits import FailingChannel
from service.domain.notify.notification import Action, Attempt, Notification, NotificationCause, NotificationState
from service.domain.notify.routing.groups import Group
from service.domain.notify.routing.repeats import Latest
from service.domain.notify.undelivered import Backlog
from service.domain.values.resources import Page


@dataclass(frozen=True, slots=True)
class Summary:
    """A message about several alerts. `post` is the channel's reference to it; None where it gave none."""

    id: str
    post: str | None


@dataclass(frozen=True, slots=True)
class SummaryListing:
    """A channel whose summary lists an alert, or will.

    `notified_alone`: the channel was also notified of this alert by a message of its own.
    """

    receiver_id: str
    channel: str
    notified_alone: bool


class Groups(Protocol):
    async def join(self, groups: Collection[Group], now: datetime) -> dict[str, datetime]:
        """Gives the departure of each group's next message, by its key, the same for all alerts that join it."""
        ...

    async def listings(self, alert_ids: Collection[str]) -> dict[str, list[SummaryListing]]:
        """The channels whose summary lists an alert, or will, for each of these alerts."""
        ...

    async def members(self, summary_id: str) -> list[str]:
        """Ids of the alerts that a summary lists, oldest first."""
        ...

    async def present(self, alert_ids: Collection[str]) -> list[AlertEvent]:
        """The newest event of each alert, oldest alert first."""
        ...

    async def settle_behind(self, said: Notification, *, version: int) -> None:
        """Gives its outcome to what waits behind it in its channel and reports the alert's events up to this version.

        Nothing is settled where a raise waits there: it is sent, and so is its end.
        """
        ...

    async def forget(self, due_before: datetime) -> None:
        """Drops groups that have been quiet since."""
        ...


@dataclass(frozen=True, slots=True)
class DueNotification:
    """A notification claimed for delivery, with the event that it reports.

    `post` is what the channel answered to the alert's own first message. `summary` is the message about several alerts
    that notified this channel of the alert; `notified_alone`: a message of its own did, too. `retaken`: an earlier
    worker's lease ran out, and it may have sent the message.
    """

    notification: Notification
    event: AlertEvent
    post: str | None
    summary: Summary | None = None
    notified_alone: bool = False
    retaken: bool = False


@dataclass(frozen=True, slots=True)
class NotificationFilter:
    """Which notifications: any value of each field that has some, of every such field."""

    alert_ids: tuple[str, ...] = ()
    states: tuple[NotificationState, ...] = ()


@dataclass(frozen=True, slots=True)
class Saved:
    """A notification as it is after an attempt, and the channel's reference to its message where it gave one."""

    notification: Notification
    post: str | None


class Notifications(Protocol):
    async def add(self, notification: Notification) -> bool:
        """False where the same (alert, level, channel, action, step, round) is on record already."""
        ...

    async def add_all(self, new: Sequence[Notification]) -> set[str]:
        """Adds all that are not on record already, and returns their ids."""
        ...

    async def claim(
        self, *, now: datetime, limit: int, lease: timedelta, besides: Collection[str] = ()
    ) -> list[DueNotification]:
        """Takes due notifications for `lease` of real time, oldest first and only the oldest of (alert, channel).

        The collected notifications that are due for a channel are taken all together, however many they are. None is
        taken for the channels `besides` which there are others.
        """
        ...

    async def urged(self, ids: Collection[str]) -> set[str]:
        """Those of the ids that are raises that were never tried, or that such a raise waits for in its channel."""
        ...

    async def save(self, notification: Notification, *, post: str | None) -> None:
        """Records an attempt's outcome, gives up the lease, and keeps the channel's reference: to the alert's own
        message, or to the summary that the notification was sent with."""
        ...

    async def save_free(self, saved: Sequence[Saved]) -> set[str]:
        """Does what `save` does with as many statements for many as for one, and waits for nobody.

        Leaves out those that another transaction is changing. Returns the ids of the others.
        """
        ...

    async def postpone(self, due: Mapping[str, datetime]) -> None:
        """Gives up the leases of notifications that were not tried: each is due at its time."""
        ...

    async def last_word(self, alert_id: str, channel: str, actions: Collection[Action]) -> Notification | None:
        """The newest of an alert's notifications with one of these actions that wait for a channel."""
        ...

    async def settle_before(self, last_word: Notification, reason: Reason, settled: Attempt) -> None:
        """Suppresses all that waits before it in its channel."""
        ...

    async def keep(self, notification: Notification, *, post: str | None) -> None:
        """Records that the channel has taken the message, with its reference, and keeps the lease."""
        ...

    async def get(self, notification_id: str) -> Notification: ...

    async def some(self, ids: Collection[str]) -> dict[str, Notification]:
        """Those of the ids that there are, by id."""
        ...

    async def next_due(self) -> datetime | None:
        """When a claim will find something; None where nothing waits."""
        ...

    async def page(self, where: NotificationFilter, *, limit: int, cursor: str | None) -> Page[Notification]:
        """Newest first."""
        ...


@dataclass(frozen=True, slots=True)
class LatestSent:
    """The newest notification of an alert that a channel took, and the post that it answered with.

    `event` is the one that the notification reports; for a resolved alert it is the end, reported or not.
    """

    notification: Notification
    event: AlertEvent
    post: str


ChannelCall = tuple[str, tuple[str, NotificationCause, int, int]]
"""A channel, and the call that notified it, as `Notification.call` identifies it."""


class NotifiedChannels(Protocol):
    """Who was notified of an alert, and from whom a notification is held back.

    A channel counts as notified when an opening or a raise is queued for it, was sent, or was given up.
    """

    async def of(self, alert_ids: Collection[str]) -> dict[str, list[tuple[str, str]]]:
        """The (receiver id, channel key) of every channel that was notified, for each of these alerts."""
        ...

    async def calls(self, alert_ids: Collection[str]) -> dict[str, set[ChannelCall]]:
        """The calls by which channels were notified, for each of these alerts."""
        ...

    async def called_at(self, alert_id: str, level: str, round: int, step: int) -> datetime | None:
        """When the first channel was notified by a call of a policy; None where none was."""
        ...

    async def newest(self, alert_id: str) -> list[Latest]:
        """The newest opening or raise of each notified channel."""
        ...

    async def latest_sent(self, kind: str, *, resolved_after: datetime) -> list[LatestSent]:
        """The newest notification of each alert in each channel of a kind, of alerts open or resolved after that."""
        ...

    async def alerts_held_back(self) -> list[str]:
        """Ids of firing alerts with a notification that is still held back, oldest first."""
        ...

    async def held_back(self, alert_ids: Collection[str]) -> dict[str, list[Notification]]:
        """The notifications that are still held back, oldest first, for each of these alerts."""
        ...

    async def settle(self, channels: Mapping[str, Collection[str]], now: datetime) -> None:
        """Ends the wait in these channels of alerts, by alert: they have been notified since, or no route leads to them
        any more."""
        ...


class ChannelHealth(Protocol):
    """Channels are known by their receiver's id and their key."""

    async def failing(self) -> list[FailingChannel]: ...

    async def failing_of(self, channels: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
        """Those of the channels that are failing ones."""
        ...

    async def lock(self, receiver_id: str, channel: str) -> FailingChannel | None:
        """The channel, if it is a failing one; nobody else changes that until the transaction ends."""
        ...

    async def keep(self, failing: FailingChannel) -> None:
        """Stores why and how long the channel rests. What was counted of it before stays."""
        ...

    async def note_dead(self, receiver_id: str, channel: str, error: str, *, at: datetime) -> None:
        """A message was given up. The error of an open circuit stays: it says why."""
        ...

    async def note_well(self, receiver_id: str, channel: str, *, at: datetime) -> bool:
        """The channel took a message: it is no failing one any more. True where messages waited for that."""
        ...

    async def forget(self, receiver_id: str, *, at: datetime) -> bool:
        """A receiver was edited: its channels are tried again. True where messages waited for that."""
        ...

    async def waiting(self, written_before: datetime) -> list[Backlog]:
        """Messages that were written before that and tried without success, by channel."""
        ...

    async def take_turn(self, channel: str, rate: Rate, wanted: int, now: datetime) -> tuple[int, datetime]:
        """How many of the `wanted` messages may leave now, and when the next ones may. Shared by all workers."""
        ...

    async def hold(self, channel: str, *, now: datetime, until: datetime) -> None:
        """The channel has asked for quiet until then: its last word counts."""
        ...

    async def held(self, channels: Collection[str], now: datetime) -> dict[str, datetime]:
        """Those of the channels that want quiet, and until when."""
        ...

    async def dead_and_oldest(self) -> tuple[int, datetime | None]:
        """How many messages are dead, and when the oldest was written that still waits."""
        ...


class DigestRuns(Protocol):
    async def add(self, run: DigestRun) -> bool:
        """False where the digest's occurrence is on record already."""
        ...

    async def claim(self, run_id: str, *, now: datetime, lease: timedelta) -> DigestRun | None:
        """Takes a run that is due for `lease` of real time; None for one that is not, or that is taken."""
        ...

    async def keep(self, run: DigestRun, *, now: datetime, lease: timedelta) -> None:
        """Stores what has become of a run so far, and takes it for `lease` again."""
        ...

    async def save(self, run: DigestRun) -> None:
        """Stores a run, and gives up its lease."""
        ...

    async def due(self, now: datetime) -> list[DigestRun]:
        """Queued runs that should have been tried by now, oldest first."""
        ...

    async def note_failing(self, failing: Mapping[str, str], at: datetime) -> None:
        """Stores the digests whose times cannot be told, each with the defect's words, in place of those before."""
        ...

    async def failing(self, digest_id: str) -> DigestFailure | None:
        """None for a digest that was well when it was last looked at."""
        ...

    async def forget(self, before: datetime) -> None:
        """Retention: drops what is over and was asked for before that. Each digest's newest stay."""
        ...

    async def latest(self, digest_id: str) -> DigestRun | None:
        """The one that was asked for last."""
        ...

    async def find(self, run_id: str) -> DigestRun | None:
        """None for one that is on record no more."""
        ...


class ChartFailures(Protocol):
    async def note(self, about: str, error: str, at: datetime) -> None:
        """Counts a picture that could not be drawn, of an alert of this kind or of a digest."""
        ...

    async def count(self) -> int:
        """All that were ever noted; it never falls."""
        ...
