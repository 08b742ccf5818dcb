"""Circuits of channels: the concern of a refusal, and the rest until a message probes the channel again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from service.domain.notify.notification import retry_wait

LONGEST_REST = timedelta(minutes=5)
PROBE = timedelta(minutes=1)
"""Business time that one message has for its probe, while the others go on waiting."""


class Concern(StrEnum):
    """The part of a delivery that a failure is about."""

    MOMENT = "moment"
    """Busy or out of reach: the same message may be taken in a while."""
    MESSAGE = "message"
    """The form or the size of this one message; another one may be taken."""
    CHANNEL = "channel"
    """The place: it is gone, archived or moved, or its server is being restarted."""
    CREDENTIAL = "credential"
    """The token, key or login."""


OPENING = frozenset({Concern.CHANNEL, Concern.CREDENTIAL})
"""The concerns that open a channel's circuit: any other message would meet the same."""


_FOR_GOOD, _FOR_NOW = "refused for good: ", "refused for now: "


@dataclass(frozen=True, slots=True)
class FailingChannel:
    """A channel that refuses messages, or whose last one was given up. Forgotten as soon as it takes one.

    `dead` messages were given up since `failing_since`. With a `next_try` its circuit is open: until then no message is
    sent, and then one is, as a probe. `error` is what opened it, or what the newest probe met; `refusals` are the
    probes in a row. Without a `next_try` it gets every message.
    """

    receiver_id: str
    channel: str
    failing_since: datetime
    error: str
    dead: int
    concerns: Concern | None = None
    refusals: int = 0
    next_try: datetime | None = None
    probing_until: datetime | None = None

    @property
    def lasting(self) -> str:
        """The part of `error` that no later try of the same message changes."""
        return "" if self.error.startswith(_FOR_NOW) else self.error.partition(f"; {_FOR_NOW}")[0]

    @property
    def only_lacks_addresses(self) -> bool:
        """Whether it takes messages, and `error` is about some of its addresses."""
        return self.dead == 0 and self.next_try is None

    def rests_until(self, now: datetime) -> datetime | None:
        """When the next message may be sent; None where one may now.

        A rest that ends later than any could was begun before the clock was set back.
        """
        ends = [one for one in (self.next_try, self.probing_until) if one is not None and self.next_try is not None]
        until = max(ends, default=now)
        return until if now < until <= now + LONGEST_REST else None


def said_of_addresses(refused: str, delayed: str) -> str:
    """ "refused for good: ann@... (550 ...); refused for now: bob@... (450 ...)"; empty where all took the message."""
    parts = (f"{_FOR_GOOD}{refused}" if refused else "", f"{_FOR_NOW}{delayed}" if delayed else "")
    return "; ".join(part for part in parts if part)


def probed(failing: FailingChannel, now: datetime) -> FailingChannel:
    """The channel while one message probes it."""
    return replace(failing, probing_until=now + PROBE)


def after_refusal(failing: FailingChannel, error: str, concerns: Concern, now: datetime) -> FailingChannel:
    """The channel after a failure: its circuit opens, or stays open for longer.

    What was sent beside the message that opened it says nothing new. A probe that found it busy does not close it.
    """
    if failing.next_try is not None and now < failing.next_try <= now + LONGEST_REST:
        return failing
    said = replace(failing, error=error, concerns=concerns) if concerns in OPENING else failing
    refusals = failing.refusals + 1
    rest = min(retry_wait(refusals, None), LONGEST_REST)
    return replace(said, refusals=refusals, next_try=now + rest, probing_until=None)
