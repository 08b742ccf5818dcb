"""Times of the week as lines: "monday-friday 20:00-08:00 Europe/Berlin"."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pydantic import JsonValue

from service.api.dashboard.documents.controls import Document
from service.domain.values.calendars import zone_names
from service.domain.values.periods import Weekday

INTERVALS_HINT = (
    "One a line: monday-friday 20:00-08:00 Europe/Berlin, or saturday sunday. Without hours: all day; without a zone:"
    " UTC. Hours over midnight belong to the day on which they begin."
)
_SHORTEST_DAY = 3
"""Letters: "mon"."""


def interval_text(interval: Document) -> str:
    """Returns an interval as a line that `read_interval` reads alike."""
    weekdays, times = (_listed(interval.get(name)) for name in ("weekdays", "times"))
    days = [str(one).replace(":", "-") for one in weekdays]
    hours = [f"{one.get('start_time', '')}-{one.get('end_time', '')}" for one in times if isinstance(one, dict)]
    return " ".join(part for part in (", ".join(days), ", ".join(hours), str(interval.get("location", ""))) if part)


def _listed(value: JsonValue) -> Sequence[JsonValue]:
    return value if isinstance(value, list) else ()


def read_interval(line: str) -> dict[str, JsonValue]:
    """Returns REST's document of a line. What is neither hours nor a zone is passed on as weekdays: REST says what is
    wrong with it.
    """
    words = _with_hyphens(line).replace(",", " ").split()
    hours = [word for word in words if word[0].isdigit()]
    zones = [word for word in words if word not in hours and ("/" in word or word in zone_names())]
    days = [word for word in words if word not in hours and word not in zones]
    interval: dict[str, JsonValue] = {"times": [_hours(one) for one in hours], "weekdays": [_days(one) for one in days]}
    return {**interval, "location": " ".join(zones)} if zones else interval


def _with_hyphens(line: str) -> str:
    """Returns the line with dashes between days or hours as people write them made plain: "Mon – Fri"."""
    return " ".join(line.replace("\u2013", " - ").split()).replace(" - ", "-")


def _hours(word: str) -> JsonValue:
    start, _, end = word.partition("-")
    return {"start_time": start, "end_time": end}


def _days(word: str) -> str:
    return ":".join(_day(part) for part in re.split("[:-]", word))


def _day(text: str) -> str:
    """Returns a weekday by its name or its beginning, and what is none as it is."""
    begun = text.lower()
    named = [day.value for day in Weekday if len(begun) >= _SHORTEST_DAY and day.value.startswith(begun)]
    return named[0] if named else text
