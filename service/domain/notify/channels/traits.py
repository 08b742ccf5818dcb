"""The traits of a kind of channel: all that the product has to know of it, besides how to send."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

from service.domain.notify.notification import FIRING_ACTIONS, Action

ANNOUNCED = FIRING_ACTIONS | {Action.RESOLVE}
"""For a channel without edits: amendments would only repeat what stands there."""
EDITED = ANNOUNCED | {Action.AMEND, Action.ACKNOWLEDGE, Action.SNOOZE}
PAGED = ANNOUNCED | {Action.ACKNOWLEDGE, Action.SNOOZE}
"""For an on-call tool: an amendment could page somebody who has closed the incident there.

It hears of one alone, that somebody else has the alert: that pages nobody, and quietens what it has open.
"""


class Audience(Enum):
    """Who reads a channel. Several alerts may come in one message to people alone: machines group by themselves."""

    PEOPLE = "people"
    MACHINES = "machines"
    ON_CALL = "on call"
    """It wakes somebody up, and keeps an incident open until it is resolved: no digest is sent there."""


class ChartUse(Enum):
    """How a channel uses the picture of a chart."""

    NONE = "none"
    CARRIED = "carried"
    """It takes the picture itself."""
    FOLLOWING = "following"
    """It takes the picture itself, once the text is out."""
    LINKED = "linked"
    """It takes an address, from which its own servers fetch the picture."""


DRAWN = frozenset({ChartUse.CARRIED, ChartUse.FOLLOWING})
"""The uses for which a picture is drawn; what is linked is drawn when somebody follows the link."""


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `messages` in any turn of this length."""

    messages: int
    turn: timedelta


@dataclass(frozen=True, slots=True)
class Traits:
    """`actions`: the moves of an alert that it is notified of.

    `kept_current`: its summaries are brought up to date, by an edit or by printing them again. `repeated`: it forgets
    alerts, and is sent every open one each minute. `rate`: None where it has no limit, or tells by Retry-After.
    """

    actions: frozenset[Action]
    audience: Audience = Audience.PEOPLE
    chart: ChartUse = ChartUse.NONE
    kept_current: bool = False
    repeated: bool = False
    rate: Rate | None = None
