"""Replies to one person in Slack: a message that nobody else sees, over the press's own `response_url`.

Slack takes five of them within half an hour of the press.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from types import SimpleNamespace

import aiohttp
import structlog
from slack_sdk.errors import SlackClientError
from slack_sdk.webhook.async_client import AsyncWebhookClient

from service.domain.slack.hand_on import HolderQuestion
from service.domain.slack.requests import ACTION_PREFIX, Deed
from service.workflows.ports.platform import EgressRefused

OpenConnector = Callable[[], aiohttp.BaseConnector]

Block = dict[str, object]

TIMEOUT = 10
OPTION = 75
QUIET = logging.getLogger("service.adapters.slack.replies")
QUIET.setLevel(logging.INFO)  # at DEBUG the SDK writes the address, which is a secret
log = structlog.get_logger(__name__)


class EphemeralReplies:
    """SlackReplies over connections of `connector`, which guards them. `proxy` is TOCSIN_PROXY."""

    def __init__(self, connector: OpenConnector, proxy: str | None = None) -> None:
        self._connector = connector
        self._proxy = proxy

    async def tell(self, response_url: str, text: str) -> None:
        await self._send(response_url, {"text": text, "replace_original": False})

    async def ask(self, response_url: str, question: HolderQuestion) -> None:
        said = {"text": question.text, "blocks": _blocks(question), "replace_original": False}
        await self._send(response_url, said)

    async def settle(self, response_url: str, text: str) -> None:
        await self._send(response_url, {"text": text, "replace_original": True})

    async def _send(self, response_url: str, said: Mapping[str, object]) -> None:
        if not response_url:
            return
        try:
            status = await self._post(response_url, said)
        except EgressRefused as error:
            log.warning("slack_reply_refused", reason=str(error))
        except (ValueError, TimeoutError, OSError, aiohttp.ClientError, SlackClientError) as error:
            log.warning("slack_reply_failed", reason=type(error).__name__)  # its text may hold the address
        else:
            if status != 200:
                log.warning("slack_reply_failed", reason=f"HTTP {status}")

    async def _post(self, response_url: str, said: Mapping[str, object]) -> int:
        trace = aiohttp.TraceConfig()
        trace.on_request_redirect.append(_refuse_redirect)
        async with (
            asyncio.timeout(TIMEOUT),
            aiohttp.ClientSession(connector=self._connector(), trust_env=False, trace_configs=[trace]) as session,
        ):
            client = AsyncWebhookClient(response_url, session=session, logger=QUIET, retry_handlers=[])
            client.proxy = self._proxy  # else the SDK takes one from the environment
            answer = await client.send_dict({"response_type": "ephemeral", **said})
            return answer.status_code


def _blocks(question: HolderQuestion) -> list[Block]:
    menu = {
        "type": "static_select",
        "action_id": f"{ACTION_PREFIX}{Deed.HAND_ON}_to",
        "placeholder": _plain("Choose a receiver"),
        "options": [{"text": _plain(name), "value": value} for name, value in question.shown],
        "confirm": {
            "title": _plain("Hand the alert on?"),
            "text": _plain("They are notified at once; everybody who was notified hears who has it."),
            "confirm": _plain("Hand on"),
            "deny": _plain("Cancel"),
        },
    }
    return [
        {"type": "section", "text": {"type": "mrkdwn", "text": question.text}},
        {"type": "actions", "elements": [menu]},
    ]


def _plain(text: str) -> Block:
    """Slack's limit of an option's text is 75 characters (Block Kit reference, "Option object")."""
    return {"type": "plain_text", "text": text[:OPTION], "emoji": False}


async def _refuse_redirect(
    session: aiohttp.ClientSession, context: SimpleNamespace, redirect: aiohttp.TraceRequestRedirectParams
) -> None:
    raise aiohttp.ClientError("redirects are not followed")
