"""Rules replayed by the hour: by what was known of the hours then, and with nothing lost by not looking at each."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from service.domain.backtest.backtest import Result
from service.domain.backtest.history import Announced, Recorded
from service.domain.backtest.hours import learning_days, moments
from service.domain.backtest.rule_replay import RuleReplay
from service.domain.backtest.rules import firings_by_setting, replay_rule
from service.domain.detectors.hourly.known import NEVER, HourVersions, Restated
from service.domain.rules.backtesting import HourEnd, Look
from service.domain.rules.kinds.anomaly.glance import HourGlimpses
from service.domain.rules.kinds.anomaly.rule import Anomaly, AnomalyGranularity
from service.domain.rules.planned import PlannedActivity
from service.domain.rules.rule import Rule
from service.domain.sources.locality import locality_of
from service.domain.values.money import Money
from service.domain.values.resources import Resource
from service.domain.values.scopes import Cell, Dimension, Scope
from service.domain.values.utc import HOUR, midnight
from tests.domain.backtest.pasts import CELL, day, past, rule

DAYS, HOURLY = 60, 5
"""The days of the past, and those at its end whose hours are replayed."""
LOOP_DAY, LOOP_HOUR = DAYS - 4, 10
DELAY = timedelta(minutes=5)
BEGIN = day(DAYS + 1 - HOURLY) - learning_days(Rule("src_1", "anomaly", Anomaly()))
BOTH = pytest.mark.parametrize("granularity", [AnomalyGranularity.HOURS, AnomalyGranularity.BOTH])


def place(number: int, hour: int) -> int:
    return (midnight(day(number)) + hour * HOUR - midnight(BEGIN)) // HOUR


def usual_hours() -> HourVersions:
    """$50 a day evenly; every hour is read five minutes after its end."""
    count = place(DAYS + 1, 0)
    read = np.array([(midnight(BEGIN) + (at + 1) * HOUR + DELAY).timestamp() for at in range(count)])
    return HourVersions(midnight(BEGIN), (CELL,), np.full((1, count), 50 / 24), read, read.copy())


def looping(hours: HourVersions) -> HourVersions:
    """A loop of three hours at $80 more."""
    hours.amounts[0, place(LOOP_DAY, LOOP_HOUR) :][:3] += 80
    return hours


def replayed(
    hours: HourVersions, recorded: Recorded, granularity: AnomalyGranularity = AnomalyGranularity.HOURS
) -> Result:
    recorded = replace(recorded, hours=hours, delay=DELAY)
    return replay_rule(anomaly(granularity), recorded, day(1), day(DAYS), lambda progress: None)


def anomaly(granularity: AnomalyGranularity) -> Resource[Rule[object]]:
    return rule(Anomaly(granularity), "anomaly")


LOOPED = past(DAYS, special={LOOP_DAY: "290.00"})


@BOTH
def test_a_loop_fires_at_the_poll_after_its_first_hour_and_is_one_alert(granularity: AnomalyGranularity) -> None:
    result = replayed(looping(usual_hours()), LOOPED, granularity)
    (fired,) = [one for one in result.firings if not one.raised]
    assert fired.at == midnight(day(LOOP_DAY)) + (LOOP_HOUR + 1) * HOUR + DELAY
    assert (fired.day, fired.late, fired.expected.display()) == (day(LOOP_DAY), False, "$2.08")
    assert result.tally.alerts == 1


def test_every_hour_is_a_step_and_before_the_hours_every_day() -> None:
    result = replayed(usual_hours(), past(DAYS))
    assert result.steps == DAYS - HOURLY + HOURLY * 24
    assert any(f"Hours are replayed from {day(DAYS + 1 - HOURLY)} on" in said for said in result.assumptions)


def test_hours_change_nothing_before_they_begin() -> None:
    recorded = past(DAYS, special={20: "200.00"})
    by_day = replay_rule(anomaly(AnomalyGranularity.BOTH), recorded, day(1), day(DAYS), lambda progress: None)
    assert replayed(usual_hours(), recorded, AnomalyGranularity.BOTH).firings == by_day.firings
    assert len(by_day.firings) == 1


def test_an_hour_that_became_dear_two_hours_later_fires_then() -> None:
    hours, at = usual_hours(), place(LOOP_DAY, LOOP_HOUR)
    told = (midnight(day(LOOP_DAY)) + (LOOP_HOUR + 2) * HOUR).timestamp()
    restated = Restated(np.array([told]), np.array([0]), np.array([at]), np.array([90.0]))
    (fired,) = replayed(replace(hours, restated=restated), LOOPED).firings
    assert fired.at == midnight(day(LOOP_DAY)) + (LOOP_HOUR + 2) * HOUR + DELAY


def test_an_hour_that_became_dear_a_day_later_is_no_longer_judged() -> None:
    hours, at = usual_hours(), place(LOOP_DAY, LOOP_HOUR)
    told = (midnight(day(LOOP_DAY + 1)) + LOOP_HOUR * HOUR).timestamp()
    restated = Restated(np.array([told]), np.array([0]), np.array([at]), np.array([90.0]))
    assert replayed(replace(hours, restated=restated), past(DAYS)).firings == ()


def test_a_dear_hour_that_was_put_right_has_fired_all_the_same() -> None:
    hours, at = usual_hours(), place(LOOP_DAY, LOOP_HOUR)
    hours.amounts[0, at] = 90.0
    told = (midnight(day(LOOP_DAY)) + (LOOP_HOUR + 3) * HOUR).timestamp()
    restated = Restated(np.array([told]), np.array([0]), np.array([at]), np.array([50 / 24]))
    (fired,) = replayed(replace(hours, restated=restated), past(DAYS)).firings
    assert fired.at == midnight(day(LOOP_DAY)) + (LOOP_HOUR + 1) * HOUR + DELAY
    assert fired.actual == Money.of("90.00")


def test_the_hours_of_an_outage_fire_when_it_is_over() -> None:
    hours, lost = looping(usual_hours()), slice(place(LOOP_DAY, LOOP_HOUR), place(LOOP_DAY, LOOP_HOUR + 3))
    over = midnight(day(LOOP_DAY)) + (LOOP_HOUR + 4) * HOUR
    for instants in (hours.known_at, hours.complete_at):
        instants[lost] = over.timestamp()
    assert [one.at for one in replayed(hours, LOOPED).firings if not one.raised] == [over + DELAY]


def test_backfilled_hours_fire_a_day_after_their_end() -> None:
    hours = looping(usual_hours())
    known = hours.complete_at + 24 * 3600 - DELAY.total_seconds()
    hours = replace(hours, known_at=known, complete_at=known)
    (fired,) = [one for one in replayed(hours, LOOPED).firings if not one.raised]
    assert fired.at == midnight(day(LOOP_DAY + 1)) + (LOOP_HOUR + 1) * HOUR + DELAY
    assert not fired.late


def test_an_hour_that_was_never_read_whole_fires_never() -> None:
    hours = looping(usual_hours())
    hours.complete_at[place(LOOP_DAY, LOOP_HOUR) :] = NEVER
    assert replayed(hours, past(DAYS)).firings == ()


def test_what_was_planned_an_hour_before_keeps_an_hour_from_ringing() -> None:
    start = midnight(day(LOOP_DAY)) + LOOP_HOUR * HOUR
    extra = PlannedActivity("src_1", Scope(), start, start + 3 * HOUR, Money.of("240.00"))
    hours = looping(usual_hours())
    for announced, firings in ((start - HOUR, 0), (start + 12 * HOUR, 1)):
        planned = replace(LOOPED, planned=[Announced(announced, extra)])
        assert len(replayed(hours, planned).firings) == firings


CELLS = [Cell(f"wrkspc_{n % 3}", f"model_{n % 2}", f"apikey_{n}") for n in range(8)]


def wild(seed: int) -> HourVersions:
    """Noise, incidents of some hours, amounts that are restated up to a day later, and readings that fail."""
    drawn = np.random.default_rng(seed)
    count = place(DAYS + 1, 0)
    level = np.array([2.0, 4.0, 8.0, 12.0, 1.0, 30.0, 0.5, 3.0])[:, None]
    amounts = level * drawn.lognormal(0, 0.15, (len(CELLS), count))
    amounts[4] *= np.arange(count) % 24 == 3  # a nightly job
    amounts[7, : place(DAYS - HOURLY, 0)] = 0.0  # a young key
    for start in drawn.integers(place(DAYS - HOURLY, 0), count - 5, 12):
        amounts[drawn.integers(len(CELLS)), start : start + drawn.integers(1, 4)] += drawn.choice([15.0, 60.0, 200.0])
    amounts[5, place(DAYS - 2, 13)] += 400.0
    ends = midnight(BEGIN).timestamp() + 3600.0 * np.arange(1, count + 1)
    read = ends + drawn.choice([300.0, 300.0, 300.0, 7200.0, 30_000.0], count)
    rows, places = drawn.integers(len(CELLS), size=count), np.arange(count)
    at = read + drawn.choice([240.0, 4000.0, 80_000.0], count)
    told = np.argsort(at)
    new = amounts[rows, places] * drawn.choice([0.5, 1.1, 1.2, 6.0], count)
    restated = Restated(at[told], rows[told], places[told], new[told])
    return HourVersions(midnight(BEGIN), CELLS, amounts, np.minimum(read, ends - 600), read, restated)


def office() -> HourVersions:
    """Steady working hours, three times as dear for one afternoon: the night after it says nothing of its end."""
    hours, at = usual_hours(), np.arange(place(DAYS + 1, 0))
    hours.amounts[0] = np.where((at % 24 >= 8) & (at % 24 < 18), 5.0, 0.2)
    hours.amounts[0, place(DAYS - 2, 13) : place(DAYS - 2, 18)] *= 6.0
    return hours


def loud() -> HourVersions:
    """Two days three times as dear, evenly, an hour of the second one told late: it may lie in its hours."""
    hours = usual_hours()
    hours.amounts[0] *= np.random.default_rng(4).lognormal(0, 0.15, hours.hours)
    hours.amounts[0, place(DAYS - 4, 0) : place(DAYS - 2, 0)] *= 3.0
    told = (midnight(day(DAYS - 2)) + 5 * HOUR).timestamp()
    dear = Restated(np.array([told]), np.array([0]), np.array([place(DAYS - 3, 20)]), np.array([60.0]))
    return replace(hours, restated=dear)


MADE = {3: office, 4: loud}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("granularity", "for_each", "seed", "days"),
    [
        pytest.param(AnomalyGranularity.HOURS, None, 8, HOURLY, marks=pytest.mark.fuzz),
        pytest.param(AnomalyGranularity.BOTH, None, 1, HOURLY, marks=pytest.mark.fuzz),
        pytest.param(AnomalyGranularity.BOTH, Dimension.API_KEY, 2, HOURLY, marks=pytest.mark.fuzz),
        (AnomalyGranularity.BOTH, Dimension.API_KEY, 2, 2),
        (AnomalyGranularity.HOURS, None, 3, 3),
        (AnomalyGranularity.BOTH, None, 4, HOURLY),
    ],
)
def test_the_hours_that_are_passed_over_would_have_changed_nothing(
    granularity: AnomalyGranularity, for_each: Dimension | None, seed: int, days: int
) -> None:
    subject = anomaly(granularity)
    subject = replace(subject, spec=replace(subject.spec, for_each=for_each))
    hours, chance = MADE[seed]() if seed in MADE else wild(seed), random.Random(seed)
    recorded = replace(past(DAYS, special={DAYS - chance.randint(2, 4): "290.00"}), hours=hours, delay=DELAY)
    first = day(DAYS + 1 - days)
    found = firings_by_setting(subject, recorded, first, day(DAYS), lambda progress: None)
    for setting, firings in found:
        full = RuleReplay(replace(subject, spec=setting.rule))
        for _, moment in moments(recorded, hours, setting.rule, first, day(DAYS)):
            step = moment.step()
            full.take(step, step.view)
        assert full.ledger.firings() == list(firings)
    assert all(firings for _, firings in found)


@pytest.mark.parametrize("timezone", ["UTC", "Europe/Berlin"])
@pytest.mark.parametrize("seed", range(4))
def test_what_is_remembered_of_an_hour_is_what_another_look_finds(
    seed: int, timezone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Few hours are told again, and at times a key rests for days. Berlin has changed its clocks the day before."""
    hours, drawn = wild(seed), np.random.default_rng(seed)
    for start in drawn.integers(0, hours.hours, 6):
        hours.amounts[drawn.integers(len(CELLS)), start : start + drawn.integers(60, 200)] = 0.0
    told = drawn.random(hours.hours) < 0.05
    again = Restated(*(getattr(hours.restated, name)[told] for name in Restated.__slots__))
    assert looked_at_twice(replace(hours, restated=again), timezone, monkeypatch) > 10


def test_hours_to_come_are_not_foreseen_by_the_old_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cairo puts its clocks back at 21:00 UTC on 29 October: work until midnight there goes on for an hour by UTC."""
    hours, at = usual_hours(), np.arange(place(DAYS + 1, 0))
    hours.amounts[0] = np.where((at % 24 >= 9) & (at % 24 < 21), 4.0, 0.2)
    hours.amounts[0, place(DAYS - 1, 21)] = 4.0
    looked_at_twice(hours, "Africa/Cairo", monkeypatch)


def looked_at_twice(hours: HourVersions, timezone: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """Looks at the last days' hours, each time once more with nothing remembered. How often something had been."""
    look, remembered = HourGlimpses.look, list[bool]()

    def look_twice(glimpses: HourGlimpses, hour: HourEnd) -> Look:
        found, kept = look(glimpses, hour), glimpses.may_exceed
        glimpses.may_exceed = {}
        assert glimpses.is_quiet(hour) == glimpses.was_quiet
        assert all(glimpses.may_exceed.get(place, may) == may for place, may in kept.items())
        glimpses.may_exceed = kept
        remembered.append(len(kept) > 1)
        return found

    monkeypatch.setattr(HourGlimpses, "look", look_twice)
    recorded = replace(past(DAYS), hours=hours, delay=DELAY, locality=locality_of(timezone))
    spec = anomaly(AnomalyGranularity.BOTH).spec
    assert len(list(moments(recorded, hours, spec, day(DAYS + 1 - HOURLY), day(DAYS)))) > 100
    return sum(remembered)
