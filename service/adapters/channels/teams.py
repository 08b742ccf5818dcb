"""Microsoft Teams by a Workflows webhook: every message is a card of its own, there are no edits.

A workflow answers 202 before it posts, so a card that Teams refuses is lost without a word. Teams takes 28,672 bytes
and counts a card as a text within JSON, quotes and all (MicrosoftDocs/msteams-docs#11274); so does `_size` here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

import httpx

from service.adapters.channels.dependencies import Dependencies
from service.adapters.channels.posting import Peer, clipped, encoded, post
from service.adapters.channels.secret import opened
from service.domain.alerts.alert import AlertState
from service.domain.messages.console_pages import NAMES as PAGE_NAMES
from service.domain.messages.message import badge, unlisted_words
from service.domain.notify.channels.teams import Teams
from service.domain.notify.notification import Delivery, Listed, Message, MessageForm, Receipt
from service.domain.values.severity import Severity
from service.workflows.ports.channels import Channel
from service.workflows.ports.platform import Vault

Element = dict[str, object]

MOST_BYTES = 27 * 1024
HEADLINE = 300
TEXT = 500
LABEL = 50
MOST_FACTS = 12


def _is_taken(status: int, body: bytes) -> bool:
    """202 from the workflow's trigger, or an empty 200 (learn.microsoft.com, "Create incoming webhooks with
    Workflows"). A 200 with words is an error of Teams, or somebody else's page."""
    return status == 202 or (status == 200 and not body)


PEER = Peer("Teams", proves=_is_taken)

COLOURS: Mapping[Severity, str] = {
    Severity.INFO: "Accent",
    Severity.WARNING: "Warning",
    Severity.ERROR: "Attention",
    Severity.CRITICAL: "Attention",
}


class TeamsChannel:
    """Posts. A 4xx answer says that the workflow is gone, is switched off, or did not understand the card."""

    def __init__(self, config: Teams, vault: Vault, transport: httpx.AsyncBaseTransport) -> None:
        self._config = config
        self._vault = vault
        self._transport = transport

    async def send(self, delivery: Delivery) -> Receipt:
        url = opened(self._vault, self._config.webhook_url)
        await post(self._transport, PEER, url, encoded(_envelope(delivery)))
        return Receipt(post=None, detail="taken by the workflow")


def open_channel(config: Teams, needed: Dependencies) -> Channel:
    return TeamsChannel(config, needed.vault, needed.transport)


def _envelope(delivery: Delivery) -> Element:
    content = plainest(delivery.message) if delivery.form is MessageForm.PLAIN else _fitting(delivery.message)
    kind = "application/vnd.microsoft.card.adaptive"
    return {"type": "message", "attachments": [{"contentType": kind, "contentUrl": None, "content": content}]}


def _fitting(message: Message) -> Element:
    """A card that Teams will take; where it is too long, facts or listed alerts go, from the last."""
    message = replace(message, facts=message.facts[:MOST_FACTS])
    while _size(card(message)) > MOST_BYTES and (message.facts or message.listed):
        message = _shortened(message)
    return card(message)


def _shortened(message: Message) -> Message:
    if message.facts:
        return replace(message, facts=message.facts[:-1])
    return replace(message, listed=message.listed[:-1], unlisted=message.unlisted + 1)


def _size(content: Element) -> int:
    """At most what Teams makes of it: beyond ASCII, it is not known how characters are counted."""
    return len(json.dumps(json.dumps(content)))


def plainest(message: Message) -> Element:
    """The smallest card that says it: texts alone."""
    texts = (f"{badge(message)}: {message.headline}", message.change, message.link)
    return {"type": "AdaptiveCard", "version": "1.2", "body": [_block(_run(text, TEXT)) for text in texts if text]}


def card(message: Message) -> Element:
    """An Adaptive Card. All texts are TextRuns, in which no markdown is read; titles and facts of cards read it."""
    colour = "Good" if message.state is AlertState.RESOLVED else COLOURS[message.severity]
    return {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": {"width": "Full"},
        "body": [
            _block(_run(badge(message), TEXT, weight="Bolder", color=colour)),
            _block(_run(message.one_line, HEADLINE, weight="Bolder", size="Large")),
            *(_block(_run(line, TEXT)) for line in (message.aside, *message.summary.splitlines()) if line),
            *([_block(_run(message.next_step, TEXT, weight="Bolder"))] if message.next_step else []),
            *(_block(_run(f"{label}: ", LABEL, weight="Bolder"), _run(text, TEXT)) for label, text in message.facts),
            *(_listed(one) for one in message.listed),
            *([_block(_run(unlisted_words(message), TEXT))] if message.unlisted else []),
            *([_block(_run(" · ".join(message.small_print), TEXT, isSubtle=True))] if message.small_print else []),
        ],
        "actions": [_opening(message.link), *_console_page(message)],
    }


def _console_page(message: Message) -> list[Element]:
    return [_opening(message.page, PAGE_NAMES[message.page])] if message.page else []


def _listed(one: Listed) -> Element:
    """An alert of a summary; its headline leads to it."""
    colour = "Good" if one.state is AlertState.RESOLVED else COLOURS[one.severity]
    headline = _run(one.headline, HEADLINE, weight="Bolder", color=colour)
    return _block(headline | {"selectAction": _opening(one.link)}, _run(f" ({one.standing})", TEXT))


def _opening(link: str, title: str = "Open in Tocsin") -> Element:
    return {"type": "Action.OpenUrl", "title": title, "url": link}


def _block(*runs: Element) -> Element:
    return {"type": "RichTextBlock", "inlines": list(runs)}


def _run(raw: str, limit: int, **look: str | bool) -> Element:
    # Dates in double braces are written in the reader's zone, also those of a name.
    text = raw.replace("\n", ", ").replace("{{", "{ {")
    return {"type": "TextRun", "text": clipped(text, limit), **look}
