"""Alerts that are announced, channels that refuse, and what became of the notifications."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

from service.domain.alerts.alert import Alert, AlertEvent
from service.domain.notify.channels.console import Console
from service.domain.notify.channels.email import Email
from service.domain.notify.channels.pagerduty import PagerDuty
from service.domain.notify.channels.registry import ChannelConfig
from service.domain.notify.channels.slack import SlackBot
from service.domain.notify.circuits import Concern, FailingChannel
from service.domain.notify.notification import (
    Notification,
    NotificationState,
)
from service.domain.notify.receivers import Receiver
from service.domain.notify.routing.matchers import Matcher, Op
from service.domain.notify.routing.routes import Route, RouteTable
from service.workflows.configuration.notify import Receivers, put_routes
from service.workflows.ports.channels import DeliveryError
from tests.factories import SEALED
from tests.sample_alerts import ALERT, OPENED_EVENT, RAISED_EVENT
from tests.workflows.yard import MINUTE, Yard, announce_one

SLACK, CONSOLE = SlackBot(SEALED, "#claude-spend"), Console()
MAIL, OTHER_MAIL = Email(("finops@example.com",)), Email(("eng@example.com",))
PAGER = PagerDuty(SEALED)
BUSY = DeliveryError("busy")
GONE = DeliveryError("channel_not_found", Concern.CHANNEL)
REVOKED = DeliveryError("token_revoked", Concern.CREDENTIAL)
UNFIT = DeliveryError("msg_too_long", Concern.MESSAGE)
SECOND = timedelta(seconds=1)
QUEUED, SENT, DEAD = NotificationState.QUEUED, NotificationState.SENT, NotificationState.DEAD


async def announce(yard: Yard, event: AlertEvent = OPENED_EVENT) -> None:
    """An alert's move and its notifications, put down now."""
    async with yard.ports.uow() as uow:
        await uow.alerts.save(replace(event, at=yard.clock()))
        await announce_one(uow, replace(event, at=yard.clock()))


async def open_alert(yard: Yard, number: int = 1) -> None:
    """The opening of one of many alerts."""
    alert = replace(ALERT, id=f"alrt_{number}", fingerprint=f"budget:{number}")
    async with yard.ports.uow() as uow:
        event = replace(OPENED_EVENT, alert=alert, at=yard.clock())
        await uow.alerts.save(event)
        await announce_one(uow, event)


async def raise_it(yard: Yard, alert: Alert = ALERT) -> None:
    await announce(yard, replace(RAISED_EVENT, alert=replace(alert, version=2)))


async def route_apart(yard: Yard, *channels: ChannelConfig) -> None:
    """Every budget alert goes to a receiver with these channels; everything else to the console, by default."""
    eng = await yard.create(Receivers(), "eng", Receiver(channels))
    special = Route(eng.id, (Matcher("kind", Op.EQUAL, "budget"),))
    async with yard.ports.uow() as uow:
        await put_routes(uow, RouteTable((special, Route(yard.receiver.id))), yard.author)


async def refused(yard: Yard) -> None:
    """A first message was refused for good, and went elsewhere."""
    await route_apart(yard, SLACK)
    yard.channels.refusals["slack_bot"] = UNFIT
    await open_alert(yard)
    await yard.settle()
    yard.channels.refusals.clear()
    yard.clock.advance(MINUTE)


async def failing(yard: Yard) -> list[FailingChannel]:
    async with yard.ports.uow() as uow:
        return await uow.channel_health.failing()


def sent_to(yard: Yard, kind: str) -> list[str]:
    """The alerts that a kind of channel took."""
    return [delivery.message.alert_id for config, delivery in yard.channels.sent if config.kind == kind]


async def states(yard: Yard) -> dict[str, NotificationState]:
    """By kind of channel, without what fell back."""
    return {one.channel.partition(":")[0]: one.state for one in await own(yard)}


async def own(yard: Yard) -> list[Notification]:
    """What the channels themselves were to be told: no fallbacks."""
    return [one for one in await yard.notifications() if one.fallback_for is None]


async def only(yard: Yard) -> Notification:
    (notification,) = await own(yard)
    return notification


async def let_leases_run_out(yard: Yard) -> None:
    """Two minutes of the database's own time."""
    async with yard.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE notifications SET leased_until = now() - interval '1 second'")


def first_time(act: Callable[[], Awaitable[object]]) -> Callable[[ChannelConfig], Awaitable[None]]:
    """Acts before the first message is taken."""
    left = [act]

    async def meanwhile(config: ChannelConfig) -> None:
        if left:
            await left.pop()()

    return meanwhile
