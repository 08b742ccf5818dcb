"""Five calm weeks of two workspaces, and then a loop that nobody stops for a while."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from service.domain.rules.kinds.anomaly.rule import Anomaly
from service.domain.rules.rule import Rule
from service.domain.values.resources import Resource
from service.simulator.world.records import Quantities, Stream
from service.workflows.configuration.engine import Author, Draft, create
from service.workflows.configuration.rules import Rules
from tests.factories import utc
from tests.fakes.fixed_world import UsageEvent, token_cost
from tests.journeys.stage import PERSON, Stage

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
SONNET = "claude-sonnet-4-5"
OUTPUT_PRICE = 15
"""US dollars per million output tokens of this model."""
ENG, CI = "wrkspc_eng", "apikey_ci"
OPS, CRON = "wrkspc_ops", "apikey_cron"
USUAL = {Stream(ENG, CI, SONNET): 6, Stream(OPS, CRON, SONNET): 3}
"""US dollars an hour; multiples of three are whole numbers of tokens."""
LOOP = 60
LOOP_STARTS = utc("2026-10-20T13:00")
FIRST_DAY, LAST_DAY = date(2026, 9, 14), date(2026, 10, 26)


@dataclass(frozen=True)
class Runaway:
    """Spend on the stage from `FIRST_DAY` on; workspace eng loops from `LOOP_STARTS` until `loop_ends`."""

    stage: Stage
    loop_ends: datetime

    def furnish(self) -> None:
        """All usage up to `LAST_DAY`, each hour to be seen when it ends, and the bills of the days that are over."""
        for workspace, name, key, key_name in ((ENG, "eng", CI, "ci"), (OPS, "ops", CRON, "cron")):
            self.stage.world.add_workspace(workspace, name)
            self.stage.world.add_key(key, key_name, workspace)
        day = FIRST_DAY
        while day <= LAST_DAY:
            self._use(day)
            if day < self.stage.clock().date():
                self.bill(day)
            day += DAY

    async def watch(self, params: Anomaly) -> Resource[Rule[object]]:
        """One rule over the organisation and its workspaces, as a fresh installation has it."""
        spec: Rule[object] = Rule(self.stage.source.id, "anomaly", params)
        author = Author(PERSON, self.stage.clock())
        async with self.stage.ports.uow() as uow:
            rule = await create(uow, Rules(), Draft("unusual spend", {}, spec), author)
        await self.stage.settle()
        return rule

    async def live_until(self, end: str, every: timedelta) -> None:
        """Polls a few minutes after the hour, with the bills of the days that are over."""
        while self.stage.clock() + every <= utc(end):
            before = self.stage.clock().date()
            self.stage.clock.advance(every)
            if self.stage.clock().date() > before:
                self.bill(before)
            await self.stage.poll()

    def bill(self, day: date) -> None:
        """The bill of a day that is over."""
        spent = {stream: sum(self._dollars(stream, hour) for hour in _hours_of(day)) for stream in USUAL}
        lines = [token_cost(str(usd * 100), stream.workspace_id, model=SONNET) for stream, usd in spent.items()]
        self.stage.world.set_cost(day, *lines)

    def _use(self, day: date) -> None:
        for hour in _hours_of(day):
            for stream in USUAL:
                tokens = Quantities(output=self._dollars(stream, hour) * 1_000_000 // OUTPUT_PRICE)
                self.stage.world.add_usage(UsageEvent(hour, stream, tokens, visible_at=hour + HOUR))

    def _dollars(self, stream: Stream, hour: datetime) -> int:
        looping = stream.workspace_id == ENG and LOOP_STARTS <= hour < self.loop_ends
        return USUAL[stream] + LOOP * looping


def _hours_of(day: date) -> list[datetime]:
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return [midnight + place * HOUR for place in range(24)]
