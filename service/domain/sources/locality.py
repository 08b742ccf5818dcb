"""Where the people of a source live: the clock that they live by."""

from __future__ import annotations

from dataclasses import dataclass

LIKELY_ZONES = ("Europe/Berlin", "America/New_York")
"""Zones whose clock changes are tried where nobody has said which: those of Europe, and of the US and Canada."""


@dataclass(frozen=True, slots=True)
class Locality:
    """`zones`: IANA zones whose clock changes spend may follow. `is_set`: a person has named the zone."""

    zones: tuple[str, ...] = ()
    is_set: bool = False


NOWHERE = Locality()
"""Nothing is known, and nothing is tried: all is judged by UTC."""


def locality_of(timezone: str | None) -> Locality:
    """The locality of a source with this time zone; None: nobody has said."""
    return Locality(LIKELY_ZONES) if timezone is None else Locality((timezone,), is_set=True)
