"""Replies to one person in Slack: a message that nobody else sees, over the press's own `response_url`.

Slack takes five of them within half an hour of the press.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from types import SimpleNamespace

import aiohttp
import structlog
from slack_sdk.errors import SlackClientError
from slack_sdk.webhook.async_client import AsyncWebhookClient

from service.workflows.ports.platform import EgressRefused

OpenConnector = Callable[[], aiohttp.BaseConnector]

TIMEOUT = 10
QUIET = logging.getLogger("service.adapters.slack.replies")
QUIET.setLevel(logging.INFO)  # at DEBUG the SDK writes the address, which is a secret
log = structlog.get_logger(__name__)


class EphemeralReplies:
    """SlackReplies over connections of `connector`, which guards them. `proxy` is TOCSIN_PROXY."""

    def __init__(self, connector: OpenConnector, proxy: str | None = None) -> None:
        self._connector = connector
        self._proxy = proxy

    async def tell(self, response_url: str, text: str) -> None:
        if not response_url:
            return
        try:
            status = await self._post(response_url, text)
        except EgressRefused as error:
            log.warning("slack_reply_refused", reason=str(error))
        except (ValueError, TimeoutError, OSError, aiohttp.ClientError, SlackClientError) as error:
            log.warning("slack_reply_failed", reason=type(error).__name__)  # its text may hold the address
        else:
            if status != 200:
                log.warning("slack_reply_failed", reason=f"HTTP {status}")

    async def _post(self, response_url: str, text: str) -> int:
        trace = aiohttp.TraceConfig()
        trace.on_request_redirect.append(_refuse_redirect)
        async with (
            asyncio.timeout(TIMEOUT),
            aiohttp.ClientSession(connector=self._connector(), trust_env=False, trace_configs=[trace]) as session,
        ):
            client = AsyncWebhookClient(response_url, session=session, logger=QUIET, retry_handlers=[])
            client.proxy = self._proxy  # else the SDK takes one from the environment
            answer = await client.send(text=text, response_type="ephemeral", replace_original=False)
            return answer.status_code


async def _refuse_redirect(
    session: aiohttp.ClientSession, context: SimpleNamespace, redirect: aiohttp.TraceRequestRedirectParams
) -> None:
    raise aiohttp.ClientError("redirects are not followed")
