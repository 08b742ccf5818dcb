"""The way to Slack of both its channels, and the meaning of its refusals for the queue."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from types import SimpleNamespace

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.http_retry.async_handler import AsyncRetryHandler
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncServerErrorRetryHandler,
)
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from service.adapters.channels.dependencies import OpenConnector
from service.adapters.channels.posting import concern_of, json_object
from service.domain.notify.circuits import Concern
from service.domain.notify.notification import FIRST_RETRY
from service.workflows.ports.channels import DeliveryError
from service.workflows.ports.platform import EgressRefused

CALL_TIMEOUT = aiohttp.ClientTimeout(total=10)
DELIVERY_TIMEOUT = 25.0
"""Seconds for all of a delivery's calls and their second tries."""

UNFIT = {
    "cannot_reply_to_message": "this message takes no replies",
    "invalid_arguments": "the message was not understood",
    "invalid_blocks": "the message was not understood",
    "invalid_blocks_format": "the message was not understood",
    "invalid_payload": "the message was not understood",
    "msg_blocks_too_long": "the message is too long",
    "msg_too_long": "the message is too long",
    "no_text": "the message was not understood",
}
CLOSED = {
    "action_prohibited": "the workspace's administrators do not allow this post",
    "channel_is_archived": "restore the channel or choose another",
    "channel_not_found": "check the channel's name, and invite the app if it is private",
    "is_archived": "restore the channel or choose another",
    "messages_tab_disabled": "switch on the app's messages tab",
    "no_service": "the webhook was removed: make a new one",
    "not_in_channel": "invite the app to the channel",
    "posting_to_general_channel_denied": "the channel does not allow the app to post",
    "restricted_action": "the channel does not allow the app to post",
    "restricted_action_read_only_channel": "the channel does not allow the app to post",
    "restricted_action_thread_only_channel": "the channel takes replies alone: choose another",
}
NOT_ALLOWED = {
    "access_denied": "the token may not post there",
    "account_inactive": "the app was removed or its owner deactivated: install it again",
    "ekm_access_denied": "the workspace's key management refuses",
    "invalid_auth": "check the token",
    "invalid_token": "make a new webhook URL",
    "missing_scope": "give the app the scope chat:write, for charts files:write, and install it again",
    "no_permission": "the token may not post there",
    "no_team": "the workspace is gone",
    "not_allowed_token_type": "use the app's bot token, which begins with xoxb-",
    "not_authed": "check the token",
    "org_login_required": "the workspace moves to an organisation: install the app again",
    "team_access_not_granted": "install the app in this workspace",
    "team_disabled": "the workspace is gone",
    "token_expired": "make a new token",
    "token_revoked": "make a new token",
    "user_not_found": "the webhook's owner is gone: make a new one",
}
REFUSALS = {
    word: (concern, advice)
    for concern, words in (
        (Concern.MESSAGE, UNFIT),
        (Concern.CHANNEL, CLOSED),
        (Concern.CREDENTIAL, NOT_ALLOWED),
    )
    for word, advice in words.items()
}
"""Slack's errors that trying again soon cannot cure: what each concerns, and what helps
(docs.slack.dev: chat.postMessage; webhook changelog)."""

GONE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})
"""An earlier post can no longer be edited: post again."""

NO_THREAD = frozenset(
    {
        "cannot_reply_to_message",
        "restricted_action_non_threadable_channel",
        "restricted_action_thread_locked",
        "thread_not_found",
    }
)
"""An earlier post takes no replies: what they would say is said beside it."""

# Its own logger, never below INFO: at DEBUG the SDK writes webhook URLs, which are secrets.
QUIET = logging.getLogger("service.adapters.channels.slack")
QUIET.setLevel(logging.INFO)


class _Redirected(aiohttp.ClientError):
    """Slack answered with a redirect, which might carry the token elsewhere."""


@asynccontextmanager
async def open_session(connector: OpenConnector) -> AsyncIterator[aiohttp.ClientSession]:
    """A session for one delivery: no proxies from the environment, no redirects. Translates its failures."""
    trace = aiohttp.TraceConfig()
    trace.on_request_redirect.append(_refuse_redirect)
    try:
        async with (
            asyncio.timeout(DELIVERY_TIMEOUT),
            aiohttp.ClientSession(
                connector=connector(), timeout=CALL_TIMEOUT, trust_env=False, trace_configs=[trace]
            ) as session,
        ):
            yield session
    except SlackApiError as error:
        raise refused(error) from None
    except EgressRefused as error:
        raise DeliveryError(f"Slack may not be called: {error}", Concern.CHANNEL) from None
    except (ValueError, SlackClientError) as error:
        # aiohttp's InvalidURL is a ValueError, and its text holds the URL.
        raise DeliveryError(f"Slack cannot be called: {type(error).__name__}", Concern.CHANNEL) from None
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        raise DeliveryError(f"Slack cannot be reached: {type(error).__name__}") from None


async def _refuse_redirect(
    session: aiohttp.ClientSession,
    context: SimpleNamespace,
    redirect: aiohttp.TraceRequestRedirectParams,
) -> None:
    raise _Redirected("redirects are not followed")


def retry_handlers() -> list[AsyncRetryHandler]:
    """One quick second try for a lost connection or a server's error. A 429 waits in our queue instead."""
    return [AsyncConnectionErrorRetryHandler(), AsyncServerErrorRetryHandler()]


async def call(request: Awaitable[AsyncSlackResponse]) -> AsyncSlackResponse:
    """One Web API call's answer."""
    try:
        answer = await request
        if not isinstance(answer.data, dict):
            raise DeliveryError("Slack: the answer did not come from Slack")
        return answer
    except AttributeError:
        # slack-sdk trips like this over a 200 that is not a JSON object: somebody else answered.
        raise DeliveryError("Slack: the answer did not come from Slack") from None


def refused(error: SlackApiError) -> DeliveryError:
    """Slack's own refusal of a Web API call. An unreadable body leaves slack-sdk with aiohttp's response."""
    response = error.response
    status = response.status if isinstance(response, aiohttp.ClientResponse) else response.status_code
    return failure(status, error_name(error), response.headers)


def error_name(error: SlackApiError) -> str:
    """Slack's word for what is wrong, "" where the answer was not Slack's usual JSON."""
    answer = getattr(error.response, "data", None)
    return str(answer.get("error", "")) if isinstance(answer, dict) else ""


def failure(status: int, name: str, headers: Mapping[str, str]) -> DeliveryError:
    """The queue's view of an answer; `name` is one of Slack's error words, and nothing else is repeated."""
    if status == 429 or name in {"ratelimited", "rate_limited"}:
        return DeliveryError("Slack: rate limited", retry_after=_seconds(headers) or FIRST_RETRY)
    if name in REFUSALS:
        concern, advice = REFUSALS[name]
        return DeliveryError(f"Slack: {name} ({advice})", concern)
    return DeliveryError(f"Slack: {name if name.isidentifier() else f'HTTP {status}'}", concern_of(status))


def unproved(body: str, headers: Mapping[str, str]) -> DeliveryError:
    """The failure that a 200 without Slack's proof is: its own refusal as JSON, or somebody else's page."""
    name = json_object(body.encode()).get("error")
    if isinstance(name, str) and name:
        return failure(200, name, headers)
    return DeliveryError("Slack: the answer did not come from Slack")


def _seconds(headers: Mapping[str, str]) -> timedelta | None:
    value = headers.get("Retry-After", "")
    return timedelta(seconds=int(value)) if value.isdecimal() and len(value) <= 5 else None
