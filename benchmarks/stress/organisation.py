"""A simulated organisation with a bad month: loops, spikes, late data, bills that are restated."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from service.adapters.prices import list_price_book
from service.simulator.world.chance import chance
from service.simulator.world.incidents import Effect, ScriptedIncident
from service.simulator.world.mixes import AGENT, tokens_worth
from service.simulator.world.records import (
    DEFAULT_WORKSPACE_ID,
    NOTHING,
    ApiKey,
    Quantities,
    SimulatedOrganization,
    Stream,
    Workspace,
)
from service.simulator.world.scenarios import late_data, restatement, runaway_loop, traffic_spike
from service.simulator.world.world import Cast, Lags, StreamWorld
from stress.plan import DAY, HOUR

SONNET, HAIKU = "claude-sonnet-4-5", "claude-haiku-4-5"
USD_A_DAY = {
    Stream("wrkspc_shop", "apikey_web", SONNET): Decimal(100),
    Stream("wrkspc_shop", "apikey_app", HAIKU): Decimal(40),
    Stream("wrkspc_research", "apikey_evals", SONNET): Decimal(80),
    Stream(None, "apikey_script", HAIKU): Decimal(30),
}
REVISED_SHARE = 0.15
PRICES = list_price_book()


@dataclass(frozen=True, slots=True)
class DailyVolume:
    """Each stream has good and bad days between `first` and `end`, and nothing before and after."""

    seed: int
    first: datetime
    end: datetime

    def hour(self, stream: Stream, hour: datetime) -> Quantities:
        if not self.first <= hour < self.end:
            return NOTHING
        return self.mean_hour(stream).times(0.5 + chance(self.seed, stream, (hour - self.first) // DAY))

    def mean_hour(self, stream: Stream) -> Quantities:
        return tokens_worth(USD_A_DAY[stream] / 24, AGENT, stream, PRICES, self.first)


@dataclass(frozen=True, slots=True)
class Organisation:
    """`world` is what the API shows; `plain` is the same without any restatement."""

    name: str
    first: datetime
    days: int
    world: StreamWorld
    plain: StreamWorld

    def all_days(self) -> list[date]:
        return [(self.first + number * DAY).date() for number in range(self.days)]

    @property
    def end(self) -> datetime:
        return self.first + self.days * DAY


def organisation(number: int, seed: int, first: datetime, days: int) -> Organisation:
    drawn = random.Random(f"{seed}/{number}")
    incidents = [one for day in range(0, days, 2) for one in _incidents(first + day * DAY, drawn)]
    lasting = [one for one in incidents if one.effect is not Effect.RESTATE]
    return Organisation(
        f"organisation {number}",
        first,
        days,
        _world(number, seed, (first, first + days * DAY), incidents, REVISED_SHARE),
        _world(number, seed, (first, first + days * DAY), lasting, 0.0),
    )


def _incidents(day: datetime, drawn: random.Random) -> list[ScriptedIncident]:
    """Something that happens on that day, and a bill that turns out otherwise within two days of its end."""
    begins = day + drawn.randrange(6, 18) * HOUR
    known_at = day + DAY + drawn.randrange(8, 30) * HOUR
    happens = drawn.choice(
        (
            late_data(begins, begins + 5 * HOUR, drawn.randrange(4, 12) * HOUR),
            runaway_loop("apikey_evals", begins, begins + 4 * HOUR, "12"),
            traffic_spike("wrkspc_shop", begins, begins + 6 * HOUR, "3"),
        )
    )
    factor = drawn.choice(("1.25", "1.1", "0.9"))
    return [happens, restatement(drawn.choice(("wrkspc_shop", "wrkspc_research", None)), day, factor, known_at)]


def _world(
    number: int, seed: int, lasts: tuple[datetime, datetime], incidents: list[ScriptedIncident], revisions: float
) -> StreamWorld:
    founded = lasts[0] - 60 * DAY
    named = (Workspace(id, id.removeprefix("wrkspc_"), founded) for id in ("wrkspc_shop", "wrkspc_research"))
    keys = (ApiKey(str(one.api_key_id), str(one.api_key_id), one.workspace_id, founded) for one in USD_A_DAY)
    own = SimulatedOrganization(f"org_00000000-0000-4000-8000-{number:012}", f"Chaos {number}")
    cast = Cast((Workspace(DEFAULT_WORKSPACE_ID, "Default", founded), *named), tuple(keys), tuple(USD_A_DAY), own)
    world = StreamWorld(seed + number, cast, DailyVolume(seed + number, *lasts), PRICES, Lags(), revisions)
    for one in incidents:
        world.add(one)
    return world
