"""Names and texts from outside, made harmless: the one place where they are cleaned and shortened."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import date, datetime
from decimal import ROUND_DOWN, Decimal

NAME_LENGTH = 80
NOTE_LENGTH = 300

# These join emoji families and some scripts; every other format character (bidi overrides, say) goes.
_JOINERS = "\u200c\u200d"
_SPACES = frozenset({"Zs", "Zl", "Zp"})
_DROPPED = frozenset({"Cc", "Cf", "Cs"})
_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})
_ISOLATE, _END_OF_ISOLATE = "\u2068", "\u2069"
_READ_AT_MOST = 10  # times the limit: enough for a name padded with what is dropped, and cheap for a huge one


def clean(text: str, limit: int = NAME_LENGTH) -> str:
    """One line without control, format or unpaired surrogate characters, of at most `limit` characters.

    A right-to-left text is isolated (two characters more), so that it cannot reorder the dollars beside it.
    """
    kept = "".join(_harmless(character) for character in text[: limit * _READ_AT_MOST])
    line = " ".join(kept.split())
    if len(line) > limit:
        line = line[: limit - 1].rstrip(_JOINERS + " ") + "…"
    if any(unicodedata.bidirectional(character) in _RIGHT_TO_LEFT for character in line):
        return f"{_ISOLATE}{line}{_END_OF_ISOLATE}"
    return line


def _harmless(character: str) -> str:
    category = unicodedata.category(character)
    if category in _SPACES or character in "\t\n\r":
        return " "
    return "" if category in _DROPPED and character not in _JOINERS else character


def percentage(percent: Decimal) -> str:
    """Whole percents, rounded towards zero as dollars are: a message never claims more than was reached (99.96 is
    "99%"), and "2% less" is the same as "-2%". Below one percent a decimal says that it is not nothing: "0.4%".
    """
    step = Decimal(1) if abs(percent) >= 1 else Decimal("0.1")
    shown = percent.quantize(step, rounding=ROUND_DOWN)
    return f"{shown or abs(shown):,f}".removesuffix(".0") + "%"


def short_day(day: date) -> str:
    """A day as people say it: "Sat 28 Nov"."""
    return f"{day:%a} {day.day} {day:%b}"


def short_days(days: Sequence[date], most: int = 4) -> str:
    """The first of some days, and how many there are more: "Fri 25 Dec, Sat 26 Dec and 3 more"."""
    more = f" and {len(days) - most} more" if len(days) > most else ""
    return f"{', '.join(map(short_day, days[:most]))}{more}"


def moment(at: datetime) -> str:
    """An aware UTC instant in a message: "09:31 UTC, Wed 14 Oct"."""
    return f"{at:%H:%M} UTC, {short_day(at.date())}"


def minute(at: datetime) -> str:
    """An aware UTC instant for people: "2026-10-14 09:31 UTC"."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def scaled(count: int) -> str:
    """ "1.2B", "5.0M", "812k", "412"."""
    for size, letter in ((1_000_000_000, "B"), (1_000_000, "M")):
        if count >= size:
            return f"{count / size:,.1f}{letter}"
    return f"{count // 1000}k" if count >= 1000 else f"{count}"
