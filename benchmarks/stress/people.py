"""The people who use the product over REST: whichever of its API processes answers will do."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from typing import Any

import httpx

from stress.oracle import CAPS, Cap
from stress.plan import Plan, stopwatch
from stress.receivers import Receivers
from stress.upstream import Upstream

TOKEN = "tcn_chaos_admin_token_of_no_value"
HOST = "tocsin.example"
"""All APIs are behind one name, as behind a load balancer: an Idempotency-Key counts for the whole address."""
STALE_AFTER = "36h"
LATER = 0.2
POLLS_APART = 2.5
"""Real seconds between two polls of a source."""
Json = dict[str, Any]


class Unanswered(Exception):
    """No API has answered for long."""


@dataclass
class People:
    ports: list[int]
    drawn: random.Random
    client: httpx.AsyncClient
    patience: float
    """Real seconds for which a request is sent again and again."""
    acknowledged: dict[str, str] = field(default_factory=dict)
    """By note, the alert whose acknowledgement was answered with 200."""
    broken: list[str] = field(default_factory=list)
    """Answers that nobody should get."""
    repeated: int = 0
    is_home: bool = False

    async def ask(self, method: str, path: str, body: Json | None = None, key: str | None = None) -> httpx.Response:
        """The first real answer; a request that is cut off, or refused with 503, is sent again, anywhere."""
        headers = {"Host": HOST, "Authorization": f"Bearer {TOKEN}"} | ({"Idempotency-Key": key} if key else {})
        given_up = stopwatch() + self.patience
        while stopwatch() < given_up:
            address = f"http://127.0.0.1:{self.drawn.choice(self.ports)}/v1{path}"
            try:
                answer = await self.client.request(method, address, json=body, headers=headers)
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.status_code < 500:
                return answer
            if answer is not None and answer.status_code != 503:
                self.broken.append(f"{method} {path}: {answer.status_code} {answer.text[:200]}")
            self.repeated += 1
            await asyncio.sleep(LATER)
        raise Unanswered(f"{method} {path}")

    async def create(self, path: str, body: Json) -> Json:
        answer = await self.ask("POST", path, body, key=f"create {path} {body['name']}".replace(" ", "_"))
        assert answer.status_code == 201, answer.text
        created: Json = answer.json()
        return created

    async def every(self, path: str) -> list[Json]:
        """All items of a list, page by page."""
        items: list[Json] = []
        cursor = None
        joint = "&" if "?" in path else "?"
        while True:
            answer = await self.ask("GET", f"{path}{joint}limit=200" + (f"&cursor={cursor}" if cursor else ""))
            assert answer.status_code == 200, answer.text
            page = answer.json()
            items += page["items"]
            cursor = page["next"]
            if cursor is None:
                return items

    async def acknowledge_now_and_then(self) -> None:
        """Takes one firing alert after the other until they go home, and then waits for the answer.

        Whoever leaves in the middle of a request never learns that it was carried out.
        """
        while not self.is_home:
            await asyncio.sleep(self.drawn.expovariate(1 / 1.5))
            answer = await self.ask("GET", "/alerts?state=firing&limit=20")
            firing = [one["id"] for one in answer.json()["items"]]
            if firing:
                await self.acknowledge(self.drawn.choice(firing))

    def go_home(self) -> None:
        self.is_home = True

    async def acknowledge(self, alert: str) -> None:
        note = f"taken {len(self.acknowledged)}-{self.drawn.randrange(10**9)}"
        answer = await self.ask("POST", f"/alerts/{alert}/acknowledge", {"note": note}, key=note.replace(" ", "_"))
        if answer.status_code == 200:
            self.acknowledged[note] = alert


async def set_up_receivers(people: People, receivers: Receivers) -> None:
    """Everything goes to the webhook; what is about more than a day to mail, too."""
    hook = {"kind": "webhook", "url": receivers.webhook_url, "secret": "whsec_" + "QUJD" * 11}
    everybody = await people.create("/receivers", {"name": "hook", "channels": [hook]})
    mail = await people.create(
        "/receivers", {"name": "mail", "channels": [{"kind": "email", "to": ["finops@example.com"]}]}
    )
    longer = {"label": "budget", "op": "=~", "value": "(weekly|monthly|yearly) .*"}
    routes = [{"matchers": [longer], "receiver": mail["id"], "continue": True}, {"receiver": everybody["id"]}]
    answer = await people.ask("PUT", "/routes", {"items": routes})
    assert answer.status_code == 200, answer.text


async def set_up_source(people: People, upstream: Upstream, plan: Plan) -> None:
    name = upstream.organisation.name
    interval = max(1, min(1439, round(POLLS_APART * plan.speed / 60)))
    source = {
        "name": name,
        "base_url": upstream.url,
        "admin_key": f"sk-ant-admin01-chaos-{name.replace(' ', '-')}",
        "poll_interval": f"{interval}m",
    }
    await people.create("/sources", source)
    rule = {"name": f"{name} not read", "source": name, "kind": "stale_source"}
    await people.create("/rules", rule | {"params": {"failures": 10_000, "after": STALE_AFTER}})
    for cap in CAPS:
        await people.create("/budgets", budget_of(cap, name))


def budget_of(cap: Cap, source: str) -> Json:
    return {
        "name": cap.named(source),
        "source": source,
        "amount": str(cap.amount),
        "period": {"kind": cap.period},
        "for_each": cap.for_each,
        "scope": {"workspaces": list(cap.workspaces)},
        "thresholds": [{"percent": percent, "severity": severity} for percent, severity in cap.levels],
    }
