"""Both forms of Slack: an app's bot, and an incoming webhook."""

from __future__ import annotations

from service.adapters.channels.dependencies import Dependencies
from service.adapters.channels.slack.bot import SlackBotChannel
from service.adapters.channels.slack.webhook import SlackWebhookChannel
from service.domain.notify.channels.slack import SlackBot, SlackWebhook
from service.workflows.ports.channels import Channel


def open_channel(config: SlackBot | SlackWebhook, needed: Dependencies) -> Channel:
    if isinstance(config, SlackBot):
        return SlackBotChannel(config, needed.vault, needed.connector, needed.proxy, needed.slack_controls)
    return SlackWebhookChannel(config, needed.vault, needed.connector, needed.proxy)
