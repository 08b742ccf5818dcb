"""An alert that is handed on from one on-call tool to another: one page each, and nothing stays open at its end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest

from service.domain.alerts.alert import Alert, AlertState, Command
from service.domain.notify.channels.jsm import Jsm
from service.domain.notify.channels.pagerduty import PagerDuty
from service.domain.notify.channels.registry import ChannelConfig
from service.domain.notify.receivers import Receiver
from service.domain.notify.routing.matchers import Matcher, Op
from service.domain.notify.routing.routes import Route, RouteTable
from service.domain.notify.routing.silences import Silence
from service.workflows.alerts.hand_on import hand_alert_on
from service.workflows.configuration.engine import Author, Draft, create
from service.workflows.configuration.notify import Receivers, Silences, put_routes
from tests.factories import budget, percent
from tests.fakes.jsm import FakeJsm
from tests.fakes.pagerduty import FakePagerDuty
from tests.journeys.oncall import MINUTE
from tests.journeys.stage import PERSON, Stage

pytestmark = pytest.mark.slow


@dataclass
class Team:
    """One team's on-call tools."""

    name: str
    pagerduty: FakePagerDuty
    jsm: FakeJsm

    def channels(self, stage: Stage) -> tuple[ChannelConfig, ...]:
        seal = stage.ports.vault.seal
        return (
            PagerDuty(seal(f"FAKE-routing-key-of-{self.name}"), self.pagerduty.url),
            Jsm(seal(f"FAKE-key-of-{self.name}"), self.jsm.url),
        )

    @property
    def pages(self) -> tuple[int, int]:
        return len(self.pagerduty.pages), len(self.jsm.pages)

    @property
    def standings(self) -> list[str]:
        return [*self.pagerduty.open.values(), *self.jsm.open.values()]


@dataclass
class Handover:
    """Two teams: alerts go to `ours`, and `theirs` can take them."""

    stage: Stage
    ours: Team
    theirs: Team

    async def ring(self) -> Alert:
        await self.stage.configure("eng monthly", budget("10.00", percent(100)))
        self.stage.bill("2026-10-19", "1234.5678")
        await self.stage.poll()
        return await self.stage.alert()

    async def hand_on(self, alert: Alert, to: Team) -> None:
        async with self.stage.ports.uow() as uow:
            await hand_alert_on(uow, alert.id, to.name, "your key", Author(PERSON, self.stage.clock()))
        await self.stage.settle()


@pytest.fixture
async def handover(stage: Stage) -> AsyncIterator[Handover]:
    async with AsyncExitStack() as stack:
        ours, theirs = [
            Team(name, await stack.enter_async_context(FakePagerDuty()), await stack.enter_async_context(FakeJsm()))
            for name in ("ours", "theirs")
        ]
        author = Author(PERSON, stage.clock())
        async with stage.ports.uow() as uow:
            first, _ = [
                await create(uow, Receivers(), Draft(team.name, {}, Receiver(team.channels(stage))), author)
                for team in (ours, theirs)
            ]
            await put_routes(uow, RouteTable((Route(first.id),)), author)
        yield Handover(stage, ours, theirs)


async def test_the_new_one_is_paged_once_and_the_old_one_s_pager_is_quiet_and_knows_who_has_it(
    handover: Handover,
) -> None:
    ours, theirs = handover.ours, handover.theirs
    alert = await handover.ring()
    await handover.hand_on(alert, theirs)
    assert (ours.pages, theirs.pages) == ((1, 1), (1, 1))
    assert (ours.standings, theirs.standings) == (["acknowledged"] * 2, ["triggered", "open"])
    said = "Handed on by ann to theirs: Budget eng monthly"
    (change,) = ours.pagerduty.changes
    assert change["payload"]["summary"].startswith(said)
    assert ours.jsm.notes[-1].startswith(said)
    summary = theirs.pagerduty.events[-1]["payload"]["summary"]
    assert summary.startswith("Handed on by ann: Budget eng monthly")


async def test_nothing_stays_open_when_the_alert_ends(handover: Handover) -> None:
    alert = await handover.ring()
    await handover.hand_on(alert, handover.theirs)
    await handover.stage.answer(alert, Command.RESOLVE)
    assert (await handover.stage.alert()).state is AlertState.RESOLVED
    assert handover.ours.standings == handover.theirs.standings == []


async def test_whoever_has_closed_it_is_not_paged_again(handover: Handover) -> None:
    ours = handover.ours
    alert = await handover.ring()
    ours.pagerduty.open.clear()
    ours.jsm.open.clear()
    await handover.hand_on(alert, handover.theirs)
    await handover.stage.answer(alert, Command.ACKNOWLEDGE)
    assert (ours.pages, ours.standings) == ((1, 1), [])


async def test_one_that_comes_back_pages_who_has_been_quiet_since(handover: Handover) -> None:
    ours, theirs = handover.ours, handover.theirs
    alert = await handover.ring()
    await handover.hand_on(alert, theirs)
    await handover.hand_on(alert, ours)
    assert (ours.pages, theirs.pages) == ((2, 2), (1, 1))
    assert (ours.standings, theirs.standings) == (["triggered", "open"], ["acknowledged"] * 2)


async def test_what_was_held_back_for_the_new_one_is_not_said_again_when_the_silence_ends(handover: Handover) -> None:
    stage, ours = handover.stage, handover.ours
    now = stage.clock()
    silence = Silence((Matcher("kind", Op.EQUAL, "budget"),), now, now + 30 * MINUTE, "we know")
    async with stage.ports.uow() as uow:
        await create(uow, Silences(), Draft("drill", {}, silence), Author(PERSON, now))
    alert = await handover.ring()
    assert ours.pages == (0, 0)
    await handover.hand_on(alert, ours)
    assert ours.pages == (1, 1)
    stage.clock.advance(31 * MINUTE)
    await stage.minute()
    assert (ours.pages, ours.pagerduty.said) == ((1, 1), ["trigger"])


async def test_a_page_that_is_open_stays_one(handover: Handover) -> None:
    ours = handover.ours
    await handover.hand_on(await handover.ring(), ours)
    assert (ours.pages, ours.standings) == ((1, 1), ["triggered", "open"])
