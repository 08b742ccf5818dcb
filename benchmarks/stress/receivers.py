"""A webhook's endpoint and a mail server that answer as they please: refusals, lost answers, silence."""

from __future__ import annotations

import asyncio
import email
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum

from aiohttp import web
from aiosmtpd.smtp import SMTP, Envelope, Session

from stress.plan import stopwatch


class Answer(StrEnum):
    """What becomes of a message that arrives. The sender has proof of the first two alone."""

    TAKEN = "taken"
    SLOW = "slow"
    LOST = "lost"
    """It is taken, and the connection breaks before the answer."""
    BUSY = "busy"
    FAILS = "fails"
    DROPPED = "dropped"
    """It is not taken: the connection breaks."""


PROVEN = frozenset({Answer.TAKEN, Answer.SLOW})
WEIGHTS = {
    Answer.TAKEN: 78, Answer.SLOW: 3, Answer.LOST: 4, Answer.BUSY: 5, Answer.FAILS: 6, Answer.DROPPED: 4,
}  # fmt: skip
SLOWLY = 1.0
DOWN_EVERY, DOWN_FOR = 40.0, 4.0
"""Real seconds: between two spells in which nothing is taken, on average, and how long each lasts."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message that came: its identity, when, from which process (0: unknown), and how it was answered."""

    key: str
    at: float
    pid: int
    answer: Answer


@dataclass
class Receivers:
    """Both endpoints. `sender_of` tells the process behind an address of this machine."""

    drawn: random.Random
    sender_of: Callable[[str], int]
    arrivals: list[Arrival] = field(default_factory=list)
    arrived: asyncio.Queue[Arrival] = field(default_factory=asyncio.Queue)
    is_quiet: bool = False
    is_down: bool = False
    webhook_url: str = ""
    smtp_url: str = ""

    def note(self, key: str, address: str) -> Answer:
        answer = Answer.TAKEN if self.is_quiet else self._draw()
        arrival = Arrival(key, stopwatch(), self.sender_of(address), answer)
        self.arrivals.append(arrival)
        if answer in PROVEN:
            self.arrived.put_nowait(arrival)
        return answer

    def _draw(self) -> Answer:
        if self.is_down:
            return self.drawn.choice((Answer.BUSY, Answer.FAILS, Answer.DROPPED))
        return self.drawn.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]

    async def go_down_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(self.drawn.expovariate(1 / DOWN_EVERY))
            self.is_down = True
            await asyncio.sleep(DOWN_FOR)
            self.is_down = False

    # ------------------------------------------------------------------------------------------- the webhook

    async def post(self, request: web.Request) -> web.Response:
        await request.read()
        assert request.transport is not None
        address = request.transport.get_extra_info("peername")[0]
        match self.note(request.headers["webhook-id"], address):
            case Answer.SLOW:
                await asyncio.sleep(SLOWLY)
            case Answer.LOST | Answer.DROPPED:
                _abort(request.transport)
            case Answer.BUSY:
                return web.Response(status=429, headers={"Retry-After": str(self.drawn.randrange(1, 600))})
            case Answer.FAILS:
                return web.Response(status=self.drawn.choice((500, 502, 503)))
        return web.Response(status=204)

    # ------------------------------------------------------------------------------------------- mail

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        assert session.peer is not None
        mail = email.message_from_bytes(envelope.content)
        key = str(mail["Message-ID"]).strip().strip("<>").partition("@")[0]
        match self.note(key, session.peer[0]):
            case Answer.SLOW:
                await asyncio.sleep(SLOWLY)
            case Answer.LOST | Answer.DROPPED:
                _abort(server.transport)
            case Answer.BUSY:
                return "450 4.2.0 try again later"
            case Answer.FAILS:
                return "451 4.3.0 something is wrong here"
        return "250 kept"


def _abort(transport: object) -> None:
    assert isinstance(transport, asyncio.Transport)
    transport.abort()


def sent_with_proof(arrivals: Sequence[Arrival]) -> dict[str, list[Arrival]]:
    """What arrived and was answered as it should be, by message, in order."""
    found: dict[str, list[Arrival]] = {}
    for one in arrivals:
        if one.answer in PROVEN:
            found.setdefault(one.key, []).append(one)
    return found


@asynccontextmanager
async def open_receivers(seed: int, sender_of: Callable[[str], int]) -> AsyncIterator[Receivers]:
    receivers = Receivers(random.Random(f"{seed}/receivers"), sender_of)
    app = web.Application()
    app.router.add_post("/hook", receivers.post)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    loop = asyncio.get_running_loop()
    mail = await loop.create_server(lambda: SMTP(receivers, hostname="mail.test"), "127.0.0.1", 0)
    try:
        receivers.webhook_url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
        receivers.smtp_url = f"smtp://127.0.0.1:{mail.sockets[0].getsockname()[1]}"
        yield receivers
    finally:
        mail.close()
        await runner.cleanup()
