"""Jira Service Management as far as its requests go: taken at once, acted on later."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType

from aiohttp import web

from tests.fakes.local_web import listen


@dataclass
class FakeJsm:
    """`async with FakeJsm() as jsm:` serves on 127.0.0.1 until the block ends.

    `fates` are the answers to questions after a request, 404 where None; when none is left, it was a success. `posted`
    are the paths that were posted to, `asked` those that were read, with the login of each. `pages` are the aliases of
    all alerts that were created, `open` how each that is open stands, `notes` what was said at one that is.
    """

    pages: list[str] = field(default_factory=list)
    open: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    fates: deque[Mapping[str, object] | None] = field(default_factory=deque)
    posted: list[str] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)

    async def __aenter__(self) -> FakeJsm:
        app = web.Application()
        app.router.add_post("/{path:.*}", self._take)
        app.router.add_get("/{path:.*}", self._tell)
        self._runner, self.url = await listen(app)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        self.posted.append(request.path)
        self._act(*request.path.rpartition("/v2/alerts")[2].split("/")[1:], said=await request.json())
        answer = {"result": "Request will be processed", "took": 0.1, "requestId": f"request-{len(self.posted)}"}
        return web.json_response(answer, status=202)

    def _act(self, alias: str = "", verb: str = "create", *, said: Mapping[str, str]) -> None:
        if verb == "create":
            if said["alias"] not in self.open:
                self.pages.append(said["alias"])
                self.open[said["alias"]] = "open"
        elif alias in self.open:
            self.notes.append(said["note"])
            self.open |= {alias: "acknowledged"} if verb == "acknowledge" else {}
            if verb == "close":
                del self.open[alias]

    async def _tell(self, request: web.Request) -> web.Response:
        self.asked.append((request.path, request.headers["Authorization"]))
        fate = self.fates.popleft() if self.fates else {"data": {"isSuccess": True, "status": "Created alert"}}
        if fate is None:
            return web.json_response({"message": "Request not found. It might not be processed, yet."}, status=404)
        return web.json_response(fate)
