"""A walk through a product that has pigeons: by REST, from storage, to the loft, as their traits say.

It runs as a process of its own, in a copy of the package; an assertion that fails ends it.
"""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from httpx import AsyncClient
from rich.console import Console

from service.adapters.channels.dependencies import Dependencies
from service.adapters.channels.factory import ChannelFactory
from service.adapters.egress.aiohttp_connector import connectors
from service.adapters.egress.guard import Guard, parse_networks
from service.adapters.egress.httpx_transport import open_transport
from service.adapters.postgres.engine import create_engine
from service.api.app import create_app
from service.domain.access import Role
from service.workflows.alerts.evaluate import run_evaluation
from service.workflows.delivery.deliver import run_delivery
from service.workflows.notify.resend import run_resend
from service.workflows.ports.unit_of_work import Ports
from tests.api.stand import answered, client, pointers, secret_of
from tests.factories import budget, percent
from tests.fakes.clock import FakeClock
from tests.fakes.receiver import FakeReceiver
from tests.workflows.yard import Yard, billed, open_yard

MINUTE = timedelta(minutes=1)
PIGEON = {"kind": "pigeon", "loft": "https://loft.example/", "whistle": "abacabadabacabae"}


@dataclass
class Walk:
    yard: Yard
    ports: Ports
    loft: FakeReceiver
    admin: AsyncClient
    schema: dict[str, Any]

    @property
    def pigeon(self) -> dict[str, str]:
        return PIGEON | {"loft": self.loft.url}

    async def fly(self, *, after: timedelta = timedelta()) -> list[dict[str, Any]]:
        """Delivers what is due then, and returns what came home."""
        self.yard.clock.advance(after)
        before = len(self.loft.documents)
        await run_delivery(self.ports)
        return self.loft.documents[before:]

    async def exceed(self, *names: str) -> None:
        """Opens an alert for each of these budgets, in one evaluation."""
        for name in names:
            await self.yard.add_budget(name, budget("10.00", percent(100)))
        await run_evaluation(self.ports, self.yard.source.id)

    async def lead(self, **options: str) -> None:
        answered(await self.admin.put("/v1/routes", json={"items": [{"receiver": "birds", **options}]}))


@asynccontextmanager
async def begin(url: str) -> AsyncIterator[Walk]:
    engine, guard = create_engine(url), Guard(parse_networks("127.0.0.0/8"))
    try:
        async with (
            open_yard(url, engine, FakeClock()) as yard,
            open_transport(guard, proxy=None) as transport,
            FakeReceiver() as loft,
        ):
            dependencies = Dependencies(
                vault=yard.ports.vault,
                transport=transport,
                connector=connectors(guard, proxy=None),
                smtp_url=None,
                email_from="tocsin@example.com",
                terminal=Console(file=io.StringIO()),
            )
            channels = ChannelFactory(dependencies)
            ports = replace(yard.ports, channels=channels, public_url="https://tocsin.example")
            app = create_app(ports, ready=_ready)
            async with client(app, await secret_of(ports, Role.ADMIN)) as admin:
                yield Walk(yard, ports, loft, admin, app.openapi()["components"]["schemas"])
    finally:
        await engine.dispose()


async def _ready() -> str | None:
    return None


async def the_api_takes_it_and_guards_it(walk: Walk) -> None:
    described = walk.schema["PigeonIn"]
    assert described["description"] == "A flock of pigeons."
    assert described["required"] == ["kind", "loft", "whistle"]
    assert described["properties"]["ring"]["enum"] == ["red", "blue"]
    assert described["properties"]["whistle"]["description"] == "write-only: the tune that they obey"
    for wrong, pointer in (
        ({"loft": "http://10.0.0.5"}, "loft"),
        ({"loft": "nowhere"}, "loft"),
        ({"whistle": "xyz"}, "whistle"),
        ({"ring": "green"}, "ring"),
        ({"wings": "2"}, "wings"),
    ):
        refused = await walk.admin.post("/v1/receivers", json={"name": "x", "channels": [walk.pigeon | wrong]})
        assert pointers(refused) == [f"/channels/0/{pointer}"], wrong


async def it_is_stored_with_its_secret_sealed(walk: Walk) -> None:
    document = {"name": "birds", "channels": [walk.pigeon | {"loft": f"{walk.loft.url}/"}]}
    made = answered(await walk.admin.post("/v1/receivers", json=document), 201)
    stub = {"set": True, "hint": "...abae"}
    assert made["channels"] == [
        {"kind": "pigeon", "loft": walk.loft.url, "whistle": stub, "ring": "blue", "link": "read"}
    ]
    async with walk.ports.uow() as uow:
        (stored,) = (await uow.receivers.get("birds")).spec.channels
    assert (type(stored).__name__, stored.kind) == ("Pigeon", "pigeon")
    elsewhere = made["channels"][0] | {"loft": "https://cat.example"}
    refused = await walk.admin.patch("/v1/receivers/birds", json={"channels": [elsewhere]})
    assert pointers(refused) == ["/channels/0/whistle"]
    painted = made["channels"][0] | {"ring": "red"}
    answered(await walk.admin.patch("/v1/receivers/birds", json={"channels": [painted]}))


async def it_is_tried(walk: Walk) -> None:
    tested = answered(await walk.admin.post("/v1/receivers/birds/test"))
    assert [(one["kind"], one["ok"], one["detail"]) for one in tested["channels"]] == [("pigeon", True, "came home")]
    (arrived,) = walk.loft.taken
    assert (arrived.path, arrived.headers["x-whistle"], arrived.headers["x-ring"]) == (
        "/home",
        "abacabadabacabae",
        "red",
    )


async def it_keeps_to_its_rate_and_links_to_charts(walk: Walk) -> None:
    await walk.lead()
    walk.yard.reader.bill(date(2026, 11, 16), billed("12.00"))
    await walk.yard.poll()
    await walk.exceed("eng", "ops")
    flights = [await walk.fly(), await walk.fly(), await walk.fly(after=MINUTE)]
    assert [[one["action"] for one in flight] for flight in flights] == [["open"], [], ["open"]]
    assert all(one["chart"].startswith("https://tocsin.example/charts/") for flight in flights for one in flight)


async def it_is_sent_again_each_minute(walk: Walk) -> None:
    before = len(walk.loft.documents)
    assert await run_resend(walk.ports) == 2
    assert [one["action"] for one in walk.loft.documents[before:]] == ["open", "open"]
    assert all(one["earlier"].startswith("pigeon of ntf_") for one in walk.loft.documents[before:])


async def its_summaries_are_kept_current(walk: Walk) -> None:
    await walk.lead(group_wait="1m")
    await walk.exceed("labs", "docs")
    (summary,) = await walk.fly(after=MINUTE)
    assert [one.partition(", ")[2] for one in summary["listed"]] == ["firing", "firing"], summary
    newest = answered(await walk.admin.get("/v1/alerts?limit=1"))["items"][0]
    answered(await walk.admin.post(f"/v1/alerts/{newest['id']}/acknowledge"))
    (edit,) = await walk.fly(after=MINUTE)
    assert edit["earlier"].startswith("pigeon of ntf_")
    standings = sorted(one.partition(", ")[2] for one in edit["listed"])
    assert standings == ["acknowledged by the admin", "firing"], edit


STEPS = (
    the_api_takes_it_and_guards_it,
    it_is_stored_with_its_secret_sealed,
    it_is_tried,
    it_keeps_to_its_rate_and_links_to_charts,
    it_is_sent_again_each_minute,
    its_summaries_are_kept_current,
)


async def walk_through(url: str) -> None:
    async with begin(url) as walk:
        for step in STEPS:
            await step(walk)


if __name__ == "__main__":
    asyncio.run(walk_through(sys.argv[1]))
