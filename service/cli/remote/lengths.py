"""How far back or ahead a command looks, as people write it: "24h"."""

from __future__ import annotations

from datetime import timedelta

from service.bootstrap.errors import OptionError
from service.domain.values.durations import parse_duration

LONGEST = timedelta(days=36_500)
"""No calendar ends within it, on either side of today; the server's own limits are narrower."""


def length_of(option: str, text: str) -> timedelta:
    """Returns the duration that an option was given. Raises OptionError for none at all, and for more than LONGEST."""
    try:
        length = parse_duration(text)
    except ValueError as error:
        raise OptionError(f"{option}: {error}") from error
    if not timedelta() < length <= LONGEST:
        raise OptionError(f"{option}: expected more than 0 and at most {LONGEST.days}d, not {text!r}")
    return length
