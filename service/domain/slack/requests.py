"""Requests of people in Slack: who they are to us, which button they pressed, what they typed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo

from service.domain.notify.channels.slack import is_user
from service.domain.values.plain_text import clean

ACTOR_PREFIX = "slack:"
MORNING = time(9)
GROWTH = Decimal(50)
"""Percent by which an alert has to grow to end a snooze of the kind "until it grows"."""

_IN_SLACK = ", in Slack"
_VALUE = re.compile(r"([a-z0-9_]{1,30}):([A-Za-z0-9_-]{1,100}):([0-9]{1,9})(?::([A-Za-z0-9_-]{1,50}))?")


class SlackRole(StrEnum):
    """The roles of people in Slack; each may also do what those before it may."""

    NONE = "none"
    VIEWER = "viewer"
    RESPONDER = "responder"
    OPERATOR = "operator"
    ADMIN = "admin"

    def allows(self, needed: SlackRole) -> bool:
        order = list(SlackRole)
        return order.index(self) >= order.index(needed)


class Deed(StrEnum):
    """The effect of a button."""

    ACKNOWLEDGE = "acknowledge"
    SNOOZE_1H = "snooze_1h"
    SNOOZE_4H = "snooze_4h"
    SNOOZE_TOMORROW = "snooze_tomorrow"
    SNOOZE_GROWTH = "snooze_growth"
    HAND_ON = "hand_on"
    """The button under an alert asks to whom; the answer to that hands the alert on."""
    RESOLVE = "resolve"
    EXPECTED = "expected"
    NOT_USEFUL = "not_useful"

    @property
    def needs(self) -> SlackRole:
        """The smallest role that may do it."""
        return SlackRole.RESPONDER if self in _RESPONSES else SlackRole.OPERATOR


SNOOZES: Mapping[Deed, str] = {
    Deed.SNOOZE_1H: "for 1 hour",
    Deed.SNOOZE_4H: "for 4 hours",
    Deed.SNOOZE_TOMORROW: "until tomorrow, 09:00",
    Deed.SNOOZE_GROWTH: f"until it grows by {GROWTH}%",
}
_RESPONSES = frozenset({Deed.ACKNOWLEDGE, Deed.HAND_ON, *SNOOZES})

ACTION_PREFIX = "tocsin_"
"""The prefix of our own buttons' action ids."""


@dataclass(frozen=True, slots=True)
class SlackUser:
    """The permissions of one person in Slack. `timezone` is an IANA name: when "tomorrow, 09:00" is for them."""

    user: str
    role: SlackRole
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True)
class SlackUsers:
    """Everybody who is known by their Slack id; all others have the default role."""

    items: tuple[SlackUser, ...] = ()

    def find(self, user: str, default: SlackRole) -> SlackUser:
        return next((known for known in self.items if known.user == user), SlackUser(user, default))


@dataclass(frozen=True, slots=True)
class SlackPerson:
    """Somebody in Slack, as Slack tells of them. The name is untrusted text."""

    user: str
    name: str

    @property
    def actor(self) -> str:
        """How events and the audit log name them: "slack:U012AB3CD"."""
        return ACTOR_PREFIX + self.user

    @property
    def note(self) -> str:
        """Their name for people who do not know Slack's ids."""
        name = clean(self.name)
        return f"{name}{_IN_SLACK}" if name else ""


def name_in(actor: str, note: str) -> str:
    """The name in a note that is a `SlackPerson.note`; empty where the note is somebody's own words."""
    is_name = actor.startswith(ACTOR_PREFIX) and note.endswith(_IN_SLACK)
    return note.removesuffix(_IN_SLACK) if is_name else ""


@dataclass(frozen=True, slots=True)
class Press:
    """A pressed button. `version` is that of the alert as its message showed it.

    `to`: the id of the receiver that it is handed on to, in the answer to the question to whom.
    """

    person: SlackPerson
    deed: Deed
    alert_id: str
    version: int
    response_url: str
    to: str = ""


@dataclass(frozen=True, slots=True)
class Typed:
    """A slash command: the words after `/tocsin`."""

    person: SlackPerson
    text: str


def button_value(deed: Deed, alert_id: str, version: int, to: str = "") -> str:
    return f"{deed}:{alert_id}:{version}{f':{to}' if to else ''}"


def read_press(payload: Mapping[str, object]) -> Press | None:
    """The pressed button in an interaction's payload; None for what is none of our buttons.

    Raises ValueError for one of ours that cannot be read.
    """
    actions = payload.get("actions")
    pressed = actions[0] if isinstance(actions, list) and actions else None
    if payload.get("type") != "block_actions" or not isinstance(pressed, Mapping):
        return None
    if not _text(pressed, "action_id").startswith(ACTION_PREFIX):
        return None
    value = _VALUE.fullmatch(_text(pressed, "value") or _text(pressed, "selected_option", "value"))
    if value is None or value[1] not in list(Deed):
        raise ValueError("the button's value is not one of ours")
    return Press(
        person=_person(_text(payload, "user", "id"), _text(payload, "user", "name")),
        deed=Deed(value[1]),
        alert_id=value[2],
        version=int(value[3]),
        response_url=_text(payload, "response_url"),
        to=value[4] or "",
    )


def read_typed(payload: Mapping[str, object]) -> Typed:
    """A slash command's payload. Raises ValueError."""
    return Typed(_person(_text(payload, "user_id"), _text(payload, "user_name")), _text(payload, "text"))


def tomorrow_morning(now: datetime, timezone: str) -> datetime:
    """09:00 of the next day in an IANA zone, in UTC."""
    zone = ZoneInfo(timezone)
    next_day = now.astimezone(zone).date() + timedelta(days=1)
    return datetime.combine(next_day, MORNING, zone).astimezone(UTC)


def escaped(text: str) -> str:
    """Plain text for Slack's mrkdwn: no name becomes a mention or a link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def who(actor: str) -> str:
    """An actor for Slack's mrkdwn: a person in Slack as a mention, all others by their name."""
    user = actor.removeprefix(ACTOR_PREFIX)
    return f"<@{user}>" if user != actor and is_user(user) else escaped(clean(actor))


def _person(user: str, name: str) -> SlackPerson:
    if not is_user(user):
        raise ValueError("there is no Slack user in it")
    return SlackPerson(user, name)


def _text(value: object, *path: str) -> str:
    """The text at a path of nested objects; empty where there is none."""
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, str) else ""
