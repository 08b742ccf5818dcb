"""Slack, by an app's bot or by an incoming webhook."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, ClassVar, Literal

from service.domain.notify.channels.documents import LINK, Form, JsonDocument, JsonField, with_slash
from service.domain.notify.channels.doubts import slack_webhook
from service.domain.notify.channels.traits import ANNOUNCED, EDITED, ChartUse, Rate, Traits
from service.domain.notify.page_links import LinkUse
from service.domain.values.errors import Invalid
from service.domain.values.resources import Sealed

SLACK_API = "https://slack.com/api/"
ONE_A_SECOND = Rate(1, timedelta(seconds=1))
"""Slack's rule for one channel: https://docs.slack.dev/apis/web-api/rate-limits."""


_USER = re.compile(r"[UW][A-Z0-9]{1,30}")


def is_user(text: str) -> bool:
    """Whether this can be the id of a Slack user."""
    return _USER.fullmatch(text) is not None


def _choose(given: Collection[str]) -> str:
    if "webhook_url" in given:
        if "token" in given or "channel" in given:
            raise Invalid("a webhook_url stands alone: it has its own channel", "/webhook_url")
        return "slack_webhook"
    if "token" not in given:
        raise Invalid("Slack needs a token and a channel, or a webhook_url", "/token")
    if "channel" not in given:
        raise Invalid("a Slack token needs the channel to post to", "/channel")
    return "slack_bot"


SLACK = JsonDocument(
    "slack",
    "Slack, by a bot's `token` and `channel`, or by an incoming webhook's `webhook_url`; `mention` is for raises. "
    "`link` is `read` for a bot, whose buttons ask for roles, and `answer` for a webhook, unless it is sent.",
    _choose,
)


def bot_token(text: str) -> str:
    """Raises ValueError for what Slack makes no bot's token of: another one of its kinds, or none at all.

    The prefixes are Slack's: https://docs.slack.dev/authentication/tokens. A rotated token begins with xoxe.
    """
    if not text.startswith(("xoxb-", "xoxe.xoxb-")):
        raise ValueError("a bot's token begins with xoxb-: Slack shows it under OAuth & Permissions of the app")
    return text


@dataclass(frozen=True, slots=True)
class SlackBot:
    """A Slack app with a bot token: it posts, edits and replies in threads."""

    token: Annotated[Sealed, JsonField(Form.SECRET, example="xoxb-FAKE", read=bot_token)]
    channel: Annotated[str, JsonField(Form.REFERENCE, example="#claude-spend")]
    mention: str = ""
    api_url: Annotated[str, JsonField(Form.ADDRESS, read=with_slash)] = SLACK_API
    link: Annotated[LinkUse, LINK] = LinkUse.READ
    kind: Literal["slack_bot"] = "slack_bot"

    document: ClassVar[JsonDocument] = SLACK
    traits: ClassVar[Traits] = Traits(EDITED, chart=ChartUse.FOLLOWING, kept_current=True, rate=ONE_A_SECOND)

    @property
    def identity(self) -> str:
        return self.channel


@dataclass(frozen=True, slots=True)
class SlackWebhook:
    """A Slack incoming webhook: it posts, and can neither edit nor thread."""

    webhook_url: Annotated[Sealed, JsonField(Form.SECRET_ADDRESS, doubt=slack_webhook)]
    mention: str = ""
    link: Annotated[LinkUse, LINK] = LinkUse.ANSWER
    kind: Literal["slack_webhook"] = "slack_webhook"

    document: ClassVar[JsonDocument] = SLACK
    traits: ClassVar[Traits] = Traits(ANNOUNCED, chart=ChartUse.LINKED, rate=ONE_A_SECOND)

    @property
    def identity(self) -> str:
        return self.webhook_url.digest
