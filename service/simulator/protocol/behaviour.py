"""Switches for what is not known about the real API; the defaults are the likeliest answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum


class Rounding(StrEnum):
    """How an unaligned `starting_at` finds its first bucket."""

    FLOOR = "floor"
    CEILING = "ceiling"


class OpenEnd(StrEnum):
    """Where a cost report without `ending_at` ends: after today's partial day or before it."""

    NEXT_MIDNIGHT = "next_midnight"
    LAST_MIDNIGHT = "last_midnight"


class Today(StrEnum):
    """The cost report of the day that is not over."""

    PARTIAL = "partial"
    EMPTY = "empty"
    REFUSED = "refused"  # 400 when nothing but today is asked for


@dataclass(slots=True)
class Behaviour:
    """Switches; changed at any time, they hold from the next request on."""

    rounding: Rounding = Rounding.FLOOR
    open_end: OpenEnd = OpenEnd.NEXT_MIDNIGHT
    today: Today = Today.PARTIAL
    workspace_key_status: int = 401  # or 403: what an ordinary API key is answered with
    foreign_page_status: int = 400  # or 410: a page token whose other parameters changed
    requests_per_minute: int = 60
    has_analytics: bool = True  # whether the organisation was let into the beta of the analytics reports; else 404
    hipaa_ready: bool = False  # the analytics reports are refused with 400
    refresh_delay: timedelta = timedelta()  # how much later than every four hours the analytics data are refreshed
    children: dict[str, str] = field(default_factory=dict)  # workspace: the linked organisation that has it
