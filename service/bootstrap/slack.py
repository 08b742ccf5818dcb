"""The ear for Slack: presses and commands, over HTTP or over a socket that we open."""

from __future__ import annotations

from typing import NamedTuple

from service.adapters.egress.aiohttp_connector import connectors
from service.adapters.egress.guard import Guard, trusting
from service.adapters.slack.replies import EphemeralReplies
from service.adapters.slack.socket import SlackSocket
from service.bootstrap.clock import wall_clock
from service.settings import Settings
from service.workflows.slack.requests import SlackAccess


class SlackEar(NamedTuple):
    """How people in Slack get access; `socket` is None where Socket Mode is not set up."""

    access: SlackAccess
    socket: SlackSocket | None


def open_ear(settings: Settings, receivers: Guard) -> SlackEar:
    connector = connectors(trusting(receivers, [settings.slack_api_url]), settings.proxy)
    secret, token = settings.slack_signing_secret, settings.slack_app_token
    replies = EphemeralReplies(connector, settings.proxy)
    access = SlackAccess(
        settings.slack_default_role, secret.get_secret_value() if secret else None, replies, wall_clock
    )
    if token is None:
        return SlackEar(access, None)
    return SlackEar(access, SlackSocket(token.get_secret_value(), settings.slack_api_url, connector, settings.proxy))
