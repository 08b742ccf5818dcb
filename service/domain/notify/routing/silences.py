"""Silences: for a while, nobody is notified of the alerts that they match."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from service.domain.notify.routing.doubts import require_possible
from service.domain.notify.routing.labels import Labels
from service.domain.notify.routing.matchers import Matcher, match_all, matches, validate_matchers
from service.domain.values.errors import Invalid
from service.domain.values.plain_text import minute
from service.domain.values.resources import Resource

LONGEST_SILENCE = timedelta(days=90)
"""Whoever wants to hear nothing for longer should edit the route, the budget or the rule."""


class SilenceState(StrEnum):
    PENDING = "pending"
    ACTIVE = "active"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Silence:
    """From `starts_at`, included, to `ends_at`, not included; `expired_at` is when somebody ended it early.

    `author` is the actor who made it, `author_name` the name of somebody in Slack; empty for others.
    """

    matchers: tuple[Matcher, ...]
    starts_at: datetime
    ends_at: datetime
    comment: str = ""
    author: str = ""
    expired_at: datetime | None = None
    author_name: str = ""

    def state(self, now: datetime) -> SilenceState:
        if self.expired_at is not None or now >= self.ends_at:
            return SilenceState.EXPIRED
        return SilenceState.ACTIVE if now >= self.starts_at else SilenceState.PENDING

    @property
    def is_too_long(self) -> bool:
        """Whether it was made before silences had a longest duration: it stays valid."""
        return self.ends_at - self.starts_at > LONGEST_SILENCE


def validate_silence(silence: Silence, stored: Silence | None = None) -> None:
    """Raises Invalid. A silence of everything has to be asked for: one matcher must not match what has no labels.

    A stored one that is too long may be changed in all else, and shortened.
    """
    if silence.ends_at <= silence.starts_at:
        raise Invalid("must be later than starts_at", "/ends_at")
    shortened = stored is not None and silence.starts_at >= stored.starts_at and silence.ends_at <= stored.ends_at
    if silence.is_too_long and not shortened:
        raise Invalid(f"a silence lasts {LONGEST_SILENCE.days} days at most", "/ends_at")
    validate_matchers(silence.matchers, "/matchers")
    require_possible(silence.matchers, "/matchers")
    if all(matches(matcher, {}) for matcher in silence.matchers):
        raise Invalid(
            "this would silence nearly everything: at least one matcher must ask for a value, such as severity=warning",
            "/matchers",
        )


def describe_silence(silence: Resource[Silence]) -> str:
    """Names it for people: "'load test' (sil_1), until 2026-12-05 20:00 UTC"."""
    return f"{silence.name!r} ({silence.id}), until {minute(silence.spec.ends_at)}"


def silencing(silences: Iterable[Resource[Silence]], labels: Labels, now: datetime) -> tuple[Resource[Silence], ...]:
    """The active silences that match these labels."""
    active = (one for one in silences if one.spec.state(now) is SilenceState.ACTIVE)
    return tuple(one for one in active if match_all(one.spec.matchers, labels))
