"""PagerDuty's Events API v2: one incident an alert at a time, known by the alert's id.

An acknowledged incident notifies nobody, whatever is added to it; a key whose incident is resolved opens another.
Limits and answers: PagerDuty/developer-docs, events-API-v2. 512 KB a request, of which Alertmanager uses 512,000 bytes.
A change event has words for a service's people, and notifies nobody (the same, "Event Types").
"""

from __future__ import annotations

from collections.abc import Mapping

import httpx

from service.adapters.channels.dependencies import Dependencies
from service.adapters.channels.posting import Peer, clipped, concern_of, encoded, fitted, json_object, json_words, post
from service.adapters.channels.secret import opened
from service.domain.messages.console_pages import NAMES as PAGE_NAMES
from service.domain.notify.channels.pagerduty import PagerDuty
from service.domain.notify.circuits import Concern
from service.domain.notify.notification import Action, Delivery, Message, MessageType, Picture, Receipt
from service.workflows.ports.channels import Channel
from service.workflows.ports.platform import Vault

SUMMARY = 1024
DETAIL = 5000
LINK_TEXT = "Open in Tocsin"
SOURCE = "Claude API"
MOST_BYTES = 512_000


def _is_taken(status: int, body: bytes) -> bool:
    """202 and `"status": "success"` (developer.pagerduty.com, "Send an alert event")."""
    return status == 202 and json_object(body).get("status") == "success"


def _blames(status: int, body: bytes) -> Concern:
    """A wrong integration key is a 400 as well ("Invalid routing key", "Length of 'routing_key' is incorrect")."""
    said = json_words(body).lower().replace("_", " ")
    return Concern.CREDENTIAL if status == 400 and "routing key" in said else concern_of(status)


def _blames_words(status: int, body: bytes) -> Concern:
    """An address without change events lacks these words alone."""
    return Concern.MESSAGE if status == 404 else _blames(status, body)


PEER = Peer("PagerDuty", proves=_is_taken, explain=json_words, blames=_blames)
CHANGES = Peer("PagerDuty", proves=_is_taken, explain=json_words, blames=_blames_words)

EVENTS: Mapping[Action, str] = {
    Action.OPEN: "trigger",
    Action.RAISE: "trigger",
    Action.AMEND: "acknowledge",
    Action.ACKNOWLEDGE: "acknowledge",
    Action.SNOOZE: "acknowledge",
    Action.RESOLVE: "resolve",
}
ACKNOWLEDGED = "acknowledged"
STANDINGS: Mapping[str, str] = {"trigger": "triggered", "acknowledge": ACKNOWLEDGED}


class PagerDutyChannel:
    """Triggers, acknowledges and resolves. Every event may be repeated: `dedup_key` makes it the same one.

    That somebody else has the alert acknowledges it, and is said by a change event: a trigger could page somebody who
    has resolved the incident there.

    `post` is how we left the incident. A trigger after an acknowledgement resolves first, since it is to page somebody;
    a kill in between leaves the acknowledgement on record, and both are said again.

    The key is the alert's id, not its fingerprint, which the next alert of the same scope shares: a resolve that
    had to wait for days would end that one. A test's incident is resolved at once.
    """

    def __init__(self, config: PagerDuty, vault: Vault, transport: httpx.AsyncBaseTransport) -> None:
        self._config = config
        self._vault = vault
        self._transport = transport

    async def send(self, delivery: Delivery) -> Receipt:
        routing_key, message = opened(self._vault, self._config.routing_key), delivery.message
        events = _events(delivery)
        for name in events:
            body = _body(name, routing_key, message, delivery.picture)
            await post(self._transport, PEER, f"{self._config.api_url}/v2/enqueue", body)
        if delivery.action is Action.AMEND:
            body = encoded(_change(delivery, routing_key))
            await post(self._transport, CHANGES, f"{self._config.api_url}/v2/change/enqueue", body)
        left = STANDINGS.get(events[-1], delivery.post)
        return Receipt(post=left, detail=f"{', '.join(events)} of {message.alert_id}")


def open_channel(config: PagerDuty, needed: Dependencies) -> Channel:
    return PagerDutyChannel(config, needed.vault, needed.transport)


def _events(delivery: Delivery) -> tuple[str, ...]:
    event = EVENTS[delivery.action]
    if delivery.message.type is MessageType.TEST:
        return event, "resolve"
    pages_again = event == "trigger" and delivery.post == ACKNOWLEDGED
    return ("resolve", event) if pages_again else (event,)


def _body(event: str, routing_key: str, message: Message, picture: Picture | None) -> bytes:
    named: dict[str, object] = {"routing_key": routing_key, "event_action": event, "dedup_key": message.alert_id}
    if event != "trigger":
        return encoded(named)
    named |= _images(picture)
    return fitted(lambda shortened: encoded(named | _trigger(shortened)), message, MOST_BYTES)


def _change(delivery: Delivery, routing_key: str) -> dict[str, object]:
    message = delivery.message
    return {
        "routing_key": routing_key,
        "payload": {
            "summary": clipped(message.one_line, SUMMARY),
            "source": SOURCE,
            "timestamp": delivery.at.isoformat(timespec="seconds"),
            "custom_details": {"alert": message.alert_id},
        },
        "links": [{"href": message.link, "text": LINK_TEXT}],
    }


def _images(picture: Picture | None) -> dict[str, object]:
    """PagerDuty shows what it can fetch by HTTPS."""
    if picture is None or picture.url is None:
        return {}
    return {"images": [{"src": picture.url, "href": picture.url, "alt": clipped(picture.alt, SUMMARY)}]}


def _trigger(message: Message) -> dict[str, object]:
    told = {"what happened": message.change, "in short": message.summary, "next step": message.next_step}
    small_print = {"also": " · ".join(message.small_print)}
    details = {name: text for name, text in (told | dict(message.facts) | small_print).items() if text}
    return {
        "client": "Tocsin",
        "client_url": message.link,
        "links": [{"href": message.link, "text": LINK_TEXT}, *_console_page(message)],
        "payload": {
            "summary": clipped(message.one_line, SUMMARY),
            "source": SOURCE,
            "severity": message.severity.value,  # PagerDuty's four have the same names
            "class": "simulated spend" if message.simulated else "spend",
            "custom_details": {clipped(name, SUMMARY): clipped(text, DETAIL) for name, text in details.items()},
        },
    }


def _console_page(message: Message) -> list[dict[str, str]]:
    return [{"href": message.page, "text": PAGE_NAMES[message.page]}] if message.page else []
