"""Query strings, read as strictly as the real API reads them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, datetime

from service.simulator.protocol.errors import invalid


class Query:
    """The parameters of one request. Every reader raises ApiError 400 for a value it cannot accept.

    `singles` may be given once, `lists` any number of times with brackets (`group_by[]=...`).
    """

    def __init__(self, pairs: Iterable[tuple[str, str]], singles: Collection[str], lists: Collection[str] = ()) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            if name not in singles and name not in lists:
                raise invalid(f"{name}: Extra inputs are not permitted")
            self._values.setdefault(name, []).append(value)
        for name in singles:
            if len(self._values.get(name, ())) > 1:
                raise invalid(f"{name}: given more than once")

    def text(self, name: str) -> str | None:
        return self._values.get(name, [None])[0]

    def required_instant(self, name: str) -> datetime:
        found = self.instant(name)
        if found is None:
            raise invalid(f"{name}: Field required")
        return found

    def instant(self, name: str) -> datetime | None:
        """An RFC 3339 timestamp in UTC; a bare date is its midnight."""
        text = self.text(name)
        if text is None:
            return None
        try:
            found = datetime.fromisoformat(text)
        except ValueError as error:
            raise invalid(f"{name}: Input should be a valid RFC 3339 datetime") from error
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)

    def integer(self, name: str, default: int, highest: int) -> int:
        text = self.text(name)
        if text is None:
            return default
        if not text.isdecimal() or not 1 <= int(text) <= highest:
            raise invalid(f"{name}: Input should be between 1 and {highest}")
        return int(text)

    def choice(self, name: str, allowed: Collection[str], default: str) -> str:
        text = self.text(name)
        if text is not None and text not in allowed:
            raise invalid(f"{name}: Input should be one of {', '.join(allowed)}")
        return default if text is None else text

    def flag(self, name: str) -> bool:
        return self.choice(name, ("true", "false"), "false") == "true"

    def several(self, name: str, allowed: Collection[str] = ()) -> list[str]:
        """The values of a repeated parameter; any value will do when `allowed` is empty."""
        found = self._values.get(name, [])
        for value in found:
            if allowed and value not in allowed:
                raise invalid(f"{name}: '{value}' should be one of {', '.join(allowed)}")
        return found

    def fingerprint(self) -> str:
        """The same text for the same parameters, whatever the page."""
        return repr(sorted((name, sorted(values)) for name, values in self._values.items() if name != "page"))
