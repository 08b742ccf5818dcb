"""The HTTP side: one GET at a time, retried with patience, within a deadline for the whole report."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TypeVar

import httpx
import stamina

from service import __version__
from service.adapters.claude.answers import AnswerPage, NotUnderstood, Record, decoded, page
from service.adapters.claude.credentials import AdminKey
from service.adapters.claude.failures import AnswerTooLong, Reply, RequestFailed, refused, unreachable, web_page
from service.domain.sources.concerns import SourceConcern
from service.workflows.ports.platform import EgressRefused
from service.workflows.ports.sources import SourceError


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one family of reports is asked for, and what a refusal means there, by its status."""

    version: str
    beta: str = ""
    refusals: Mapping[int, str] = field(default_factory=dict)

    @property
    def headers(self) -> dict[str, str]:
        named = {"anthropic-version": self.version}
        return named | {"anthropic-beta": self.beta} if self.beta else named


ADMIN = Dialect("2023-06-01")
"""The version whose answers the parser knows; 2026-10-21 renames fields of the Admin API."""

_NO_ADMIN_KEY = (
    "The Claude Admin API refused the key: it does not start with sk-ant-admin. With the permission read:analytics a"
    " key of Claude Enterprise reads the analytics reports alone"
)
BESIDE_ANALYTICS = replace(ADMIN, refusals={401: _NO_ADMIN_KEY, 403: _NO_ADMIN_KEY})
"""The Admin API for a source that reads the analytics reports already: to advise them helps nobody."""

Query = Sequence[tuple[str, str | int]]
Answer = TypeVar("Answer", Record, AnswerPage)


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how often to try. `deadline` covers all pages, retries and waits of one report.

    `attempts` counts the first one; there are more than the SDK's three since a back-fill meets bare 429s. After one of
    these, which name no time, it waits for `limited_wait`: limits count by the minute, and all attempts outlast one.
    """

    attempts: int = 5
    first_wait: timedelta = timedelta(seconds=0.5)
    longest_wait: timedelta = timedelta(seconds=8)
    limited_wait: timedelta = timedelta(seconds=16)
    connect: timedelta = timedelta(seconds=5)
    read: timedelta = timedelta(seconds=30)
    deadline: timedelta = timedelta(minutes=3)
    answer_bytes: int = 64 * 1024 * 1024
    refusal_bytes: int = 64 * 1024


STANDARD_LIMITS = Limits()


class Report:
    """One report while it is read: every request of it shares the deadline, in the event loop's time."""

    def __init__(
        self, http: httpx.AsyncClient, key: AdminKey, limits: Limits, ends_at: float, dialect: Dialect
    ) -> None:
        self._http = http
        self._dialect = dialect
        self._key = key
        self._limits = limits
        self._ends_at = ends_at
        self._send = stamina.AsyncRetryingCaller(
            attempts=limits.attempts,
            timeout=None,
            wait_initial=limits.first_wait,
            wait_max=limits.longest_wait,
            wait_jitter=limits.first_wait / 2,
        )
        self.request_id = ""
        self.answered = 0
        self.last_failure = ""

    async def get(self, path: str) -> Record:
        """The JSON object at a path below base_url. Raises RequestFailed when patience ends."""
        return await self._send(self._pause, self._ask, decoded, path, ())

    async def get_page(self, path: str, query: Query) -> AnswerPage:
        """A page of a list at a path below base_url. Raises RequestFailed when patience ends."""
        return await self._send(self._pause, self._ask, page, path, query)

    def _pause(self, error: Exception) -> bool | float:
        """Whether to ask again, and after how many seconds; True leaves the wait to the back-off."""
        if not isinstance(error, RequestFailed) or not error.retryable:
            return False
        self.last_failure = str(error)
        wait = error.wait
        if wait is None and error.status == httpx.codes.TOO_MANY_REQUESTS:
            wait = self._limits.limited_wait
        if wait is None:
            return True
        seconds = wait.total_seconds()
        in_time = asyncio.get_running_loop().time() + seconds < self._ends_at
        return seconds if in_time else False

    async def _ask(self, read: Callable[[bytes], Answer], path: str, query: Query) -> Answer:
        reply = await self._fetch(path, query)
        self.request_id = reply.request_id(self._key)
        if reply.status != httpx.codes.OK:
            raise refused(reply, self._key, self._dialect.refusals)
        if reply.is_web_page:
            raise web_page(reply)
        self.answered += 1
        try:
            return read(reply.body)
        except NotUnderstood as error:
            problem = self._key.hidden_in(f"{path}: {error}.")
            raise RequestFailed(problem, retryable=error.retryable) from None

    async def _fetch(self, path: str, query: Query) -> Reply:
        try:
            async with self._http.stream("GET", path, params=list(query)) as response:
                body = bytearray()
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if response.status_code != httpx.codes.OK and len(body) > self._limits.refusal_bytes:
                        break  # a refusal is quoted in 300 characters
                    if len(body) > self._limits.answer_bytes:
                        raise AnswerTooLong(path, self._limits.answer_bytes)
                return Reply(response.status_code, response.headers, bytes(body))
        except EgressRefused as error:
            problem = f"The source may not be read: {error}."
            raise RequestFailed(problem, retryable=False, concerns=SourceConcern.EGRESS) from error
        except httpx.RequestError as error:
            raise unreachable(error, self._http.base_url.host, self._key) from error


class AdminClient:
    """A connection to one organisation's Admin API."""

    def __init__(self, http: httpx.AsyncClient, key: AdminKey, limits: Limits, dialect: Dialect) -> None:
        self._http = http
        self._key = key
        self._limits = limits
        self._dialect = dialect

    @asynccontextmanager
    async def report(self, name: str) -> AsyncIterator[Report]:
        """The time in which a report is read whole. Raises SourceError for all that goes wrong inside."""
        seconds = self._limits.deadline.total_seconds()
        ends_at = asyncio.get_running_loop().time() + seconds
        report = Report(self._http, self._key, self._limits, ends_at, self._dialect)
        try:
            async with asyncio.timeout_at(ends_at):
                yield report
        except TimeoutError:
            last = f" Last failure: {report.last_failure}" if report.last_failure else ""
            late = f"The {name} could not be read within {seconds:g} seconds.{last}"
            concerns = SourceConcern.MOMENT if report.answered else SourceConcern.NETWORK
            raise SourceError(late, retryable=True, concerns=concerns) from None
        except NotUnderstood as error:
            problem = self._key.hidden_in(f"The {name} is not as documented: {error}.")
            asked = f" [request-id {report.request_id}]" if report.request_id else ""
            raise SourceError(problem + asked, retryable=error.retryable) from None


@asynccontextmanager
async def open_client(
    base_url: str,
    key: AdminKey,
    *,
    transport: httpx.AsyncBaseTransport,
    contact_url: str = "",
    limits: Limits = STANDARD_LIMITS,
    dialect: Dialect = ADMIN,
) -> AsyncIterator[AdminClient]:
    """Opens a client for one base address. `transport` stays the caller's and is not closed.

    Redirects are not followed (the key must not travel) and the environment's proxies are ignored.
    Raises SourceError when `base_url` is not an address.
    """
    async with httpx.AsyncClient(
        base_url=_address(base_url),
        auth=key,
        headers={**dialect.headers, "user-agent": _user_agent(contact_url)},
        timeout=httpx.Timeout(limits.read.total_seconds(), connect=limits.connect.total_seconds()),
        transport=_Lent(transport),
        trust_env=False,
        follow_redirects=False,
    ) as http:
        yield AdminClient(http, key, limits, dialect)


def _address(base_url: str) -> httpx.URL:
    """httpx itself would look up the name of any text that is left of a slash."""
    try:
        address = httpx.URL(base_url)
    except httpx.InvalidURL:
        address = httpx.URL()
    if address.scheme not in {"http", "https"} or not address.host or "%" in address.host:
        problem = "base_url is not an http or https address."
        raise SourceError(problem, retryable=False, concerns=SourceConcern.ADDRESS)
    return address


def _user_agent(contact_url: str) -> str:
    """The form the vendor asks integrations for: "Name/1.0 (address)"."""
    name = f"Tocsin/{__version__}"
    return f"{name} ({contact_url})" if contact_url else name


class _Lent(httpx.AsyncBaseTransport):
    """Another's transport, which the client that borrows it must not close."""

    def __init__(self, owned: httpx.AsyncBaseTransport) -> None:
        self._owned = owned

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._owned.handle_async_request(request)
