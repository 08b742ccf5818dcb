"""The three forms of the first steps, and the documents that they stand for."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue

from service.api.dashboard.documents.controls import Control, ControlKind, Document
from service.api.dashboard.documents.reading import read_document
from service.api.dashboard.sources.editing import BASE_URL, KEY
from service.api.sources.sources import CLAUDE_API
from service.domain.notify.channels.slack import SLACK_API
from service.domain.values.money import Money

NAME = Control("/name", "Name", hint="As messages call the organisation.", is_required=True)
KEY_PARTS = (NAME, KEY, BASE_URL)
NEW_SOURCE: Document = {"name": "production", "base_url": CLAUDE_API, "enabled": False}

BUDGET_PARTS = (
    Control("/name", "Name", is_required=True),
    Control(
        "/amount",
        "US dollars a calendar month (UTC)",
        hint="A warning at 80 %, critical at 100 %. All of it can be changed later.",
        is_required=True,
    ),
)

SLACK_PARTS = (
    Control(
        "/token",
        "Bot token",
        ControlKind.SECRET,
        "It begins with xoxb-. Slack shows it under OAuth & Permissions, once the app is installed.",
        is_required=True,
    ),
    Control(
        "/channel",
        "Channel",
        hint="A public one by its name; invite @Tocsin into a private one first.",
        is_required=True,
    ),
    Control("/api_url", "Address of Slack's API", hint=f"{SLACK_API}; another one for GovSlack or a proxy."),
)
NEW_SLACK: Document = {"channel": "#claude-spend", "api_url": SLACK_API}
_CHANNEL = "/channels/0"


def new_budget(amount: Money | None) -> Document:
    return {"name": "all of it, monthly", **({"amount": str(amount)} if amount else {})}


def receiver_document(form: Mapping[str, str]) -> tuple[Document, dict[str, JsonValue]]:
    """Returns what the form holds, and the receiver of that one channel."""
    said = read_document(SLACK_PARTS, form, {})
    return said, {"name": "slack", "channels": [{"kind": "slack", **said}]}


def of_the_channel(flaws: Mapping[str, str]) -> dict[str, str]:
    """Returns the flaws by the pointers of the form, which has one channel's fields alone."""
    return {pointer.removeprefix(_CHANNEL): flaw for pointer, flaw in flaws.items()}
