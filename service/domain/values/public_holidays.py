"""Public holidays of countries, as the library `holidays` knows them; it is loaded when the first one is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache, lru_cache


@cache
def countries() -> Mapping[str, tuple[str, ...]]:
    """The countries whose holidays are known, by their ISO 3166-1 code, and the subdivisions of each."""
    from holidays import list_supported_countries

    known = list_supported_countries(include_aliases=False)
    return {country: tuple(subdivisions) for country, subdivisions in sorted(known.items())}


@lru_cache(maxsize=256)
def holidays_of(country: str, subdivision: str | None, year: int) -> Mapping[date, str]:
    """The public holidays of one year and their English names, by the local date; none of a place that is not known."""
    from holidays import country_holidays

    try:
        found = country_holidays(country, subdiv=subdivision, years=year, language="en_US")
    except NotImplementedError:  # a place that an earlier version of the library knew: `tocsin check` says so
        return {}
    return {day: name for day, name in sorted(found.items()) if day.year == year}
