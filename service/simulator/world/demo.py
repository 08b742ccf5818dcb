"""The organisation that `tocsin simulate` plays: a handful of teams with habits, the same for one seed."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from service.domain.sources.pricing import PriceBook
from service.simulator.world.chance import bell, chance
from service.simulator.world.mixes import AGENT, BULK, CHAT, Mix, tokens_worth
from service.simulator.world.records import (
    DAY,
    DEFAULT_WORKSPACE_ID,
    HOUR,
    NOTHING,
    ApiKey,
    Quantities,
    Stream,
    Workspace,
)
from service.simulator.world.scenarios import late_data, runaway_loop
from service.simulator.world.world import Cast, Lags, StreamWorld

HISTORY = timedelta(days=400)  # how long the organisation existed before the simulation starts
REVISED_SHARE = 0.15
_HOUR_NOISE, _DAY_NOISE = 0.15, 0.06

Rhythm = Callable[[datetime], float]
"""The relative volume of an hour; about 1 on average over a working day."""


def office(hour: datetime) -> float:
    """Busy from 7 to 19 UTC on weekdays, a trickle otherwise."""
    daily = 0.15 + 1.9 * math.exp(-(((hour.hour - 13) / 4.2) ** 2))
    return daily * (0.18 if hour.weekday() >= 5 else 1.0)


def public(hour: datetime) -> float:
    """Customers everywhere: never asleep, calmer at night and on weekends."""
    daily = 1.0 + 0.45 * math.sin((hour.hour - 9) / 24 * 2 * math.pi)
    return daily * (0.8 if hour.weekday() >= 5 else 1.0)


def nightly(hour: datetime) -> float:
    """Batches from 1 to 5 UTC, every day."""
    return 5.4 if 1 <= hour.hour < 5 else 0.12


@dataclass(frozen=True, slots=True)
class Habit:
    """The spend of one stream on a working day, and its hours; searches and container time come on top."""

    usd_a_day: str
    mix: Mix
    rhythm: Rhythm
    searches_a_day: int = 0
    execution_hours_a_day: int = 0
    session_hours_a_day: int = 0


_WORKSPACES = {  # id: (name, tags)
    "wrkspc_production": ("production", {"team": "product", "env": "prod"}),
    "wrkspc_support": ("support-assistant", {"team": "support", "env": "prod"}),
    "wrkspc_pipeline": ("data-pipeline", {"team": "data", "env": "prod"}),
    "wrkspc_research": ("research", {"team": "research", "env": "lab"}),
    "wrkspc_internal": ("internal-tools", {"team": "platform", "env": "internal"}),
    "wrkspc_prototype": ("prototype-2025", {"team": "product", "env": "lab"}),
}
_ARCHIVED = {"wrkspc_prototype"}
_KEYS = {  # id: (name, workspace)
    "apikey_prod_web": ("prod-web", "wrkspc_production"),
    "apikey_prod_mobile": ("prod-mobile", "wrkspc_production"),
    "apikey_support_bot": ("support-bot", "wrkspc_support"),
    "apikey_support_triage": ("support-triage", "wrkspc_support"),
    "apikey_etl_nightly": ("etl-nightly", "wrkspc_pipeline"),
    "apikey_doc_import": ("doc-import", "wrkspc_pipeline"),
    "apikey_eval_runner": ("eval-runner", "wrkspc_research"),
    "apikey_notebook": ("notebook", "wrkspc_research"),
    "apikey_code_review": ("code-review", "wrkspc_internal"),
    "apikey_slack_helper": ("slack-helper", "wrkspc_internal"),
    "apikey_legacy_script": ("legacy-script", None),
}


def _stream(
    key: str, model: str, tier: str = "standard", window: str = "0-200k", geo: str = "global",
    speed: str = "standard",
) -> Stream:  # fmt: skip
    return Stream(_KEYS[key][1], key, model, tier, window, geo, speed)


def _of_person(stream: Stream, person: str) -> Stream:
    """The same calls, as a person's Claude Code."""
    return replace(stream, person=person, product="claude_code")


_PLAYGROUND = Stream(
    None, None, "claude-sonnet-4-5-20250929", inference_geo="not_available", account_id="user_01Playground"
)
_HABITS = {
    _stream("apikey_prod_web", "claude-sonnet-5-5"): Habit("150", AGENT, public, session_hours_a_day=20),
    _stream("apikey_prod_web", "claude-haiku-5-5"): Habit("25", CHAT, public),
    _stream("apikey_prod_web", "claude-sonnet-5-5", "priority"): Habit("40", AGENT, public),
    _stream("apikey_prod_mobile", "claude-opus-5-5", geo="us"): Habit("70", CHAT, public),
    _stream("apikey_support_bot", "claude-sonnet-5"): Habit("80", CHAT, public, searches_a_day=450),
    _stream("apikey_support_triage", "claude-haiku-4-5"): Habit("30", CHAT, public),
    _stream("apikey_etl_nightly", "claude-haiku-4-5", "batch"): Habit("40", BULK, nightly),
    _stream("apikey_etl_nightly", "claude-sonnet-5-5", "batch"): Habit("25", BULK, nightly),
    _stream("apikey_doc_import", "claude-sonnet-4-6", window="200k-1M"): Habit("20", BULK, office),
    _stream("apikey_eval_runner", "claude-opus-5-5"): Habit("45", AGENT, office, execution_hours_a_day=240),
    _stream("apikey_eval_runner", "claude-opus-5-5", speed="fast"): Habit("8", AGENT, office),
    _of_person(_stream("apikey_notebook", "claude-fable-5-2"), "user_01Grace"): Habit("15", CHAT, office),
    _of_person(_stream("apikey_code_review", "claude-opus-5-5"), "user_01Ada"): Habit("35", AGENT, office),
    replace(_stream("apikey_slack_helper", "claude-haiku-4-5"), product="claude_tag"): Habit(
        "10", CHAT, office, searches_a_day=120
    ),
    replace(_stream("apikey_legacy_script", "claude-sonnet-4-6"), product="cc_security_autopatch"): Habit(
        "9", BULK, public
    ),
    _PLAYGROUND: Habit("6", CHAT, office),
}


class HabitVolume:
    """Habits turned into tokens, with a rhythm and some noise. Nothing happens before `founded_at`."""

    def __init__(
        self, seed: int, habits: dict[Stream, Habit], prices: PriceBook, founded_at: datetime, at: datetime
    ) -> None:
        self._seed, self._habits, self._founded_at = seed, habits, founded_at
        self._means = {stream: _mean_hour(stream, habit, prices, at) for stream, habit in habits.items()}

    def hour(self, stream: Stream, hour: datetime) -> Quantities:
        if hour < self._founded_at:
            return NOTHING
        noise = _HOUR_NOISE * bell(self._seed, stream, hour) + _DAY_NOISE * bell(self._seed, stream, hour.date())
        return self._means[stream].times(self._habits[stream].rhythm(hour) * math.exp(noise))

    def mean_hour(self, stream: Stream) -> Quantities:
        return self._means[stream]


def _mean_hour(stream: Stream, habit: Habit, prices: PriceBook, at: datetime) -> Quantities:
    tokens = tokens_worth(Decimal(habit.usd_a_day) / 24, habit.mix, stream, prices, at)
    return tokens._replace(
        web_searches=habit.searches_a_day // 24,
        execution_centihours=habit.execution_hours_a_day * 100 // 24,
        session_centihours=habit.session_hours_a_day * 100 // 24,
    )


def create_world(seed: int, prices: PriceBook, started_at: datetime) -> StreamWorld:
    """The demonstration organisation as of `started_at`, with 400 days behind it and time ahead.

    Every calendar month around it has one runaway loop of five hours and one morning of late data.
    """
    hour = started_at.replace(minute=0, second=0, microsecond=0)
    founded_at = hour - HISTORY
    volume = HabitVolume(seed, _HABITS, prices, founded_at, hour)
    world = StreamWorld(seed, _cast(founded_at), volume, prices, Lags(), REVISED_SHARE)
    for month in _months_around(hour):
        begin = month + _drawn_day(seed, "loop", month) + timedelta(hours=14)
        world.add(runaway_loop("apikey_eval_runner", begin, begin + 5 * HOUR))
        begin = month + _drawn_day(seed, "late", month) + timedelta(hours=6)
        world.add(late_data(begin, begin + 6 * HOUR, timedelta(hours=12)))
    return world


def _months_around(instant: datetime) -> list[datetime]:
    """The first instants of the two months before, this one and the next; a restart finds the same past."""
    first = instant.replace(day=1, hour=0)
    months = [first, (first + 32 * DAY).replace(day=1)]
    for _ in range(2):
        months.insert(0, (months[0] - DAY).replace(day=1))
    return months


def _drawn_day(seed: int, what: str, month: datetime) -> timedelta:
    return int(28 * chance(seed, what, month)) * DAY


def _cast(founded_at: datetime) -> Cast:
    default = Workspace(DEFAULT_WORKSPACE_ID, "Default", founded_at)
    named = (
        Workspace(each, name, founded_at, founded_at + 90 * DAY if each in _ARCHIVED else None, tags)
        for each, (name, tags) in _WORKSPACES.items()
    )
    keys = (ApiKey(each, name, workspace, founded_at) for each, (name, workspace) in _KEYS.items())
    return Cast((default, *named), tuple(keys), tuple(_HABITS))
