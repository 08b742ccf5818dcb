"""Answers by the link of a message: the alert's page has a form for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from enum import StrEnum

from service.domain.alerts.alert import Alert, AlertEvent, AlertState

MOST_MOVES = 20
"""Moves of one alert by links, at most: each is announced to everybody who was notified."""
_ACTOR = "link to "


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


def actor_of(receiver: str, channel: str) -> str:
    """Returns who acts by a link: "link to oncall (email)"."""
    return f"{_ACTOR}{receiver} ({channel.partition(':')[0]})"


def possible_answers(alert: Alert, events: Sequence[AlertEvent]) -> tuple[LinkAnswer, ...]:
    """Returns what a link that permits answers offers now: nothing more once links have moved the alert too often."""
    is_worn_out = sum(event.actor.startswith(_ACTOR) for event in events) >= MOST_MOVES
    return () if is_worn_out else _POSSIBLE.get(alert.state, ())
