"""Jira Service Management's alerts, by its integration events API, which Opsgenie speaks as well (until April 2027).

It answers 202 before it acts: what became of a new alert is asked afterwards. Atlassian's documents name these limits:
`message` 130, `description` 15,000, `details` 8,000 characters. Only creating, acknowledging, closing and noting exist
at both; nothing changes a priority. Whatever is added to an acknowledged alert notifies nobody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

import httpx

from service.adapters.channels.dependencies import Dependencies
from service.adapters.channels.jsm.requests import PAUSES, is_confirmed
from service.adapters.channels.posting import HttpCall, Peer, ask, clipped, encoded, json_object, json_words, post
from service.adapters.channels.secret import opened
from service.domain.notify.channels.jsm import Jsm
from service.domain.notify.notification import FIRING_ACTIONS, Action, Delivery, Message, MessageType, Receipt
from service.domain.values.severity import Severity
from service.workflows.ports.channels import Channel
from service.workflows.ports.platform import Vault

MESSAGE = 130
DESCRIPTION = 15_000
NOTE = 1000


def _is_taken(status: int, body: bytes) -> bool:
    """202 and these words (Atlassian, "Integration events"; Opsgenie, "Create Alert"): it is acted on later."""
    return status == 202 and json_object(body).get("result") == "Request will be processed"


NAME = "Jira Service Management"
PEER = Peer(NAME, proves=_is_taken, explain=json_words)
OUTCOMES = Peer(NAME, explain=json_words)
"""The same, asked what became of a request."""

PRIORITIES: Mapping[Severity, str] = {
    Severity.INFO: "P5",
    Severity.WARNING: "P3",
    Severity.ERROR: "P2",
    Severity.CRITICAL: "P1",
}

Call = tuple[str, dict[str, object]]
"""A path below `/v2/alerts`, and the body to post there."""

ACKNOWLEDGING = frozenset({Action.ACKNOWLEDGE, Action.SNOOZE, Action.AMEND})
"""An amendment says that somebody else has the alert."""


@dataclass(frozen=True, slots=True)
class JsmAlert:
    """An alert there, and whether we acknowledged it. Kept as `post`; an alias holds no space."""

    alias: str
    acknowledged: bool = False

    @classmethod
    def parse(cls, post: str | None) -> JsmAlert | None:
        if post is None:
            return None
        alias, _, standing = post.partition(" ")
        return cls(alias, bool(standing))

    def __str__(self) -> str:
        return f"{self.alias} acknowledged" if self.acknowledged else self.alias

    def is_of(self, first: str) -> bool:
        """Whether it has the severity of the alias that an alert's first one would have."""
        return self.alias == first or self.alias.startswith(f"{first}-")


class JsmChannel:
    """Creates, acknowledges and closes by alias: the alert's id and severity.

    A raise to another severity is an alert of its own, with a priority that pages, and closes the one before it; one
    within the same severity is a note, or an alert of its own where the one before it is acknowledged. The new one
    comes first: events are acted on later, and a late close must not end it. A test's alert is closed at once.
    """

    def __init__(
        self,
        config: Jsm,
        vault: Vault,
        transport: httpx.AsyncBaseTransport,
        pauses: Sequence[float] = PAUSES,
    ) -> None:
        self._config = config
        self._vault = vault
        self._transport = transport
        self._pauses = pauses

    async def send(self, delivery: Delivery) -> Receipt:
        headers = {"Authorization": f"GenieKey {opened(self._vault, self._config.api_key)}"}
        alert, doubt = _alert_of(delivery), ""
        for path, document in _calls(delivery, alert.alias):
            url, body = f"{self._config.api_url}/v2/alerts{path}", encoded({"source": "Tocsin"} | document)
            if path:
                await post(self._transport, PEER, url, body, headers)
            elif not await self._is_created(url, body, headers):
                doubt = ", taken, not confirmed"
        return Receipt(post=str(alert), detail=f"{delivery.action} of {alert.alias}{doubt}")

    async def _is_created(self, url: str, body: bytes, headers: Mapping[str, str]) -> bool:
        """Whether the alert is there before anything else is done, as closing the one that it replaces."""
        answer = await ask(self._transport, PEER, HttpCall(url, body, headers))
        return await is_confirmed(self._transport, OUTCOMES, self._config.api_url, headers, answer, self._pauses)


def open_channel(config: Jsm, needed: Dependencies) -> Channel:
    return JsmChannel(config, needed.vault, needed.transport)


def _alert_of(delivery: Delivery) -> JsmAlert:
    """The alert there that the message is about, as the message leaves it."""
    message, before = delivery.message, JsmAlert.parse(delivery.post)
    first = f"{message.alert_id}-{message.severity}"
    if delivery.action in ACKNOWLEDGING:
        return JsmAlert(before.alias if before else first, acknowledged=True)
    if before is None or (delivery.action is not Action.RESOLVE and not before.is_of(first)):
        return JsmAlert(first)
    if before.acknowledged and delivery.action in FIRING_ACTIONS:
        return JsmAlert(f"{first}-{message.version}")
    return before


def _calls(delivery: Delivery, alias: str) -> Iterator[Call]:
    message, before = delivery.message, JsmAlert.parse(delivery.post)
    match delivery.action:
        case Action.ACKNOWLEDGE | Action.SNOOZE | Action.AMEND:
            yield _on(alias, "acknowledge", message)
        case Action.RESOLVE:
            yield _on(alias, "close", message)
        case Action.OPEN | Action.RAISE:
            yield "", _alert(alias, message)
            if before is not None and before.alias == alias:
                yield _on(alias, "notes", message)
            elif before is not None:
                yield _on(before.alias, "close", message)
            if message.type is MessageType.TEST:
                yield _on(alias, "close", message)


def _on(alias: str, verb: str, message: Message) -> Call:
    return f"/{quote(alias, safe='')}/{verb}?identifierType=alias", {"note": clipped(message.one_line, NOTE)}


def _alert(alias: str, message: Message) -> dict[str, object]:
    told = [line for line in (message.change, message.summary, message.next_step) if line]
    facts = [f"{label}: {text}" for label, text in message.facts]
    lines = [*told, "", *facts, "", " · ".join(message.small_print)]
    return {
        "message": clipped(message.one_line, MESSAGE),
        "alias": alias,
        "description": clipped("\n".join(lines).strip(), DESCRIPTION),
        "details": {"link": message.link, "alert_id": message.alert_id},
        "tags": ["tocsin", *(["simulated"] if message.simulated else [])],
        "priority": PRIORITIES[message.severity],
    }
