"""A small local Discord: one webhook with its posts and edits, limits, and what its clients make of Markdown."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from aiohttp import web

from tests.fakes.local_web import listen
from tests.fakes.slack import Answer

Json = dict[str, Any]

WEBHOOK = "/api/webhooks/1234567890/FAKE-token_of-the-tests"
UNKNOWN_MESSAGE, UNKNOWN_WEBHOOK, INVALID_TOKEN, INVALID_BODY = 10008, 10015, 50027, 50035
MOST_CHARACTERS = 6000

_OUR_LINK = re.compile(r"\[((?:[^\]\\]|\\.)*)\]\((https?://[^)\s]+)\)")
_LIVE = re.compile(
    r"@everyone|@here|<(?:@[!&]?\d+|#\d+|t:\d+|a?:\w+:\d+|https?:)|https?://\S|[*_`]|~~|\|\||^(?:#{1,3} |-# |>|- )",
    re.MULTILINE,
)


@dataclass
class DiscordMessage:
    """A message as Discord holds it. `edits` counts what was patched."""

    id: str
    username: str
    content: str
    embeds: list[Json]
    mentions: Json | None
    edits: int = 0

    @property
    def embed(self) -> Json:
        (embed,) = self.embeds
        return embed

    @property
    def fields(self) -> dict[str, str]:
        return {read(one["name"]).shown: read(one["value"]).shown for one in self.embed.get("fields", [])}

    @property
    def pings(self) -> bool:
        """Whether it may notify anybody: mentions in embeds never do."""
        return self.mentions != {"parse": []}

    @property
    def shown(self) -> str:
        """Everything a reader sees, one text a line."""
        return "\n".join(one.shown for one in self._read())

    @property
    def links(self) -> list[str]:
        return [self.embed["url"], *(link for one in self._read() for link in one.links)]

    @property
    def live(self) -> list[str]:
        """Formatting, mentions and addresses that a client would make of the texts, besides links with a name."""
        return [found for one in self._read() for found in one.live]

    def _read(self) -> list[Markdown]:
        marked = [self.content, self.embed.get("title", ""), self.embed.get("description", "")]
        marked += [text for one in self.embed.get("fields", []) for text in (one["name"], one["value"])]
        return [Markdown(self.embed.get("author", {}).get("name", "")), *map(read, marked)]


@dataclass
class Markdown:
    """A text as a client shows it."""

    shown: str
    links: list[str] = field(default_factory=list)
    live: list[str] = field(default_factory=list)


def read(text: str) -> Markdown:
    """Reads Discord's Markdown: a backslash before a sign makes it text."""
    found, place = Markdown(""), 0
    while place < len(text):
        link, live = _OUR_LINK.match(text, place), _LIVE.match(text, place)
        if text[place] == "\\" and not text[place + 1 : place + 2].isalnum():
            found.shown += text[place + 1 : place + 2]
            place += 2
        elif link is not None:
            inner = read(link[1])
            found.shown += inner.shown
            found.live += inner.live
            found.links.append(link[2])
            place = link.end()
        else:
            found.live += [live[0]] if live is not None else []
            found.shown += text[place]
            place += 1
    return found


@dataclass
class FakeDiscord:
    """`async with FakeDiscord() as discord:` serves on 127.0.0.1 until the block ends.

    `messages` are those that stand in the channel, `paths` all that were called, `planned` answers to the next calls.
    """

    messages: list[DiscordMessage] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    planned: deque[Answer] = field(default_factory=deque)
    is_there: bool = True
    url: str = ""

    async def __aenter__(self) -> FakeDiscord:
        app = web.Application()
        app.router.add_post("/api/webhooks/{id}/{token}", self._execute)
        app.router.add_patch("/api/webhooks/{id}/{token}/messages/{message}", self._edit)
        self._runner, self.url = await listen(app)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    @property
    def webhook_url(self) -> str:
        return self.url + WEBHOOK

    def plan(self, *answers: Answer) -> None:
        self.planned.extend(answers)

    def limit_rate(self, seconds: float, headers: dict[str, str] | None = None) -> None:
        body = {"message": "You are being rate limited.", "retry_after": seconds, "global": False}
        self.plan(Answer(429, body, headers=headers or {}))

    async def _execute(self, request: web.Request) -> web.Response:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        body = await request.json()
        if not is_within_limits(body):
            return _error(400, INVALID_BODY, "Invalid Form Body")
        message = DiscordMessage(
            id=str(1_300_000_000_000_000_000 + len(self.paths)),
            username=body.get("username", "Captain Hook"),
            content=body.get("content", ""),
            embeds=body.get("embeds", []),
            mentions=body.get("allowed_mentions"),
        )
        self.messages.append(message)
        if request.query.get("wait") != "true":
            return web.Response(status=204)
        return web.json_response({"id": message.id, "type": 0, "embeds": message.embeds, "webhook_id": "1234567890"})

    async def _edit(self, request: web.Request) -> web.Response:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        body = await request.json()
        message = next((one for one in self.messages if one.id == request.match_info["message"]), None)
        if message is None:
            return _error(404, UNKNOWN_MESSAGE, "Unknown Message")
        if not is_within_limits(body):
            return _error(400, INVALID_BODY, "Invalid Form Body")
        message.embeds, message.mentions = body["embeds"], body.get("allowed_mentions")
        message.edits += 1
        return web.json_response({"id": message.id, "embeds": message.embeds})

    def _refusal(self, request: web.Request) -> web.Response | None:
        self.paths.append(f"{request.method} {request.path_qs}")
        if self.planned:
            answer = self.planned.popleft()
            if answer.json is not None:
                return web.json_response(answer.json, status=answer.status, headers=answer.headers)
            return web.Response(status=answer.status, text=answer.text, headers=answer.headers)
        if not self.is_there or not request.path.startswith(WEBHOOK.rpartition("/")[0]):
            return _error(404, UNKNOWN_WEBHOOK, "Unknown Webhook")
        if not request.path.startswith(WEBHOOK):
            return _error(401, INVALID_TOKEN, "Invalid Webhook Token")
        return None


def _error(status: int, code: int, message: str) -> web.Response:
    return web.json_response({"message": message, "code": code}, status=status)


def is_within_limits(body: Json) -> bool:
    """Holds a message to Discord's published limits."""
    embeds = body.get("embeds", [])
    if not (body.get("content") or embeds) or len(body.get("content", "")) > 2000 or len(embeds) > 10:
        return False
    if re.search("discord|clyde", body.get("username", ""), re.IGNORECASE) or len(body.get("username", "x")) > 80:
        return False
    return sum(map(characters_of, embeds)) <= MOST_CHARACTERS and all(map(_is_an_embed, embeds))


def characters_of(embed: Json) -> int:
    """What adds up to the limit of all embeds."""
    fields = [text for one in embed.get("fields", []) for text in (one["name"], one["value"])]
    return sum(map(len, [*_texts(embed), *fields]))


def _texts(embed: Json) -> list[str]:
    author, footer = embed.get("author", {}).get("name", ""), embed.get("footer", {}).get("text", "")
    return [embed.get("title", ""), embed.get("description", ""), author, footer]


def _is_an_embed(embed: Json) -> bool:
    fields, image = embed.get("fields", []), embed.get("image", {}).get("url", "https://")
    return (
        all(len(text) <= most for text, most in zip(_texts(embed), (256, 4096, 256, 2048), strict=True))
        and len(fields) <= 25
        and all(1 <= len(one["name"].strip()) <= 256 and 1 <= len(one["value"].strip()) <= 1024 for one in fields)
        and image.startswith("https://")
    )
