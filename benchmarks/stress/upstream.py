"""The Admin APIs of the simulated organisations, and what goes wrong with them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from service.cli.serving import serving
from service.simulator.app import create_app
from service.simulator.protocol.behaviour import Behaviour
from service.simulator.protocol.faults import ENDPOINTS, Fault, Faults
from stress.organisation import Organisation
from stress.plan import DAY, Times

REFUSALS = (
    *(Fault.RATE_LIMITED, Fault.RATE_LIMITED_SILENT, Fault.SERVER_ERROR, Fault.TIMEOUT, Fault.OVERLOADED),
    *(Fault.TRUNCATED_JSON, Fault.HTML_BODY, Fault.CONNECTION_RESET, Fault.SLOW_BODY),
    *(Fault.MORE_WITHOUT_NEXT, Fault.REPEATED_PAGE, Fault.DUPLICATE_PAGE),
)
"""What spoils an answer so that it can be seen; the amounts of whatever is taken stay true."""
PAUSE = 6.0
"""Real seconds between two faults of one organisation, on average."""
OUTAGE = 3.5 * DAY


@dataclass(frozen=True, slots=True)
class Outage:
    """A stretch in which no bill can be read: long enough to be an alert of its own."""

    organisation: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Upstream:
    organisation: Organisation
    url: str
    faults: Faults
    outage: Outage | None

    async def fail(self, times: Times, drawn: random.Random) -> None:
        """Injects faults until it is cancelled; an outage is a refusal that stays until it is over."""
        if self.outage is not None:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._go_out(self.outage, times))
                tasks.create_task(self._fail_now_and_then(drawn))
        else:
            await self._fail_now_and_then(drawn)

    async def _go_out(self, outage: Outage, times: Times) -> None:
        await asyncio.sleep(times.until(outage.start))
        self.faults.inject("cost_report", Fault.FORBIDDEN, None)
        await asyncio.sleep(times.until(outage.end))
        self.faults.clear()

    async def _fail_now_and_then(self, drawn: random.Random) -> None:
        while True:
            await asyncio.sleep(drawn.expovariate(1 / PAUSE))
            endpoint, fault = drawn.choice(ENDPOINTS), drawn.choice(REFUSALS)
            self.faults.inject(endpoint, fault, drawn.randrange(1, 4), seconds=1)


@asynccontextmanager
async def open_upstreams(organisations: list[Organisation], times: Times) -> AsyncIterator[list[Upstream]]:
    async with AsyncExitStack() as stack:
        upstreams = []
        for place, one in enumerate(organisations):
            faults = Faults()
            app = create_app(one.world, times.now, faults, Behaviour(requests_per_minute=10_000_000))
            url = await stack.enter_async_context(serving(app))
            upstreams.append(Upstream(one, url, faults, _outage(one, place)))
        yield upstreams


def _outage(one: Organisation, place: int) -> Outage | None:
    """One in a month that has room for it, of each organisation at another time."""
    start = one.first + (6 + 8 * place) * DAY
    return Outage(one.name, start, start + OUTAGE) if start + OUTAGE + 6 * DAY < one.end else None
