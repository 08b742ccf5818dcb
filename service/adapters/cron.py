"""Cron schedules, read by APScheduler.

APScheduler counts weekdays from Monday where cron counts from Sunday (agronholm/apscheduler#286), and does not get past
an hour that clocks repeat. So weekdays are handed over by name, and occurrences are looked for on a clock that knows no
summer time; what they are in UTC is found here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from apscheduler.triggers.cron import CronTrigger

from service.domain.values.calendars import zone_names, zone_of
from service.domain.values.errors import Invalid

WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
FIELDS = 5
SPANS = (timedelta(hours=2), timedelta(days=1), timedelta(days=8), timedelta(days=32), timedelta(days=370))
"""How far back to look for the last occurrence: one that comes often is found soon."""
REPEATED_HOUR = timedelta(hours=3)
"""More than clocks are ever set back at once."""
YEARS = (datetime(2025, 1, 1, tzinfo=UTC), datetime(2029, 1, 1, tzinfo=UTC))
"""One of them is a leap year."""
YEARS_TRIED = "2025-2028"
"""Bounds the search for an occurrence: APScheduler looks for a 30 February until the year 9999."""
YEARLY = 4
LONGEST = 100
"""Characters."""
_STEPPED = re.compile(r"(?P<first>\*|\w+)(-(?P<last>\w+))?(/(?P<step>[1-9]))?")


class CrontabReader:
    """The product's `Cron`."""

    def require_sound(self, cron: str, timezone: str) -> None:
        if timezone not in zone_names():
            raise Invalid(f"{timezone[:LONGEST]!r} is not an IANA time zone, such as Europe/Berlin", "/timezone")
        if len(cron) > LONGEST:
            raise Invalid(f"a schedule has {LONGEST} characters at most", "/cron")
        if len(cron.split()) != FIELDS:
            raise Invalid('write five fields: minute, hour, day of month, month, weekday, such as "0 9 * * 1"', "/cron")
        minute, _, day, _, weekday = cron.split()
        if not minute.isdecimal():
            raise Invalid("the minute is one number: a digest comes once an hour at most", "/cron")
        if day != "*" and weekday != "*":
            raise Invalid("give either days of the month or weekdays, and * for the other", "/cron")
        try:
            trigger = _trigger(cron, YEARS_TRIED)
        except ValueError as error:
            raise Invalid(f"not a schedule: {error}", "/cron") from None
        if sum(1 for _, _ in zip(_walls(trigger, *YEARS), range(YEARLY), strict=False)) < YEARLY:
            raise Invalid("a digest comes at least once a year", "/cron")

    def latest(self, cron: str, timezone: str, at: datetime) -> datetime:
        zone, trigger = zone_of(timezone), _trigger(cron)
        wall = at.astimezone(zone).replace(tzinfo=UTC)
        for span in SPANS:
            found = [
                occurrence
                for one in _walls(trigger, wall - span, wall + REPEATED_HOUR)
                if (occurrence := one.replace(tzinfo=zone).astimezone(UTC)) <= at
            ]
            if found:
                return max(found)
        raise ValueError(f"{cron!r} has no occurrence in the year before {at}")

    def following(self, cron: str, timezone: str, at: datetime) -> datetime:
        zone, wall = zone_of(timezone), at.astimezone(zone_of(timezone)).replace(tzinfo=UTC)
        for one in _walls(_trigger(cron), wall - REPEATED_HOUR, wall + SPANS[-1]):
            if (occurrence := one.replace(tzinfo=zone).astimezone(UTC)) > at:
                return occurrence
        raise ValueError(f"{cron!r} has no occurrence in the year after {at}")


@lru_cache(maxsize=256)
def _trigger(cron: str, years: str = "*") -> CronTrigger:
    """On a clock without summer time. Raises ValueError."""
    minute, hour, day, month, weekday = cron.split()
    named = _named_weekdays(weekday)
    return CronTrigger(year=years, minute=minute, hour=hour, day=day, month=month, day_of_week=named, timezone=UTC)


def _walls(trigger: CronTrigger, start: datetime, end: datetime) -> Iterator[datetime]:
    """The wall-clock times of the occurrences in start <= t < end, written as if they were UTC."""
    last: datetime | None = None
    while True:
        after = start if last is None else last + timedelta(minutes=1)
        last = trigger.get_next_fire_time(None, after) if after < end else None
        if last is None or last >= end:
            return
        yield last


def _named_weekdays(field: str) -> str:
    """Cron's numbers and ranges, 0 and 7 being Sunday, as a list of names. Raises ValueError."""
    if field == "*":
        return field
    days = {day % 7 for part in field.lower().split(",") for day in _weekdays(part)}
    return ",".join(WEEKDAYS[day] for day in sorted(days))


def _weekdays(part: str) -> range:
    read = _STEPPED.fullmatch(part)
    if read is None:
        raise ValueError(f"{part!r} is no weekday")
    everything = read["first"] == "*"
    first = 0 if everything else _weekday(read["first"])
    last = 6 if everything or (read["step"] and not read["last"]) else _weekday(read["last"] or read["first"])
    if last < first:
        last += 7  # such as fri-mon
    return range(first, last + 1, int(read["step"] or 1))


def _weekday(text: str) -> int:
    if text in WEEKDAYS:
        return WEEKDAYS.index(text)
    if text.isdecimal() and int(text) <= 7:
        return int(text)
    raise ValueError(f"{text!r} is no weekday")
