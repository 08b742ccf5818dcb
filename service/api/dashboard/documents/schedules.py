"""Cron schedules as a choice of days and a time of the day: "monday 09:00"."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from service.domain.values.periods import Weekday

ON, AT = "/on", "/at"
"""The names of the two fields, inside the schedule's own, which holds a cron text where none of the days is chosen."""
_LAST_DAY = 28
"""Every month has it."""
_DAYS: Mapping[str, str] = {
    "daily": "* * *",
    "working-days": "* * 1-5",
    **{day.value: f"* * {number % 7}" for number, day in enumerate(Weekday, 1)},
    **{f"day-{day}": f"{day} * *" for day in range(1, _LAST_DAY + 1)},
}
_ON = {cron: days for days, cron in _DAYS.items()}
_AT = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])", re.ASCII)
_CRON = re.compile(r"([0-9]|[1-5][0-9]) ([0-9]|1[0-9]|2[0-3]) (.+)", re.ASCII)

CHOICES: Sequence[tuple[str, str]] = (
    ("daily", "every day"),
    ("working-days", "Monday to Friday"),
    *((day.value, f"every {day.value.capitalize()}") for day in Weekday),
    *((f"day-{day}", f"on day {day} of the month") for day in range(1, _LAST_DAY + 1)),
    ("", "by the cron text"),
)


def chosen(form: Mapping[str, str], pointer: str) -> str:
    """Returns what a form says of a schedule as one text: "monday 09:00", or the cron text."""
    on = form.get(f"{pointer}{ON}", "")
    return f"{on} {form.get(f'{pointer}{AT}', '').strip()}" if on else form.get(pointer, "")


def read_schedule(text: str) -> str | None:
    """Returns the cron text of such a text, and the text itself where it is of no day and time: REST reads that."""
    on, _, at = text.rpartition(" ")
    time = _AT.fullmatch(at)
    return f"{int(time[2])} {int(time[1])} {_DAYS[on]}" if time and on in _DAYS else text or None


def schedule_text(cron: str) -> str:
    """Returns a text that `read_schedule` reads alike: of days and a time, where the cron text says no more."""
    read = _CRON.fullmatch(cron)
    on = _ON.get(read[3]) if read else None
    return f"{on} {int(read[2]):02}:{int(read[1]):02}" if read and on else cron
