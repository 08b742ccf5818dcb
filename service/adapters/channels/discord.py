"""Discord by an incoming webhook: one post an alert, kept current by edits; a raise is posted again.

An edit notifies nobody. So a raise is a post of its own, which is kept current from then on; the earlier one says so.

Limits (Discord's documentation: Message Resource, "Embed Limits"; Webhook Resource): in one embed a title of 256
characters, a description of 4096, an author of 256, and 25 fields with names of 256 and values of 1024; 6000 in all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import httpx

from service.adapters.channels.dependencies import Dependencies
from service.adapters.channels.posting import HttpCall, HttpRefusal, Peer, ask, encoded, json_object, json_words
from service.adapters.channels.secret import opened
from service.domain.alerts.alert import AlertState
from service.domain.messages.console_pages import NAMES as PAGE_NAMES
from service.domain.messages.message import badge, unlisted_words
from service.domain.notify.channels.discord import Discord
from service.domain.notify.notification import FIRING_ACTIONS, Action, Delivery, Listed, Message, MessageForm, Receipt
from service.domain.values.severity import Severity
from service.workflows.ports.channels import Channel, DeliveryError
from service.workflows.ports.platform import Vault

Embed = dict[str, object]

TITLE, DESCRIPTION, AUTHOR = 256, 4096, 256
MOST_FIELDS, FIELD_NAME, FIELD_VALUE = 25, 256, 1024
MOST_CHARACTERS = 6000
PLAIN = 1500
"""Characters of a message without an embed, beside its link; Discord takes 2000."""
SENTENCE, LISTED = 1000, 150
"""Characters of a sentence in the description, and of the two texts of a listed alert."""
UNKNOWN_MESSAGE = 10008
"""Discord's code (Opcodes and Status Codes) for a post that somebody has deleted."""
USERNAME = "Tocsin"
NO_MENTIONS: Mapping[str, list[str]] = {"parse": []}
SUPERSEDED = "Continued in a newer message."
NOTHING_TO_EDIT = Receipt(post=None, detail="nothing to edit: this alert was never posted here")

CALM, GREY = 0x2F7D4F, 0x95A5A6
COLOURS: Mapping[Severity, int] = {
    Severity.INFO: 0x3498DB,
    Severity.WARNING: 0xF1C40F,
    Severity.ERROR: 0xE67E22,
    Severity.CRITICAL: 0xE74C3C,
}

_MARKUP = re.compile(r"[\\*_~|`<>\[\]#@]|:(?=//)|^-", re.MULTILINE)
"""Characters that Discord's Markdown reads, in addresses and mentions too. A backslash before it makes it text."""
_HALF_AN_ESCAPE = re.compile(r"(?<!\\)((?:\\\\)*)\\$")
_SNOWFLAKE = re.compile(r"[0-9]{1,20}")


def _asked_wait(body: bytes) -> timedelta | None:
    """Reads `retry_after` of a 429: seconds, with decimals."""
    seconds = json_object(body).get("retry_after")
    return timedelta(seconds=seconds) if isinstance(seconds, int | float) and 0 < seconds < 100_000 else None


PEER = Peer("Discord", explain=json_words, wait=_asked_wait)


@dataclass(frozen=True, slots=True)
class DiscordPost:
    """A post's id, and the address of the chart that its edits have to name again; empty where it has none."""

    id: str
    chart: str = ""

    @classmethod
    def parse(cls, reference: str) -> DiscordPost:
        found = json.loads(reference)
        return cls(found["id"], found["chart"])

    def __str__(self) -> str:
        return json.dumps({"id": self.id, "chart": self.chart})


class DiscordChannel:
    """Posts openings and raises, and edits the newest post for all else. A post that is gone is replaced by a new one.

    `wait=true` makes Discord answer with the message, once it is stored: its id is the proof, and the reference.
    """

    def __init__(self, config: Discord, vault: Vault, transport: httpx.AsyncBaseTransport) -> None:
        self._config = config
        self._vault = vault
        self._transport = transport

    async def send(self, delivery: Delivery) -> Receipt:
        earlier = DiscordPost.parse(delivery.post) if delivery.post is not None else None
        if delivery.action in FIRING_ACTIONS or (earlier is None and delivery.action is Action.RESOLVE):
            return await self._post(delivery)
        return NOTHING_TO_EDIT if earlier is None else await self._bring_up_to_date(earlier, delivery)

    async def add(self, delivery: Delivery, receipt: Receipt) -> Receipt:
        """Marks the post before a raise as continued, which takes the state off it."""
        if delivery.action is Action.RAISE and delivery.post is not None and delivery.post != receipt.post:
            continued = {**_title(delivery.message), "description": SUPERSEDED, "color": GREY}
            await self._edit(DiscordPost.parse(delivery.post), {"embeds": [continued]})
        return receipt

    async def _post(self, delivery: Delivery) -> Receipt:
        chart = (delivery.picture.url if delivery.picture else None) or ""
        body = {"username": USERNAME, **_content(delivery, chart)}
        answer = await ask(self._transport, PEER, self._call("POST", body))
        id = json_object(answer).get("id")
        if not isinstance(id, str) or not _SNOWFLAKE.fullmatch(id):
            raise DeliveryError("Discord: the answer did not come from Discord")
        return Receipt(str(DiscordPost(id, chart)), f"{delivery.action} posted")

    async def _bring_up_to_date(self, post: DiscordPost, delivery: Delivery) -> Receipt:
        try:
            await self._edit(post, _content(delivery, post.chart))
        except HttpRefusal as refusal:
            if not _is_gone(refusal):
                raise
            return await self._post(delivery)
        return Receipt(str(post), f"{delivery.action} edited")

    async def _edit(self, post: DiscordPost, content: Mapping[str, object]) -> None:
        await ask(self._transport, PEER, self._call("PATCH", content, f"/messages/{post.id}"))

    def _call(self, method: str, body: Mapping[str, object], path: str = "") -> HttpCall:
        """Keeps the address's own parameters: `thread_id` leads to a thread."""
        parts = urlsplit(opened(self._vault, self._config.webhook_url))
        query = {**dict(parse_qsl(parts.query)), **({"wait": "true"} if not path else {})}
        url = urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/") + path, urlencode(query), ""))
        return HttpCall(url, encoded({**body, "allowed_mentions": NO_MENTIONS}), method=method)


def open_channel(config: Discord, needed: Dependencies) -> Channel:
    return DiscordChannel(config, needed.vault, needed.transport)


def _is_gone(refusal: HttpRefusal) -> bool:
    return json_object(refusal.answer).get("code") == UNKNOWN_MESSAGE


# ------------------------------------------------------------------------------------------- the embed


def _content(delivery: Delivery, chart: str) -> Mapping[str, object]:
    """An embed, or a text alone, which takes the embed's place in an edit."""
    message = delivery.message
    if delivery.form is MessageForm.FULL:
        return {"embeds": [fitting_embed(message, chart)]}
    said = f"{badge(message)}: {_text(message.headline, TITLE)}. {_text(message.change, SENTENCE)}"
    return {"content": f"{said[:PLAIN]}\n{message.link}", "embeds": []}


def fitting_embed(message: Message, chart: str) -> Embed:
    """Returns an embed that Discord takes; where it is too long, facts or listed alerts go, from the last."""
    message = replace(message, facts=message.facts[:MOST_FIELDS])
    while _size(message) > MOST_CHARACTERS and message.facts:
        message = replace(message, facts=message.facts[:-1])
    while (_size(message) > MOST_CHARACTERS or _length(_description(message)) > DESCRIPTION) and message.listed:
        message = replace(message, listed=message.listed[:-1], unlisted=message.unlisted + 1)
    return _embed(message) | ({"image": {"url": chart}} if chart else {})


def _embed(message: Message) -> Embed:
    return {
        **_title(message),
        "author": {"name": badge(message)[:AUTHOR]},  # no Markdown is read there
        "color": CALM if message.state is AlertState.RESOLVED else COLOURS[message.severity],
        "description": _description(message),
        "fields": [{"name": name, "value": value, "inline": True} for name, value in _fields(message)],
    }


def _title(message: Message) -> Embed:
    return {"title": _text(message.title or message.headline, TITLE), "url": message.link}


def _description(message: Message) -> str:
    told = [_text(text, SENTENCE) for text in (message.change, message.summary)]
    small_print = _text(" · ".join(message.small_print), SENTENCE)
    lines = [*told, *map(_listed, message.listed), unlisted_words(message), _next_step(message), small_print]
    return "\n".join(line for line in lines if line)


def _next_step(message: Message) -> str:
    """The next step, with the Console's page as a link."""
    if not message.page:
        return _text(message.next_step, SENTENCE)
    before, _, after = message.next_step.partition(message.page)
    link = f"[{PAGE_NAMES[message.page]}]({message.page})"
    return f"{_text(before, SENTENCE)}{link}{_text(after, SENTENCE)}"


def _listed(one: Listed) -> str:
    link = one.link.replace("(", "%28").replace(")", "%29")
    return f"[{_text(one.headline, LISTED)}]({link}) · {_text(one.standing, LISTED)}"


def _fields(message: Message) -> list[tuple[str, str]]:
    """Discord refuses empty texts."""
    return [(_text(label, FIELD_NAME) or "–", _text(value, FIELD_VALUE) or "–") for label, value in message.facts]


def _size(message: Message) -> int:
    """Counts what adds up to Discord's limit of an embed."""
    texts = [_text(message.title or message.headline, TITLE), badge(message)[:AUTHOR], _description(message)]
    return sum(map(_length, texts)) + sum(_length(text) for field in _fields(message) for text in field)


def _length(text: str) -> int:
    """Counts characters beyond the basic plane twice: how Discord does is not documented."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _text(raw: str, limit: int) -> str:
    """Escapes a plain text, so that no name becomes a mention, a link or Markdown; within `limit`."""
    escaped = _MARKUP.sub(r"\\\g<0>", raw[:limit])
    if len(raw) <= limit and _length(escaped) <= limit:
        return escaped
    kept = escaped.encode("utf-16-le", "surrogatepass")[: 2 * (limit - 1)].decode("utf-16-le", "ignore")
    return _HALF_AN_ESCAPE.sub(r"\1", kept) + "…"
