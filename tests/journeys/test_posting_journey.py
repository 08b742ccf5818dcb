"""An alert's life as on-call tools and endpoints see it, and where they may be in the whole product."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from service.bootstrap.product import open_product
from service.domain.alerts.alert import Command
from service.domain.notify.channels.alertmanager import Alertmanager
from service.domain.notify.channels.jsm import Jsm
from service.domain.notify.channels.pagerduty import PagerDuty
from service.domain.notify.channels.registry import ChannelConfig
from service.domain.notify.channels.teams import Teams
from service.domain.notify.channels.webhook import Webhook
from service.domain.notify.circuits import Concern
from service.domain.notify.notification import NotificationState
from service.domain.notify.receivers import Receiver
from service.domain.notify.routing.routes import Route, RouteTable
from service.domain.values.severity import Severity
from service.settings import Settings
from service.workflows.configuration.engine import Author, Draft, create
from service.workflows.configuration.notify import Receivers, put_routes
from service.workflows.notify.resend import run_resend
from service.workflows.ports.channels import DeliveryError
from service.workflows.ports.platform import Vault
from tests.factories import budget, percent
from tests.fakes.receiver import FakeReceiver
from tests.fakes.slack import Answer
from tests.journeys.stage import PERSON, Stage
from tests.sample_alerts import delivery

pytestmark = pytest.mark.slow


@pytest.fixture
async def world() -> AsyncIterator[FakeReceiver]:
    """PagerDuty, Jira, Teams, an Alertmanager and an endpoint: all at one address, each at its path."""
    async with FakeReceiver() as server:
        yield server


def channels_to(vault: Vault, url: str) -> tuple[ChannelConfig, ...]:
    return (
        PagerDuty(vault.seal("FAKE-routing-key"), url),
        Jsm(vault.seal("FAKE-api-key"), f"{url}/jsm"),
        Webhook(f"{url}/hook", vault.seal("whsec_RkFLRS1rZXktb2YtdGhlLXRlc3RzLW9mLXdlYmhvb2tz")),
        Alertmanager((url,)),
        Teams(vault.seal(f"{url}/workflow?sig=FAKE")),
    )


async def route_to(stage: Stage, *channels: ChannelConfig) -> None:
    author = Author(PERSON, stage.clock())
    async with stage.ports.uow() as uow:
        made = await create(uow, Receivers(), Draft("on call", {}, Receiver(channels)), author)
        await put_routes(uow, RouteTable((Route(made.id),)), author)


def at(world: FakeReceiver, path: str) -> list[Any]:
    """The bodies of one place's requests, in order."""
    return [request.json for request in world.requests if request.path.startswith(path)]


async def test_every_tool_is_told_of_opening_raise_acknowledgement_and_end(stage: Stage, world: FakeReceiver) -> None:
    await route_to(stage, *channels_to(stage.ports.vault, world.url))
    thresholds = percent(100, Severity.WARNING), percent(150, Severity.CRITICAL)
    await stage.configure("eng monthly", budget("10.00", *thresholds))
    stage.bill("2026-10-19", "1234.5678")
    await stage.poll()
    stage.bill("2026-10-20", "300.00")
    await stage.poll()
    alert = await stage.alert()
    await stage.answer(alert, Command.ACKNOWLEDGE)
    await stage.answer(alert, Command.RESOLVE)

    events = at(world, "/v2/enqueue")
    assert [one["event_action"] for one in events] == ["trigger", "trigger", "acknowledge", "resolve"]
    assert {one["dedup_key"] for one in events} == {alert.id}
    assert [one["payload"]["severity"] for one in events[:2]] == ["warning", "critical"]

    paths = [request.path.partition("?")[0] for request in world.requests if request.path.startswith("/jsm")]
    low, high = f"/jsm/v2/alerts/{alert.id}-warning", f"/jsm/v2/alerts/{alert.id}-critical"
    assert paths == ["/jsm/v2/alerts", "/jsm/v2/alerts", f"{low}/close", f"{high}/acknowledge", f"{high}/close"]

    moves = [one["type"] for one in at(world, "/hook")]
    assert moves == ["alert.open", "alert.raise", "alert.acknowledge", "alert.resolve"]

    opened, raised, resolved = at(world, "/api/v2/alerts")
    assert [[one["labels"]["severity"] for one in sent] for sent in (opened, raised, resolved)] == [
        ["warning"],
        ["warning", "critical"],
        ["critical"],
    ]
    assert raised[0]["startsAt"] == opened[0]["startsAt"]
    assert resolved[0]["startsAt"] == raised[1]["startsAt"]

    assert len(at(world, "/workflow")) == 3


async def test_a_receiver_may_not_be_inside_even_where_a_source_may(
    database_url: str, world: FakeReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ANTHROPIC_ADMIN_KEY", "ANTHROPIC_BASE_URL", "TOCSIN_EGRESS_ALLOW", "TOCSIN_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TOCSIN_SECRET_KEY", "a FAKE secret key of the tests")
    async with open_product(Settings(), database_url, simulator_url=world.url) as product:
        for config in channels_to(product.ports.vault, world.url):
            with pytest.raises(DeliveryError, match="loopback address") as caught:
                await product.ports.channels.open(config).send(delivery())
            assert caught.value.concerns is not Concern.MOMENT
    assert world.requests == []

    monkeypatch.setenv("TOCSIN_EGRESS_ALLOW", "127.0.0.0/8")
    async with open_product(Settings(), database_url) as product:
        for config in channels_to(product.ports.vault, world.url):
            await product.ports.channels.open(config).send(delivery())
    assert len(world.requests) == 5


async def test_an_alertmanager_that_was_away_knows_what_fires_a_minute_later(stage: Stage, world: FakeReceiver) -> None:
    async with FakeReceiver() as away:
        away.plan(Answer(503))
        await route_to(stage, Alertmanager((world.url, away.url)))
        await stage.configure("eng monthly", budget("10.00", percent(100, Severity.CRITICAL)))
        stage.bill("2026-10-19", "1234.5678")
        await stage.poll()
        (notification,) = await stage.notifications()
        assert notification.state is NotificationState.SENT
        stage.clock.advance(timedelta(minutes=1))
        await run_resend(stage.ports)

        ((first,), (again,)), ((missed,), (caught_up,)) = world.documents, away.documents
        assert missed == first
        assert caught_up == again
        assert {name: value for name, value in again.items() if name != "endsAt"} == {
            name: value for name, value in first.items() if name != "endsAt"
        }
        ends = [datetime.fromisoformat(sent["endsAt"]) for sent in (first, again)]
        assert ends == [stage.clock() + timedelta(minutes=minutes) for minutes in (3, 4)]

        await stage.answer(await stage.alert(), Command.RESOLVE)
        resolved_at = stage.clock()
        stage.clock.advance(timedelta(minutes=1))
        await run_resend(stage.ports)
        for member in (world, away):
            (ended,), (repeated,) = member.documents[2:]
            assert repeated == ended
            assert datetime.fromisoformat(ended["endsAt"]) == resolved_at
