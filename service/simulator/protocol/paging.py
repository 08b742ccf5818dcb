"""Windows of buckets, and page tokens that only fit the request they were issued for."""

from __future__ import annotations

import base64
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from service.simulator.protocol.behaviour import Rounding
from service.simulator.protocol.errors import ApiError, invalid
from service.simulator.protocol.query import Query

_REMEMBERED = 10_000
_LISTED = 8


def floor(instant: datetime, width: timedelta) -> datetime:
    """The start of the bucket that the instant lies in."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return instant - (instant - epoch) % width


def first_bucket(instant: datetime, width: timedelta, rounding: Rounding) -> datetime:
    start = floor(instant, width)
    return start if start == instant or rounding is Rounding.FLOOR else start + width


class PageTokens:
    """Issued tokens and the parameters each belongs to; the oldest are forgotten."""

    def __init__(self) -> None:
        self._issued: OrderedDict[tuple[str, str], None] = OrderedDict()

    def issue(self, position: str, fingerprint: str) -> str:
        token = f"page_{base64.b64encode(position.encode()).decode()}"
        self._issued[(token, fingerprint)] = None
        if len(self._issued) > _REMEMBERED:
            self._issued.popitem(last=False)
        return token

    def redeem(self, token: str, fingerprint: str, foreign_status: int) -> str:
        """The position that the page continues at. Raises ApiError for a token of another request."""
        if (token, fingerprint) not in self._issued:
            raise ApiError(foreign_status, "page: token is not valid for these parameters")
        return base64.b64decode(token.removeprefix("page_")).decode()


class ListedRows:
    """The rows of the reports that are paged through by row: a later page is of the rows that the first one counted."""

    def __init__(self) -> None:
        self._listed: OrderedDict[str, list[dict[str, object]]] = OrderedDict()

    def keep(self, report: str, rows: list[dict[str, object]]) -> None:
        self._listed[report] = rows
        if len(self._listed) > _LISTED:
            self._listed.popitem(last=False)

    def of(self, report: str) -> list[dict[str, object]] | None:
        return self._listed.get(report)


@dataclass(frozen=True, slots=True)
class BucketRange:
    """The buckets [start, end) of one request, `width` each, at most `limit` to a page."""

    start: datetime
    end: datetime
    width: timedelta
    limit: int

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise invalid("Invalid date range: ending date must be after starting date")

    def page(self, query: Query, tokens: PageTokens, foreign_status: int) -> tuple[list[datetime], str | None]:
        """The bucket starts of the asked page, and the token of the next one."""
        token = query.text("page")
        fingerprint = query.fingerprint()
        first = datetime.fromisoformat(tokens.redeem(token, fingerprint, foreign_status)) if token else self.start
        left = max(0, (self.end - first) // self.width)
        starts = [first + index * self.width for index in range(min(left, self.limit))]
        following = first + len(starts) * self.width
        return starts, tokens.issue(stamp(following), fingerprint) if left > self.limit else None


def stamp(instant: datetime) -> str:
    """RFC 3339 as the API writes it: "2025-09-24T00:00:00Z"."""
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


def report(buckets: list[dict[str, object]], next_page: str | None) -> dict[str, object]:
    return {"data": buckets, "has_more": next_page is not None, "next_page": next_page}


def bucket(start: datetime, width: timedelta, results: list[dict[str, object]]) -> dict[str, object]:
    return {"starting_at": stamp(start), "ending_at": stamp(start + width), "results": results}
