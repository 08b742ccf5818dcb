"""Messages that nothing can be composed for fail alone."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import text

from service.domain.notify.channels.registry import ChannelConfig
from service.domain.notify.channels.webhook import Webhook
from service.domain.notify.notification import Delivery, Receipt
from service.domain.notify.receivers import Receiver
from service.domain.notify.routing.matchers import Matcher, Op
from service.domain.notify.routing.routes import Route, RouteTable
from service.workflows.configuration.notify import Receivers, put_routes
from service.workflows.delivery.deliver import run_delivery
from service.workflows.ports.channels import Channel
from tests.factories import SEALED
from tests.fakes.ports import FakeChannels
from tests.workflows.delivery.sending import CONSOLE, QUEUED, SENT, open_alert, own
from tests.workflows.yard import Yard

HOOK = Webhook("https://hook.example/", SEALED)


async def test_a_receiver_that_cannot_be_read_fails_its_own_messages_alone(yard: Yard) -> None:
    """A newer release may have written it."""
    await yard.receive_with(CONSOLE)
    strange = await yard.create(Receivers(), "strange", Receiver((HOOK,)))
    async with yard.ports.uow() as uow:
        special = Route(strange.id, (Matcher("kind", Op.EQUAL, "budget"),), continues=True)
        await put_routes(uow, RouteTable((special, Route(yard.receiver.id))), yard.author)
    for number in range(3):
        await open_alert(yard, number)
    async with yard.engine.begin() as connection:
        await connection.execute(
            text("""UPDATE resources SET spec = '{"channels": [{"kind": "pigeon"}]}' WHERE id = :id"""),
            {"id": strange.id},
        )
    assert await run_delivery(yard.ports) == 3
    by_channel = {one.channel.partition(":")[0]: one for one in await own(yard)}
    assert {name: one.state for name, one in by_channel.items()} == {"console": SENT, "webhook": QUEUED}
    assert by_channel["webhook"].attempts[-1].detail.startswith("an error that nobody foresaw")


async def test_a_message_that_its_channel_cannot_encode_fails_alone(yard: Yard) -> None:
    await yard.receive_with(CONSOLE)
    for number in range(60):
        await open_alert(yard, number)
    poisoned = (await own(yard))[7].id
    yard.ports = replace(yard.ports, channels=_Encoders(yard.channels, poisoned))
    assert await run_delivery(yard.ports) == 59
    (failed,) = [one for one in await own(yard) if one.state is QUEUED]
    assert failed.id == poisoned
    assert failed.attempts[-1].detail == "an error that nobody foresaw: UnicodeEncodeError"


@dataclass
class _Encoders:
    channels: FakeChannels
    poisoned: str

    def open(self, config: ChannelConfig) -> Channel:
        return _Encoder(self.channels.open(config), self.poisoned)


@dataclass
class _Encoder:
    channel: Channel
    poisoned: str

    async def send(self, delivery: Delivery) -> Receipt:
        if delivery.id == self.poisoned:
            "\ud800".encode()
        return await self.channel.send(delivery)
