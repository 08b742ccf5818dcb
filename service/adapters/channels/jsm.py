"""Jira Service Management's alerts, by its integration events API, which Opsgenie speaks as well (until April 2027).

It answers 202 before it acts. Atlassian's documents name these limits: `message` 130, `description` 15,000,
`details` 8,000 characters. Only creating, acknowledging, closing and noting exist at both; nothing changes a priority.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import quote

import httpx

from service.adapters.channels.posting import Peer, clipped, encoded, is_sample, json_words, post
from service.adapters.channels.secret import opened
from service.domain.alerts import Severity
from service.domain.notifications import Action, Delivery, Message, Receipt
from service.domain.receivers import Jsm
from service.workflows.ports import Vault

MESSAGE = 130
DESCRIPTION = 15_000
NOTE = 1000
PEER = Peer("Jira Service Management", explain=json_words)

PRIORITIES: Mapping[Severity, str] = {
    Severity.INFO: "P5",
    Severity.WARNING: "P3",
    Severity.ERROR: "P2",
    Severity.CRITICAL: "P1",
}

Call = tuple[str, dict[str, object]]
"""A path below `/v2/alerts`, and the body to post there."""


class JsmChannel:
    """Creates, acknowledges and closes by alias: the alert's id and severity.

    A raise to another severity is an alert of its own, with a priority that pages, and closes the one before it; one
    within the same severity is a note. The alias in force is kept as `post`. A test's alert is closed at once.
    """

    def __init__(self, config: Jsm, vault: Vault, transport: httpx.AsyncBaseTransport) -> None:
        self._config = config
        self._vault = vault
        self._transport = transport

    async def send(self, delivery: Delivery) -> Receipt:
        headers = {"Authorization": f"GenieKey {opened(self._vault, self._config.api_key)}"}
        alias = _alias(delivery)
        for path, document in _calls(delivery, alias):
            url = f"{self._config.api_url}/v2/alerts{path}"
            await post(self._transport, PEER, url, encoded({"source": "Tocsin"} | document), headers)
        return Receipt(post=alias, detail=f"{delivery.action} of {alias}")


def _alias(delivery: Delivery) -> str:
    message = delivery.message
    if delivery.post is not None and delivery.action in {Action.ACKNOWLEDGE, Action.RESOLVE}:
        return delivery.post
    return f"{message.alert_id}-{message.severity}"


def _calls(delivery: Delivery, alias: str) -> Iterator[Call]:
    message = delivery.message
    match delivery.action:
        case Action.ACKNOWLEDGE:
            yield _on(alias, "acknowledge", message)
        case Action.RESOLVE:
            yield _on(alias, "close", message)
        case Action.OPEN | Action.RAISE | Action.AMEND:
            yield "", _alert(alias, message)
            if delivery.post == alias:
                yield _on(alias, "notes", message)
            elif delivery.post is not None:
                yield _on(delivery.post, "close", message)
            if is_sample(message):
                yield _on(alias, "close", message)


def _on(alias: str, verb: str, message: Message) -> Call:
    return f"/{quote(alias, safe='')}/{verb}?identifierType=alias", {"note": clipped(message.change, NOTE)}


def _alert(alias: str, message: Message) -> dict[str, object]:
    lines = [message.change, "", *(f"{label}: {text}" for label, text in message.facts), "", message.next_step]
    return {
        "message": clipped(message.headline, MESSAGE),
        "alias": alias,
        "description": clipped("\n".join(lines), DESCRIPTION),
        "details": {"link": message.link, "alert_id": message.alert_id},
        "tags": ["tocsin", *(["simulated"] if message.simulated else [])],
        "priority": PRIORITIES[message.severity],
    }
