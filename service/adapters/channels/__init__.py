"""Where messages go: one module a channel, and the list of them all."""

from __future__ import annotations

import httpx
from rich.console import Console as Terminal

from service.adapters.channels.alertmanager.channel import AlertmanagerChannel
from service.adapters.channels.console import ConsoleChannel
from service.adapters.channels.email.channel import EmailChannel
from service.adapters.channels.email.mail import address
from service.adapters.channels.email.smtp_server import SmtpServer
from service.adapters.channels.jsm.channel import JsmChannel
from service.adapters.channels.pagerduty import PagerDutyChannel
from service.adapters.channels.slack.bot import SlackBotChannel
from service.adapters.channels.slack.controls import Controls, no_controls
from service.adapters.channels.slack.transport import OpenConnector
from service.adapters.channels.slack.webhook import SlackWebhookChannel
from service.adapters.channels.teams import TeamsChannel
from service.adapters.channels.webhook import WebhookChannel
from service.domain.notify.channels.alertmanager import Alertmanager
from service.domain.notify.channels.console import Console
from service.domain.notify.channels.email import Email
from service.domain.notify.channels.jsm import Jsm
from service.domain.notify.channels.pagerduty import PagerDuty
from service.domain.notify.channels.registry import ChannelConfig
from service.domain.notify.channels.slack import SlackBot, SlackWebhook
from service.domain.notify.channels.teams import Teams
from service.domain.notify.channels.webhook import Webhook
from service.workflows.ports.channels import Channel, DeliveryError
from service.workflows.ports.platform import Vault


class ChannelFactory:
    """Opens channels with what they need besides their configuration.

    `smtp_url` is TOCSIN_SMTP_URL, None where mail is not set up. Slack is reached by aiohttp, with its `connector` and
    `proxy` (TOCSIN_PROXY), all else on the web by `transport`, which stays the caller's. Raises ValueError for an
    `smtp_url` or `email_from` that makes no sense. `slack_controls` are the buttons below posts of a Slack app.
    """

    def __init__(
        self,
        vault: Vault,
        *,
        connector: OpenConnector,
        transport: httpx.AsyncBaseTransport,
        smtp_url: str | None,
        email_from: str,
        console: Terminal,
        proxy: str | None = None,
        slack_controls: Controls = no_controls,
    ) -> None:
        self._vault = vault
        self._smtp = SmtpServer.parse(smtp_url) if smtp_url else None
        self._email_from = _sender(email_from)
        self._terminal = console
        self._connector = connector
        self._proxy = proxy
        self._slack_controls = slack_controls
        self._transport = transport

    def open(self, config: ChannelConfig) -> Channel:
        """Raises DeliveryError for mail where no server is set up."""
        match config:
            case SlackBot():
                return SlackBotChannel(config, self._vault, self._connector, self._proxy, self._slack_controls)
            case SlackWebhook():
                return SlackWebhookChannel(config, self._vault, self._connector, self._proxy)
            case Email():
                return EmailChannel(config, self._mail_server(), self._email_from)
            case Console():
                return ConsoleChannel(self._terminal)
            case _:
                return self._open_posting(config)

    def _open_posting(self, config: PagerDuty | Webhook | Alertmanager | Teams | Jsm) -> Channel:
        match config:
            case PagerDuty():
                return PagerDutyChannel(config, self._vault, self._transport)
            case Webhook():
                return WebhookChannel(config, self._vault, self._transport)
            case Alertmanager():
                return AlertmanagerChannel(config, self._vault, self._transport)
            case Teams():
                return TeamsChannel(config, self._vault, self._transport)
            case Jsm():
                return JsmChannel(config, self._vault, self._transport)

    def _mail_server(self) -> SmtpServer:
        if self._smtp is None:
            raise DeliveryError("mail is not set up: set TOCSIN_SMTP_URL", permanent=True)
        return self._smtp


def _sender(text: str) -> str:
    try:
        address(text)
    except ValueError:
        raise ValueError("TOCSIN_EMAIL_FROM: write ops@example.com or Tocsin <ops@example.com>") from None
    return text
