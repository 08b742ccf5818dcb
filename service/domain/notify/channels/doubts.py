"""Credentials that are hardly what their vendors make. They are stored all the same: a vendor may change its forms."""

from __future__ import annotations

import re

ROUTING_KEY_LENGTH = 32
_ROUTING_KEY = re.compile(r"[A-Za-z0-9]{32}", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_ADDRESS = re.compile(
    r"https?://(?P<host>[^/?#:]+)(?::[0-9]+)?(?P<path>/[^?#]*)?(?:\?(?P<query>[^#]*))?", re.ASCII | re.IGNORECASE
)
_SLACK_HOSTS = ("hooks.slack.com", "hooks.slack-gov.com")
_FLOW_HOSTS = ("logic.azure.com", "logic.azure.us", "powerplatform.com", "powerautomate.com", "flow.microsoft.com")
_CONNECTOR_HOSTS = ("webhook.office.com", "outlook.office.com", "outlook.office365.com")
_DISCORD_HOSTS = ("discord.com", "discordapp.com")


def no_doubt(secret: str) -> str:
    return ""


def routing_key(secret: str) -> str:
    """PagerDuty's `routing_key` has 32 characters: https://developer.pagerduty.com/docs/send-alert-event."""
    if _ROUTING_KEY.fullmatch(secret):
        return ""
    has = str(len(secret)) if len(secret) != ROUTING_KEY_LENGTH else "others, too"
    return (
        f"PagerDuty's integration keys have 32 letters and digits, this one has {has}: "
        "take the Integration Key of an Events API v2 integration, not an API key"
    )


def integration_key(secret: str) -> str:
    """The key of an Opsgenie or Jira Service Management API integration is a UUID."""
    if _UUID.fullmatch(secret):
        return ""
    return "keys of API integrations are UUIDs: take the key of an API integration, not an Atlassian API token"


def slack_webhook(url: str) -> str:
    """Incoming webhooks: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks."""
    if not _is_at(url, _SLACK_HOSTS):
        return "Slack's incoming webhooks are at https://hooks.slack.com/services/..."
    if not _part(url, "path").startswith("/services/"):
        return "an incoming webhook is at /services/...: a workflow's trigger takes its own variables, and no message"
    return ""


def teams_workflow(url: str) -> str:
    """The hosts that workflows were seen at; their `sig` is the credential."""
    if _is_at(url, _CONNECTOR_HOSTS):
        return "connectors of Office 365 have ended: make a workflow that posts to the channel, and take its address"
    if not _is_at(url, _FLOW_HOSTS):
        return f"Teams workflows are at {', '.join(_FLOW_HOSTS[2:])} or {_FLOW_HOSTS[0]}"
    return "" if "sig=" in _part(url, "query") else "a Teams workflow's address has sig=... at its end: copy all of it"


def discord_webhook(url: str) -> str:
    return "" if _is_at(url, _DISCORD_HOSTS) else "Discord's webhooks are at https://discord.com/api/webhooks/..."


def _is_at(url: str, hosts: tuple[str, ...]) -> bool:
    found = _part(url, "host").lower()
    return any(found == host or found.endswith(f".{host}") for host in hosts)


def _part(url: str, name: str) -> str:
    read = _ADDRESS.match(url)
    return (read[name] or "") if read else ""
