"""Charts beside messages: drawn for whoever shows them, and never in a message's way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import pytest

from service.domain.alerts.alert import Alert
from service.domain.charts.chart import Theme
from service.domain.notify.channels.console import Console
from service.domain.notify.channels.email import Email
from service.domain.notify.channels.pagerduty import PagerDuty
from service.domain.notify.channels.registry import ChannelConfig
from service.domain.notify.channels.slack import SlackWebhook
from service.domain.notify.notification import Delivery, Picture
from service.workflows.alerts.evaluate import run_evaluation
from service.workflows.charts.picture import run_linked_picture, run_unless_it_fails, token_of
from service.workflows.delivery.deliver import run_delivery
from service.workflows.ports.channels import Channel
from service.workflows.ports.outages import StorageUnavailable
from service.workflows.ports.platform import ChartError
from service.workflows.ports.unit_of_work import Ports
from tests.adapters.channels.slack.test_bot import bot
from tests.factories import budget, percent
from tests.fakes.ports import FakeCharts
from tests.fakes.slack import FakeSlack
from tests.workflows.delivery.sending import SLACK
from tests.workflows.yard import Yard, billed

MAIL = Email(("ops@example.com",))


async def rung(yard: Yard, *channels: ChannelConfig) -> tuple[Alert, list[Delivery]]:
    """An alert of a budget, told to these channels."""
    await yard.receive_with(*channels)
    await yard.add_budget("eng", budget("10.00", percent(100)))
    yard.reader.bill(date(2026, 11, 16), billed("12.00"))
    await yard.poll()
    await yard.settle()
    (alert,) = await yard.alerts()
    return alert, [delivery for _, delivery in yard.channels.sent]


def charts(yard: Yard) -> FakeCharts:
    assert isinstance(yard.ports.charts, FakeCharts)
    return yard.ports.charts


async def test_a_mail_gets_the_picture_and_its_words(yard: Yard) -> None:
    _, (delivery,) = await rung(yard, MAIL)
    assert delivery.picture is not None
    assert delivery.picture.png.startswith(b"\x89PNG")
    assert "$12.00 of $10.00" in delivery.picture.alt
    assert delivery.picture.url is None  # nobody outside reaches http://
    (specification,) = charts(yard).drawn
    assert specification["description"] == delivery.picture.alt


@dataclass
class _Slack:
    slack: FakeSlack

    def open(self, config: ChannelConfig) -> Channel:
        return bot(self.slack)


@dataclass
class _Watching(FakeCharts):
    """Notes how many posts there are when a picture is drawn."""

    slack: FakeSlack = field(default_factory=FakeSlack)
    posts: list[int] = field(default_factory=list)

    async def png(self, specification: Mapping[str, object]) -> bytes:
        self.posts.append(len(self.slack.messages("claude-spend")))
        return await super().png(specification)


async def test_slack_has_the_text_before_its_chart_is_drawn_and_then_the_chart(yard: Yard) -> None:
    async with FakeSlack() as slack:
        watching = _Watching(slack=slack)
        yard.ports = replace(yard.ports, channels=_Slack(slack), charts=watching)
        await yard.receive_with(SLACK)
        await yard.add_budget("eng", budget("10.00", percent(100)))
        yard.reader.bill(date(2026, 11, 16), billed("12.00"))
        await yard.poll()
        await run_evaluation(yard.ports, yard.source.id)
        assert await run_delivery(yard.ports) == 1
        assert watching.posts == [1]
        assert len([file for file in slack.files.values() if file.thread_ts]) == 1


async def test_a_console_gets_none_and_nothing_is_drawn(yard: Yard) -> None:
    _, (delivery,) = await rung(yard, Console())
    assert delivery.picture is None
    assert charts(yard).drawn == []


async def test_a_chart_that_cannot_be_drawn_does_not_stop_the_message(yard: Yard) -> None:
    charts(yard).refusal = ChartError("no picture within 8 s")
    _, (delivery,) = await rung(yard, MAIL)
    assert delivery.picture is None
    assert "$12.00" in delivery.message.headline
    async with yard.ports.uow() as uow:
        assert await uow.chart_failures.count() == 1


async def test_a_database_that_is_away_is_not_counted_as_a_picture_that_failed(yard: Yard) -> None:
    async def find_nothing() -> Picture | None:
        raise StorageUnavailable("the database is away")

    with pytest.raises(StorageUnavailable):
        await run_unless_it_fails(yard.ports, "budget", find_nothing)
    async with yard.ports.uow() as uow:
        assert await uow.chart_failures.count() == 0


async def test_what_fetches_by_itself_gets_a_link_where_there_is_a_public_address(yard: Yard) -> None:
    ports, seal = replace(yard.ports, public_url="https://tocsin.example.com"), yard.ports.vault.seal
    await yard.receive_with(PagerDuty(seal("FAKE-key")), SlackWebhook(seal("https://hooks.example/FAKE")))
    await yard.add_budget("eng", budget("10.00", percent(100)))
    yard.reader.bill(date(2026, 11, 16), billed("12.00"))
    await yard.poll()
    await run_evaluation(ports, yard.source.id)
    await run_delivery(ports)
    assert len(yard.channels.sent) == 2
    assert charts(yard).drawn == []  # until somebody looks
    for _, delivery in yard.channels.sent:
        assert delivery.picture is not None
        assert delivery.picture.url is not None
        token = delivery.picture.url.removeprefix("https://tocsin.example.com/charts/").removesuffix(".png")
        assert await run_linked_picture(ports, token, Theme.LIGHT) is not None


async def test_what_fetches_by_itself_gets_none_without_a_public_address(yard: Yard) -> None:
    _, (delivery,) = await rung(yard, PagerDuty(yard.ports.vault.seal("FAKE-key")))
    assert delivery.picture is None


async def test_a_link_shows_the_picture_for_seven_days(yard: Yard) -> None:
    alert, _ = await rung(yard, Console())
    token = token_of(yard.ports, alert, yard.clock())
    assert await run_linked_picture(yard.ports, token, Theme.DARK) is not None
    yard.clock.advance(timedelta(days=7))
    assert await run_linked_picture(yard.ports, token, Theme.DARK) is None


@pytest.mark.parametrize(
    "forge",
    [
        lambda token: token[:-1],
        lambda token: token.replace("-1-", "-2-", 1),
        lambda token: token.partition(".")[0],
        lambda token: f"x{token}",
        lambda token: "",
    ],
    ids=["shortened", "of another version", "unsigned", "of another alert", "empty"],
)
async def test_a_forged_link_shows_nothing(yard: Yard, forge: object) -> None:
    assert callable(forge)
    alert, _ = await rung(yard, Console())
    token = token_of(yard.ports, alert, yard.clock())
    assert await run_linked_picture(yard.ports, forge(token), Theme.LIGHT) is None


async def test_a_signed_link_to_what_is_not_there_shows_nothing(yard: Yard) -> None:
    alert, _ = await rung(yard, Console())
    ports: Ports = yard.ports
    assert (
        await run_linked_picture(ports, token_of(ports, replace(alert, version=99), yard.clock()), Theme.LIGHT) is None
    )
