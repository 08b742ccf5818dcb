"""Calendars as text: iCalendar, RFC 5545."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

MEDIA = "text/calendar"
MOST_OCTETS = 75
"""Octets of a line, without its end (RFC 5545, 3.1)."""
_ESCAPES = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing in a calendar. `uid` stays the same whenever the calendar is read again."""

    uid: str
    summary: str
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Revision:
    """Which version of the calendar this is, and since when it holds."""

    number: int
    at: datetime


def calendar_text(name: str, entries: Sequence[Entry], revision: Revision) -> str:
    """A calendar that is published, with its entries in order."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Tocsin//Rota//EN",
        f"NAME:{escaped(name)}",  # RFC 7986; the next line is what older programs read
        f"X-WR-CALNAME:{escaped(name)}",
        *(line for entry in entries for line in _event(entry, revision)),
        "END:VCALENDAR",
    ]
    return "".join(f"{folded(line)}\r\n" for line in lines)


def _event(entry: Entry, revision: Revision) -> Iterator[str]:
    yield "BEGIN:VEVENT"
    yield f"UID:{escaped(entry.uid)}"
    yield f"DTSTAMP:{instant(revision.at)}"
    yield f"SEQUENCE:{revision.number}"
    yield f"DTSTART:{instant(entry.starts_at)}"
    yield f"DTEND:{instant(entry.ends_at)}"
    yield f"SUMMARY:{escaped(entry.summary)}"
    yield "TRANSP:TRANSPARENT"  # whoever is on call is free for meetings
    yield "END:VEVENT"


def instant(at: datetime) -> str:
    """An aware instant in UTC, to the second."""
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def escaped(text: str) -> str:
    """A value of type TEXT (RFC 5545, 3.3.11)."""
    return text.translate(_ESCAPES)


def folded(line: str) -> str:
    """A line cut so that no part is too long and no character is in two parts."""
    parts, room = [""], MOST_OCTETS
    for character in line:
        size = len(character.encode())
        if size > room:
            parts.append("")
            room = MOST_OCTETS - 1  # the space that continues a line counts
        parts[-1] += character
        room -= size
    return "\r\n ".join(parts)
