"""Links to pages for people without a login: of what, whose channel they were sent to, and until when they hold."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

ALERT_PAGES = "/pages/alerts"
"""The path of alerts' pages for who signs in: where a message leads that has no signed link."""
VALID_DAYS = 7
_ID = "[a-z]+_[0-9a-f]{32}"
_TEXT = re.compile(
    rf"page-(?P<subject>{_ID})-(?P<receiver>{_ID})-(?P<kind>[a-z_]{{1,20}})~(?P<digest>[0-9a-f]{{12}})"
    r"-(?P<use>read|answer)-(?P<until>[0-9]{1,11})",
    re.ASCII,
)


class LinkUse(StrEnum):
    """Permissions of whoever follows a link in a channel's messages, without a login: none, as there is no such link;
    to read its page; or to acknowledge and snooze the alert there, too.
    """

    NONE = "none"
    READ = "read"
    ANSWER = "answer"


@dataclass(frozen=True, slots=True)
class PageLink:
    """The page of an alert, a digest or a receiver's test, for one channel of a receiver.

    `use` is what was permitted as it was sent; the channel's present configuration may permit less. `until` is aware
    UTC, to the second.
    """

    subject_id: str
    receiver_id: str
    channel: str
    use: LinkUse
    until: datetime

    def __str__(self) -> str:
        channel = self.channel.replace(":", "~")
        return f"page-{self.subject_id}-{self.receiver_id}-{channel}-{self.use}-{int(self.until.timestamp())}"

    @classmethod
    def parse(cls, text: str) -> PageLink | None:
        """None for anything that `str` does not make."""
        read = _TEXT.fullmatch(text)
        if read is None:
            return None
        until = datetime.fromtimestamp(int(read["until"]), UTC)
        channel = f"{read['kind']}:{read['digest']}"
        return cls(read["subject"], read["receiver"], channel, LinkUse(read["use"]), until)

    def holds(self, now: datetime) -> bool:
        return now < self.until

    def permits(self, configured: LinkUse) -> LinkUse:
        """Returns what it permits while its channel is configured so: never more than it was sent with."""
        return min(self.use, configured, key=list(LinkUse).index)


def valid_until(now: datetime) -> datetime:
    """Returns a midnight a week ahead: all messages of one day have the same link, and edits do not change it."""
    return datetime(now.year, now.month, now.day, tzinfo=UTC) + timedelta(days=VALID_DAYS + 1)
