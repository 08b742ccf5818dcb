"""Ways in which the simulated API can fail, and which request is next to suffer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

ENDPOINTS = (
    "cost_report", "usage_report", "claude_code", "analytics_cost", "analytics_usage", "workspaces", "api_keys",
    "organization",
)  # fmt: skip


class Fault(StrEnum):
    """Refusals, broken transports, broken paging and broken content."""

    RATE_LIMITED = "rate_limited"  # 429 with retry-after: `seconds`
    RATE_LIMITED_SILENT = "rate_limited_silent"  # 429 without it
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    SERVER_ERROR = "server_error"
    TIMEOUT = "timeout"
    OVERLOADED = "overloaded"
    SLOW_BODY = "slow_body"  # the second half of the body comes `seconds` of real time later
    TRUNCATED_JSON = "truncated_json"
    HTML_BODY = "html_body"
    CONNECTION_RESET = "connection_reset"  # the connection closes in mid-body
    MORE_WITHOUT_NEXT = "more_without_next"  # has_more is true, next_page null
    REPEATED_PAGE = "repeated_page"  # a page names itself as the next one
    EXPIRED_PAGE = "expired_page"  # 410: a page token of before the data were refreshed
    DUPLICATE_PAGE = "duplicate_page"  # a page brings the previous page's buckets again
    UNKNOWN_FIELD = "unknown_field"
    UNKNOWN_ENUM = "unknown_enum"
    NUMERIC_AMOUNT = "numeric_amount"
    EXPONENT_AMOUNT = "exponent_amount"
    NEGATIVE_AMOUNT = "negative_amount"
    FOREIGN_CURRENCY = "foreign_currency"
    EMPTY_DATA = "empty_data"


_ONLY_ON_LATER_PAGES = frozenset({Fault.REPEATED_PAGE, Fault.EXPIRED_PAGE, Fault.DUPLICATE_PAGE})


@dataclass(slots=True)
class Injection:
    """A fault at work: `left` more times, or until cleared when None."""

    endpoint: str
    fault: Fault
    left: int | None
    seconds: float


class Faults:
    """The injections that wait for a request; the oldest one that fits is taken."""

    def __init__(self) -> None:
        self._waiting: list[Injection] = []

    def inject(self, endpoint: str, fault: Fault, times: int | None = 1, seconds: float = 2) -> None:
        """Let the endpoint fail `times` times, or for good when None. Raises ValueError for another name.

        `seconds` is the retry-after of a rate limit, and the pause of a slow body.
        """
        if endpoint not in ENDPOINTS:
            raise ValueError(f"endpoint must be one of {', '.join(ENDPOINTS)}")
        self._waiting.append(Injection(endpoint, fault, times, seconds))

    def clear(self) -> None:
        self._waiting.clear()

    def waiting(self) -> list[Injection]:
        return list(self._waiting)

    def take(self, endpoint: str, *, later_page: bool) -> Injection | None:
        """The fault that this request suffers, used up once."""
        for injection in self._waiting:
            if injection.endpoint == endpoint and (later_page or injection.fault not in _ONLY_ON_LATER_PAGES):
                if injection.left is not None:
                    injection.left -= 1
                    if injection.left <= 0:
                        self._waiting.remove(injection)
                return injection
        return None
