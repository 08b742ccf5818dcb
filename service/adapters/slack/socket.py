"""Slack's Socket Mode: presses and commands over a websocket that we open, for who has no public address.

Slack hands each envelope to one of an app's connections (ten at most), so that every worker may hold one.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from service.domain.slack.requests import read_press, read_typed
from service.workflows.ports.outages import Outages
from service.workflows.ports.unit_of_work import Ports
from service.workflows.slack.actions import reply_to, run_slack_action
from service.workflows.slack.commands import run_slack_command
from service.workflows.slack.requests import SlackAccess, run_is_new_envelope
from service.workflows.slack.workspaces import run_is_our_workspace

OpenConnector = Callable[[], aiohttp.BaseConnector]

SLACK = "Slack socket"
PING_SECONDS = 5.0
"""How often the connection is tested, and how long a new try waits after a failed one."""
REFUSED_SECONDS = 60.0
"""How long a new try waits after Slack itself said no: `apps.connections.open` takes about one call a minute."""

OTHER_WORKSPACE = "Nothing was done: people of another Slack workspace or app act here."

log = structlog.get_logger(__name__)
_SOCKET_URL = re.compile(r"wss?://[^\s'\",)]+")


class _Discreet(logging.Filter):
    """Makes an outage of what the SDK complains of, without the address of the connection, which is a ticket."""

    def __init__(self, outages: Outages) -> None:
        super().__init__()
        self._outages = outages

    def filter(self, record: logging.LogRecord) -> bool:
        self._outages.failed(SLACK, _SOCKET_URL.sub("wss://...", record.getMessage()))
        return False


_SDK_LOG = logging.getLogger("service.adapters.slack.socket.sdk")
_SDK_LOG.setLevel(logging.WARNING)


class SlackSocket:
    """Listens over one connection, and reconnects for as long as it is open.

    `app_token` is TOCSIN_SLACK_APP_TOKEN (`xapp-...`), `connector` guards where connections lead, `proxy` is
    TOCSIN_PROXY. `ping_seconds` and `refused_seconds` are how patient it is.
    """

    def __init__(
        self,
        app_token: str,
        api_url: str,
        connector: OpenConnector,
        proxy: str | None = None,
        ping_seconds: float = PING_SECONDS,
        refused_seconds: float = REFUSED_SECONDS,
    ) -> None:
        self._app_token = app_token
        self._api_url = api_url
        self._connector = connector
        self._proxy = proxy
        self._ping_seconds = ping_seconds
        self._refused_seconds = refused_seconds

    @asynccontextmanager
    async def listening(self, ports: Ports, access: SlackAccess) -> AsyncIterator[None]:
        """Answers Slack for as long as the block lasts. Does not wait for the connection, and outlives its losses."""
        client, listener = await self._client(ports.outages), _Listener(ports, access)
        discreet = _Discreet(ports.outages)
        _SDK_LOG.addFilter(discreet)
        client.socket_mode_request_listeners.append(listener.hear)
        connecting = asyncio.create_task(client.connect(), name="connecting to Slack")
        try:
            yield
        finally:
            connecting.cancel()
            await asyncio.gather(connecting, return_exceptions=True)
            await listener.finish()
            tasks = [client.message_processor, client.current_session_monitor, client.message_receiver]
            await client.close()  # type: ignore[no-untyped-call]
            await asyncio.gather(*filter(None, tasks), return_exceptions=True)
            _SDK_LOG.removeFilter(discreet)

    async def _client(self, outages: Outages) -> _PatientClient:
        trace = aiohttp.TraceConfig()
        trace.on_request_redirect.append(_refuse_redirect)
        session = aiohttp.ClientSession(connector=self._connector(), trust_env=False, trace_configs=[trace])
        web = AsyncWebClient(base_url=self._api_url, session=session, logger=_SDK_LOG)
        client = _PatientClient(self._app_token, web, outages, self._ping_seconds, self._refused_seconds)
        # The SDK takes proxies from the environment, and opens a session of its own, which nobody guards.
        web.proxy = client.proxy = self._proxy
        await client.aiohttp_client_session.close()
        client.aiohttp_client_session = session
        return client


class _PatientClient(SocketModeClient):
    """Asks for a connection again only after a while when Slack has refused one, and says why."""

    def __init__(
        self, app_token: str, web: AsyncWebClient, outages: Outages, ping_seconds: float, refused_seconds: float
    ) -> None:
        super().__init__(app_token=app_token, logger=_SDK_LOG, web_client=web, ping_interval=ping_seconds)
        self._outages = outages
        self._refused_seconds = refused_seconds

    async def issue_new_wss_url(self) -> str:
        try:
            url: str = await super().issue_new_wss_url()
        except SlackApiError as error:
            answer = getattr(error.response, "data", None)
            reason = str(answer.get("error", "")) if isinstance(answer, dict) else "no answer of Slack's"
            self._outages.failed(SLACK, f"refused: {reason}; check TOCSIN_SLACK_APP_TOKEN")
            await asyncio.sleep(self._refused_seconds)
            raise
        return url

    async def connect(self) -> None:
        await super().connect()  # type: ignore[no-untyped-call]
        if not self.closed:
            self._outages.worked(SLACK)
            log.info("slack_socket_connected")


class _Listener:
    """Handles each envelope: acted upon first, acknowledged then, so that Slack tells of what failed."""

    def __init__(self, ports: Ports, access: SlackAccess) -> None:
        self._ports = ports
        self._access = access
        self._running: set[asyncio.Task[object]] = set()

    async def hear(self, client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        if not await run_is_new_envelope(self._ports, self._access, request.envelope_id):
            await _acknowledge(client, request, None)
            return
        try:
            await self._act(client, request)
        except ValueError as error:
            log.warning("slack_envelope_unreadable", kind=request.type, reason=str(error))

    async def finish(self) -> None:
        """Waits for what has been begun."""
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _act(self, client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        if request.type == "slash_commands":
            typed = read_typed(request.payload)
            text = OTHER_WORKSPACE
            if await run_is_our_workspace(self._ports, request.payload):
                text = await run_slack_command(self._ports, typed, self._access.default_role)
            await _acknowledge(client, request, {"response_type": "ephemeral", "text": text})
            return
        press = read_press(request.payload) if request.type == "interactive" else None
        if press and not await run_is_our_workspace(self._ports, request.payload):
            press = None
        answer = await run_slack_action(self._ports, press, self._access.default_role) if press else None
        await _acknowledge(client, request, None)
        if press and answer:
            await reply_to(self._access.replies, press, answer)


async def _acknowledge(
    client: AsyncBaseSocketModeClient, request: SocketModeRequest, payload: dict[str, object] | None
) -> None:
    await client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id, payload=payload))


async def _refuse_redirect(
    session: aiohttp.ClientSession, context: SimpleNamespace, redirect: aiohttp.TraceRequestRedirectParams
) -> None:
    raise aiohttp.ClientError("redirects are not followed")
