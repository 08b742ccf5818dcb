"""Each message is composed for its channel as it is configured now, and reports the event as it was then."""

from __future__ import annotations

from dataclasses import replace

from service.domain.notify.channels.slack import SlackBot
from service.domain.notify.notification import (
    Action,
)
from service.domain.notify.receivers import Receiver
from service.domain.notify.routing.routes import Route, RouteTable
from service.workflows.configuration.notify import Receivers, put_routes
from service.workflows.delivery.deliver import run_delivery
from tests.sample_alerts import RAISED_EVENT
from tests.workflows.delivery.sending import (
    BUSY,
    CONSOLE,
    DEAD,
    MAIL,
    SECOND,
    SENT,
    SLACK,
    announce,
    only,
    own,
    raise_it,
    states,
)
from tests.workflows.yard import MINUTE, Yard


async def test_a_channel_that_was_taken_out_of_its_receiver_is_dead_with_words(yard: Yard) -> None:
    await yard.receive_with(MAIL, CONSOLE)
    await announce(yard)
    await yard.receive_with(CONSOLE)
    assert await run_delivery(yard.ports) == 1
    assert await states(yard) == {"email": DEAD, "console": SENT}
    (dead,) = [one for one in await own(yard) if one.state is DEAD]
    assert "no longer part of its receiver" in dead.attempts[0].detail


async def test_a_receiver_that_was_deleted_leaves_dead_messages_with_words(yard: Yard) -> None:
    await announce(yard)
    other = await yard.create(Receivers(), "other", Receiver((MAIL,)))
    async with yard.ports.uow() as uow:
        await put_routes(uow, RouteTable((Route(other.id),)), yard.author)
    await yard.delete(Receivers(), yard.receiver)
    assert await run_delivery(yard.ports) == 1
    ((config, _),) = yard.channels.sent
    assert config == MAIL  # the default route's receiver is told instead
    notification = await only(yard)
    assert notification.state is DEAD
    assert "no longer part of its receiver" in notification.attempts[0].detail


async def test_a_channel_s_new_configuration_is_what_counts(yard: Yard) -> None:
    """Its address is the same, so it is the same channel; its mention is today's."""
    await yard.receive_with(SLACK)
    await announce(yard)
    await yard.receive_with(replace(SLACK, mention="<!here>"))
    await run_delivery(yard.ports)
    ((config, _),) = yard.channels.sent
    assert isinstance(config, SlackBot)
    assert config.mention == "<!here>"


async def test_a_raise_refers_to_what_the_channel_answered_to_the_opening(yard: Yard) -> None:
    await yard.receive_with(SLACK)
    await announce(yard)
    await raise_it(yard)
    await run_delivery(yard.ports)
    yard.clock.advance(SECOND)  # Slack's rate
    await run_delivery(yard.ports)
    (_, opening), (_, raising) = yard.channels.sent
    assert (opening.post, raising.post) == (None, "post-1")


async def test_a_message_says_what_was_so_when_it_was_put_down(yard: Yard) -> None:
    """A slow channel is told of the opening as an opening, even when the alert has grown since."""
    yard.channels.refusals["console"] = BUSY
    await announce(yard)
    await run_delivery(yard.ports)
    await announce(yard, replace(RAISED_EVENT, alert=replace(RAISED_EVENT.alert, version=2)))
    yard.channels.refusals.clear()
    yard.clock.advance(MINUTE)
    await run_delivery(yard.ports)
    assert [delivery.action for _, delivery in yard.channels.sent] == [Action.OPEN, Action.RAISE]
