"""A failed request in the operator's words, and whether and when to send it again.

Which failures are retried and how long to wait follow the vendor's own Python SDK (`_base_client.py`):
`x-should-retry` decides; else 408, 409, 429, 5xx and broken connections are retried, after
`retry-after-ms`, or `retry-after` in seconds or as an HTTP date.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import httpx

from service.adapters.claude.answers import NotUnderstood, Record, decoded
from service.adapters.claude.credentials import AdminKey
from service.domain.sources.concerns import SourceConcern
from service.workflows.ports.sources import SourceError

_RETRIED = {408, 409, 429}
# A spending cap, not a rate: it ends with the month or with a contract, not with patience.
_CAPS = {"enforced_spend_limit_reached", "contract_spend_limit_reached"}
_LONGEST_MESSAGE = 300
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_API = "The Claude Admin API"

_MEANINGS = {
    400: f"{_API} did not accept the request",
    401: f"{_API} does not know the admin key: it is wrong, expired or revoked. Create a new one in the "
    "Claude Console (Settings, Admin keys) and set it as this source's admin_key",
    402: f"{_API} reports a billing problem of the organisation",
    403: f"{_API} does not let this key read the organisation's cost. The source needs an admin key "
    "(sk-ant-admin...) made by an organisation admin, with no restriction",
    404: f"{_API} knows no such report: check this source's base_url",
    410: f"{_API} dropped the report's page token while it was being read",
    429: f"{_API} asks for fewer requests",
    504: f"{_API} took too long to answer",
    529: f"{_API} is overloaded",
}
_WORKSPACE_KEY = (
    f"{_API} refused the key: it does not start with sk-ant-admin, and the keys of workspaces "
    "(sk-ant-api03-...) cannot read cost. Create an admin key in the Claude Console and set it as this "
    "source's admin_key. With a key of Claude Enterprise that has the permission read:analytics, let the source's "
    "kind be claude_analytics"
)
_WEB_PAGE = "A web page came instead of the report: base_url is wrong, or a proxy or firewall answers in its place"


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer, read to its end."""

    status: int
    headers: httpx.Headers
    body: bytes

    @property
    def is_web_page(self) -> bool:
        return "html" in self.headers.get("content-type", "") or self.body.lstrip().startswith(b"<")

    def request_id(self, key: AdminKey) -> str:
        """The vendor's name for this exchange, for their support; "" when there is none."""
        return _clean(self.headers.get("request-id", ""), key)


class RequestFailed(SourceError):
    """A request failed. `wait`: how long the server asks to be left alone; `status`: 0 without an answer.

    `organization`: the id of the organisation that the refused key belongs to, where the answer says it.
    """

    def __init__(
        self,
        detail: str,
        *,
        retryable: bool,
        status: int = 0,
        wait: timedelta | None = None,
        organization: str = "",
        concerns: SourceConcern = SourceConcern.MOMENT,
    ) -> None:
        super().__init__(detail, retryable=retryable, wait=wait, concerns=concerns)
        self.status = status
        self.organization = organization

    @property
    def is_not_allowed(self) -> bool:
        return self.status == HTTPStatus.FORBIDDEN


class AnswerTooLong(RequestFailed):
    """The answer outgrew its limit. Asking for fewer buckets a page can help, asking again cannot."""

    def __init__(self, path: str, longest: int) -> None:
        super().__init__(f"{path}: the answer is longer than {longest:,} bytes.", retryable=False)


def refused(reply: Reply, key: AdminKey, meanings: Mapping[int, str]) -> RequestFailed:
    """The failure that any answer but 200 stands for. `meanings` are those of the family of reports, by status."""
    envelope = _Envelope.of(reply, key)
    wait = asked_wait(reply.headers)
    said = [f"{_meaning(reply, key, meanings)} ({reply.status})."]
    if envelope.message:
        said.append(f"It says: {envelope.message}")
    if wait is not None:
        said.append(f"It asks to wait {math.ceil(wait.total_seconds())} seconds.")
    if request_id := reply.request_id(key) or envelope.request_id:
        said.append(f"[request-id {request_id}]")
    retryable = _is_retryable(reply, envelope.code)
    organization = _clean(reply.headers.get("anthropic-organization-id", ""), key)
    return RequestFailed(
        " ".join(said),
        retryable=retryable,
        status=reply.status,
        wait=wait,
        organization=organization,
        concerns=_concern(reply),
    )


def web_page(reply: Reply) -> RequestFailed:
    return RequestFailed(f"{_WEB_PAGE}.", retryable=False, status=reply.status, concerns=SourceConcern.ADDRESS)


def unreachable(error: httpx.RequestError, host: str, key: AdminKey) -> RequestFailed:
    """The failure of a request that no answer, or half of one, came to."""
    if isinstance(error, httpx.TimeoutException):
        late = f"{host} did not answer in time ({type(error).__name__})."
        return RequestFailed(late, retryable=True, concerns=SourceConcern.NETWORK)
    reason = _clean(str(error), key) or type(error).__name__
    ours = isinstance(error, httpx.LocalProtocolError)
    problem = f"The connection to {host} failed: {reason}."
    return RequestFailed(problem, retryable=not ours, concerns=SourceConcern.NETWORK)


def asked_wait(headers: httpx.Headers) -> timedelta | None:
    """How long the server asks to wait; None when it does not say, or says zero.

    An HTTP date is read against the server's own `Date`, so that a wrong clock on this side cannot matter.
    """
    milliseconds = _positive(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return _bounded(milliseconds / 1000)
    asked = headers.get("retry-after", "")
    seconds = _positive(asked)
    if seconds is None:
        until, now = _http_date(asked), _http_date(headers.get("date", ""))
        seconds = (until - now).total_seconds() if until and now else None
    return _bounded(seconds) if seconds is not None and seconds > 0 else None


@dataclass(frozen=True, slots=True)
class _Envelope:
    """The message of an error body, as far as it can be read."""

    message: str = ""
    code: str = ""
    request_id: str = ""

    @classmethod
    def of(cls, reply: Reply, key: AdminKey) -> _Envelope:
        try:
            body = decoded(reply.body)
        except NotUnderstood:
            return cls()
        error = _nested(body, "error")
        return cls(
            _clean(error.get("message"), key),
            _clean(_nested(error, "details").get("error_code"), key),
            _clean(body.get("request_id"), key),
        )


def _meaning(reply: Reply, key: AdminKey, meanings: Mapping[int, str]) -> str:
    if 300 <= reply.status < 400:
        return f"The address redirects{_target(reply, key)}, which is not followed: correct base_url"
    if reply.is_web_page and reply.status < 500:
        return _WEB_PAGE
    if reply.status in meanings:
        return meanings[reply.status]
    if reply.status in {401, 403} and not key.looks_right:
        return _WORKSPACE_KEY
    if reply.status >= 500:
        return _MEANINGS.get(reply.status, f"{_API} has a fault of its own")
    return _MEANINGS.get(reply.status, f"{_API} gave an answer that nobody expected")


def _concern(reply: Reply) -> SourceConcern:
    if 300 <= reply.status < 400 or reply.status == HTTPStatus.NOT_FOUND:
        return SourceConcern.ADDRESS
    if reply.is_web_page and reply.status < 500:
        return SourceConcern.ADDRESS
    return SourceConcern.KEY if reply.status in {401, 403} else SourceConcern.MOMENT


def _target(reply: Reply, key: AdminKey) -> str:
    """The host of a redirect, without the path and the query that may carry secrets."""
    try:
        host = httpx.URL(reply.headers.get("location", "")).host
    except httpx.InvalidURL:
        return ""
    return f" to {_clean(host, key)}" if host else ""


def _is_retryable(reply: Reply, code: str) -> bool:
    verdict = reply.headers.get("x-should-retry", "").lower()
    if verdict in {"true", "false"}:
        return bool(verdict == "true")
    if code in _CAPS:
        return False
    return reply.status in _RETRIED or reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR


def _nested(body: Record, name: str) -> Record:
    value = body.get(name)
    return value if isinstance(value, dict) else {}


def _clean(value: object, key: AdminKey) -> str:
    """Foreign text on one short line, without control characters and without the key."""
    if not isinstance(value, str):
        return ""
    line = " ".join(_CONTROL.sub(" ", key.hidden_in(value)).split())
    return line if len(line) <= _LONGEST_MESSAGE else line[:_LONGEST_MESSAGE] + "..."


def _positive(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and number > 0 else None


def _bounded(seconds: float) -> timedelta:
    return timedelta(seconds=min(seconds, 86_400.0))


def _http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
