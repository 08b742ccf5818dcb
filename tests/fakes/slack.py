"""A small local Slack: posts, edits, threads, a webhook, limits and refusals. The real slack-sdk drives it."""

from __future__ import annotations

import json
import re
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from aiohttp import web

from tests.fakes.local_web import listen

Json = dict[str, Any]

TOKEN = "xoxb-FAKE-token-of-the-tests"
HOOK = "/services/T0FAKE/B0FAKE/FAKEhookOfTheTests"

_PING = re.compile(r"<(?:!(?:channel|here|everyone)|!subteam\^\w+|@\w+)(?:\|[^>]*)?>")
TEXT_LIMITS = {"header": 150, "section": 3000}
TOTAL_LIMIT = 13_200


@dataclass
class Posted:
    """A message as Slack holds it. `edits` counts chat.update calls; `pings` are what would notify people."""

    channel: str
    ts: str
    text: str
    blocks: list[Json]
    author: str
    thread_ts: str | None = None
    broadcast: bool = False
    edits: int = 0

    @property
    def pings(self) -> list[str]:
        return _PING.findall("\n".join([self.text, *_mrkdwn_texts(self.blocks)]))

    @property
    def shown(self) -> str:
        """Everything a reader sees, one text object a line, as sent."""
        return "\n".join(shown_texts(self.blocks)) if self.blocks else self.text


@dataclass
class Uploaded:
    """A file. It is nowhere to be seen until it is shared in a channel."""

    name: str
    alt: str
    length: int
    content: bytes = b""
    title: str = ""
    channel: str = ""
    thread_ts: str = ""
    comment: str = ""


@dataclass
class Answer:
    """What to answer instead of the truth."""

    status: int = 200
    json: Mapping[str, object] | None = None
    text: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


class FakeSlack:
    """`async with FakeSlack() as slack:` serves on 127.0.0.1 until the block ends."""

    def __init__(self, channels: tuple[str, ...] = ("claude-spend",)) -> None:
        self.channel_ids = {name: f"C{number:08d}" for number, name in enumerate(channels, start=1)}
        self.posted: list[Posted] = []
        self.files: dict[str, Uploaded] = {}
        self.calls: list[str] = []
        self.meanwhile: Callable[[str, str], Awaitable[None]] | None = None
        self._planned: dict[str, deque[Answer]] = defaultdict(deque)
        self._url = ""

    async def __aenter__(self) -> FakeSlack:
        app = web.Application()
        app.router.add_post("/api/{method}", self._call)
        app.router.add_post(HOOK, self._hook)
        app.router.add_post("/upload/{id}", self._receive)
        self._runner, self._url = await listen(app)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    @property
    def api_url(self) -> str:
        return f"{self._url}/api/"

    @property
    def webhook_url(self) -> str:
        return self._url + HOOK

    # What a test asks for.

    def messages(self, channel: str) -> list[Posted]:
        """What stands in the channel itself: posts and broadcast replies."""
        id = self.channel_ids[channel]
        return [post for post in self.posted if post.channel == id and (not post.thread_ts or post.broadcast)]

    def replies(self, parent: Posted) -> list[Posted]:
        return [post for post in self.posted if post.thread_ts == parent.ts]

    def forget(self, post: Posted) -> None:
        """Somebody deletes a message."""
        self.posted.remove(post)

    def plan(self, method: str, answer: Answer, *, times: int = 1) -> None:
        """Answers the next calls of a method ("chat.update", or "webhook") like this, doing nothing else."""
        self._planned[method].extend([answer] * times)

    def refuse(self, method: str, error: str, *, times: int = 1) -> None:
        self.plan(method, Answer(json={"ok": False, "error": error}), times=times)

    def limit_rate(self, method: str, *, seconds: int, times: int = 1) -> None:
        answer = Answer(429, {"ok": False, "error": "ratelimited"}, headers={"Retry-After": str(seconds)})
        self.plan(method, answer, times=times)

    def plan_nothing(self) -> None:
        """Forgets what was planned and has not come to pass."""
        self._planned.clear()

    # What Slack does.

    async def _call(self, request: web.Request) -> web.Response:
        """`meanwhile` is awaited before and after a method has acted."""
        method = request.match_info["method"]
        await request.read()
        if self.meanwhile is not None:
            await self.meanwhile(method, "asked")
        answer = await self._act(method, request)
        if self.meanwhile is not None:
            await self.meanwhile(method, "done")
        return answer

    async def _act(self, method: str, request: web.Request) -> web.Response:
        self.calls.append(method)
        if planned := self._next_planned(method):
            return planned
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return _error("invalid_auth")
        if method.startswith("files."):
            return self._file(method, {**request.query, **await request.post()})
        body = await request.json()
        if error := broken_limit(body):
            return _error(error)
        if method == "chat.postMessage":
            return self._post(body)
        return self._update(body) if method == "chat.update" else _error("unknown_method")

    def _file(self, method: str, form: Mapping[str, object]) -> web.Response:
        """Slack takes these calls' arguments as a form."""
        if method == "files.getUploadURLExternal":
            id = f"F{len(self.files) + 1:08d}"
            self.files[id] = Uploaded(str(form["filename"]), str(form.get("alt_txt", "")), int(str(form["length"])))
            return web.json_response({"ok": True, "file_id": id, "upload_url": f"{self._url}/upload/{id}"})
        if method != "files.completeUploadExternal":
            return _error("unknown_method")
        (shared,) = json.loads(str(form["files"]))
        file = self.files[shared["id"]]
        file.title, file.channel, file.thread_ts = shared["title"], str(form["channel_id"]), str(form["thread_ts"])
        file.comment = str(form.get("initial_comment", ""))
        return web.json_response({"ok": True, "files": [{"id": shared["id"], "title": file.title}]})

    async def _receive(self, request: web.Request) -> web.Response:
        self.calls.append("upload")
        if planned := self._next_planned("upload"):
            return planned
        file = self.files[request.match_info["id"]]
        file.content = await request.read()
        return web.Response(status=200 if len(file.content) == file.length else 400, text="OK")

    async def _hook(self, request: web.Request) -> web.Response:
        self.calls.append("webhook")
        if planned := self._next_planned("webhook"):
            return planned
        body = await request.json()
        if error := broken_limit(body):
            return web.Response(status=400, text=error)
        self._keep(next(iter(self.channel_ids.values())), body, author="webhook")
        return web.Response(text="ok")

    def _post(self, body: Json) -> web.Response:
        wanted = str(body.get("channel", "")).removeprefix("#")
        channel = self.channel_ids.get(wanted, wanted)
        if channel not in self.channel_ids.values():
            return _error("channel_not_found")
        post = self._keep(channel, body, author="bot")
        return web.json_response({"ok": True, "channel": channel, "ts": post.ts})

    def _update(self, body: Json) -> web.Response:
        place = (body.get("channel"), body.get("ts"))  # Slack takes only ids here
        post = next((post for post in self.posted if (post.channel, post.ts) == place), None)
        if post is None:
            return _error("message_not_found")
        if post.author != "bot":
            return _error("cant_update_message")
        post.text = body["text"]
        post.blocks = body.get("blocks", post.blocks)  # left out, the old blocks stay
        post.edits += 1
        return web.json_response({"ok": True, "channel": post.channel, "ts": post.ts})

    def _keep(self, channel: str, body: Json, *, author: str) -> Posted:
        post = Posted(
            channel=channel,
            ts=f"1700000000.{len(self.calls):06d}",
            text=body["text"],
            blocks=body.get("blocks", []),
            author=author,
            thread_ts=body.get("thread_ts"),
            broadcast=bool(body.get("reply_broadcast")),
        )
        self.posted.append(post)
        return post

    def _next_planned(self, method: str) -> web.Response | None:
        if not self._planned[method]:
            return None
        answer = self._planned[method].popleft()
        if answer.json is not None:
            return web.json_response(answer.json, status=answer.status, headers=answer.headers)
        return web.Response(status=answer.status, text=answer.text, headers=answer.headers)


def _error(name: str) -> web.Response:
    return web.json_response({"ok": False, "error": name})


def broken_limit(body: Json) -> str | None:
    """Slack's published limits on a message; the total is what slackapi/bolt-js#2509 measured."""
    blocks = body.get("blocks", [])
    if not str(body.get("text", "")).strip():
        return "no_text"
    if len(body["text"]) > 40_000:
        return "msg_too_long"
    if len(blocks) > 50 or not all(_is_within_limits(block) for block in blocks):
        return "invalid_blocks"
    return "msg_blocks_too_long" if sum(map(len, shown_texts(blocks))) > TOTAL_LIMIT else None


def _is_within_limits(block: Json) -> bool:
    kind = block["type"]
    if kind == "context":
        return 1 <= len(block["elements"]) <= 10
    if kind == "image":
        return block["image_url"].startswith("https://") and 1 <= len(block["alt_text"]) <= 2000
    if kind == "actions":
        return 1 <= len(block["elements"]) <= 25 and all(map(_is_pressable, block["elements"]))
    text, fields = block.get("text", {}), block.get("fields", [])
    if kind == "header" and text["type"] != "plain_text":
        return False
    if not (text or fields):
        return False
    return (
        (not text or 1 <= len(text["text"]) <= TEXT_LIMITS[kind])
        and len(fields) <= 10
        and all(1 <= len(each["text"]) <= 2000 for each in fields)
    )


def _is_pressable(element: Json) -> bool:
    if element["type"] == "button":
        return len(element["text"]["text"]) <= 75 and len(element["value"]) <= 2000
    return 1 <= len(element["options"]) <= 100 and all(len(one["value"]) <= 150 for one in element["options"])


def _text_objects(blocks: list[Json]) -> list[Json]:
    """All that is text, but what stands on buttons."""
    return [
        text
        for block in blocks
        if block["type"] != "actions"
        for text in [block.get("text"), *block.get("fields", []), *block.get("elements", [])]
        if text
    ]


def shown_texts(blocks: list[Json]) -> list[str]:
    return [text["text"] for text in _text_objects(blocks)]


def _mrkdwn_texts(blocks: list[Json]) -> list[str]:
    return [text["text"] for text in _text_objects(blocks) if text["type"] == "mrkdwn"]
