"""Durations as people write them: "15m", "4h", "2d"."""

import re
from datetime import timedelta

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
LONGEST_QUOTE = 40
"""Characters of a foreign text that an error repeats."""
_TEXT = re.compile(r"([0-9]{1,7})([smhd])")


def parse_duration(text: str) -> timedelta:
    """A duration from a whole number and one unit of s, m, h, d. Raises ValueError for anything else."""
    match = _TEXT.fullmatch(text)
    if match is None:
        shown = text[:LONGEST_QUOTE]
        raise ValueError(f"not a duration: {shown!r}; write a whole number and s, m, h or d, such as 15m")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def format_duration(duration: timedelta) -> str:
    """The shortest exact spelling: 300 seconds is "5m"."""
    seconds = int(duration.total_seconds())
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
