"""Links to an alert's page, for people without a login: whose channel they were sent to, and until when they hold."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from service.domain.alerts.alert import Alert, AlertEvent, AlertState

VALID_DAYS = 7
MOST_MOVES = 20
"""Moves of one alert by links, at most: each is announced to everybody who was notified."""
_ACTOR = "link to "
_ID = "[a-z]+_[0-9a-f]{32}"
_TEXT = re.compile(
    rf"page-(?P<alert>{_ID})-(?P<receiver>{_ID})-(?P<kind>[a-z_]{{1,20}})~(?P<digest>[0-9a-f]{{12}})"
    r"-(?P<use>read|answer)-(?P<until>[0-9]{1,11})",
    re.ASCII,
)


class LinkUse(StrEnum):
    """Permissions of the links in a channel's messages."""

    NONE = "none"
    """No link: what is printed into a log opens nothing."""
    READ = "read"
    ANSWER = "answer"
    """To acknowledge and snooze, too."""


class LinkAnswer(StrEnum):
    """A link's answers to an alert, as the page's forms name them."""

    ACKNOWLEDGE = "acknowledge"
    HOUR = "snooze-1h"
    DAY = "snooze-24h"


SNOOZES: Mapping[LinkAnswer, timedelta] = {LinkAnswer.HOUR: timedelta(hours=1), LinkAnswer.DAY: timedelta(hours=24)}
_POSSIBLE: Mapping[AlertState, tuple[LinkAnswer, ...]] = {
    AlertState.FIRING: tuple(LinkAnswer),
    AlertState.ACKNOWLEDGED: tuple(SNOOZES),
    AlertState.SNOOZED: (LinkAnswer.ACKNOWLEDGE,),
}
"""A form that is sent twice moves the alert once: the same answer is not possible again."""


@dataclass(frozen=True, slots=True)
class AlertLink:
    """One alert's page for one channel of a receiver. `until` is aware UTC, to the second."""

    alert_id: str
    receiver_id: str
    channel: str
    use: LinkUse
    until: datetime

    def __str__(self) -> str:
        channel = self.channel.replace(":", "~")
        return f"page-{self.alert_id}-{self.receiver_id}-{channel}-{self.use}-{int(self.until.timestamp())}"

    @classmethod
    def parse(cls, text: str) -> AlertLink | None:
        """None for anything that `str` does not make."""
        read = _TEXT.fullmatch(text)
        if read is None:
            return None
        until = datetime.fromtimestamp(int(read["until"]), UTC)
        channel = f"{read['kind']}:{read['digest']}"
        return cls(read["alert"], read["receiver"], channel, LinkUse(read["use"]), until)

    def holds(self, now: datetime) -> bool:
        return now < self.until


def valid_until(now: datetime) -> datetime:
    """Returns a midnight a week ahead: all messages of one day have the same link, and edits do not change it."""
    return datetime(now.year, now.month, now.day, tzinfo=UTC) + timedelta(days=VALID_DAYS + 1)


def actor_of(receiver: str, channel: str) -> str:
    """Returns who acts by a link: "link to oncall (email)"."""
    return f"{_ACTOR}{receiver} ({channel.partition(':')[0]})"


def possible_answers(alert: Alert, events: Sequence[AlertEvent]) -> tuple[LinkAnswer, ...]:
    """Returns what a link that permits answers offers now: nothing more once links have moved the alert too often."""
    is_worn_out = sum(event.actor.startswith(_ACTOR) for event in events) >= MOST_MOVES
    return () if is_worn_out else _POSSIBLE.get(alert.state, ())
