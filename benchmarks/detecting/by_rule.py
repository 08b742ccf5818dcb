"""What people would be notified of in made-up organisations: by the rule, its gates, and one alert an incident."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from detecting.made_up import DAYS, JUDGED, LEARNING, WORKSPACES, Organisation
from service.domain.backtest.backtest import Firing
from service.domain.backtest.hours import moments
from service.domain.backtest.rule_replay import RuleReplay, take_moment
from service.domain.detectors.arrays import Floats
from service.domain.rules.kinds.anomaly.rule import Anomaly
from service.domain.rules.registry import KINDS
from service.domain.rules.rule import Rule
from service.domain.values.resources import Resource
from service.domain.values.scopes import ORGANISATION, Dimension, ScopeKey
from service.domain.values.severity import Severity
from service.domain.values.utc import DAY, HOUR

QUARTER = 91
"""Days: what counts of alerts are given for."""
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
NOTICED = timedelta(hours=3.1)
LONGEST_DELAY = 2 * DAY
"""After that an alert is about something else."""
AFTER_LAUNCH = 30 * DAY
Make = Callable[[float, int], Organisation]


@dataclass(frozen=True)
class Alert:
    """`levels`: each severity that it had, and since when."""

    scope: ScopeKey
    opened_at: datetime
    resolved_at: datetime | None
    levels: dict[Severity, datetime]

    @property
    def highest(self) -> Severity:
        return max(self.levels, key=lambda one: one.rank)


def rule() -> Resource[Rule[object]]:
    """The rule of kind `anomaly` as it is when nobody changes it."""
    spec: Rule[object] = Rule("src_1", "anomaly", Anomaly(), gates=KINDS["anomaly"].gates)
    return Resource("rule_1", "unusual", 1, LONG_AGO, LONG_AGO, {}, spec)


def alerts_of(organisation: Organisation) -> list[Alert]:
    """The alerts of the judged weeks, by the functions that judge live, an hour after the other."""
    recorded, replay = organisation.recorded(), RuleReplay(rule())
    assert recorded.hours is not None
    before = None
    first, last = organisation.first + LEARNING * DAY, organisation.first + (DAYS - 1) * DAY
    for _, moment in moments(recorded, recorded.hours, replay.rule.spec, first, last):
        take_moment(moment, [replay], before)
        before = moment.as_of
    return _joined(replay.ledger.firings())


def _joined(firings: Sequence[Firing]) -> list[Alert]:
    alerts: list[Alert] = []
    for one in firings:
        if one.raised:
            mine = next(alert for alert in reversed(alerts) if alert.scope == one.scope)
            mine.levels.setdefault(one.severity, one.at)
        else:
            alerts.append(Alert(one.scope, one.at, one.resolved_at, {one.severity: one.at}))
    return alerts


@dataclass(frozen=True)
class Stretches:
    """All alerts of some stretches of seven weeks of one kind of organisation."""

    name: str
    daily: float
    each: tuple[tuple[Organisation, list[Alert]], ...]

    def a_quarter(self, severity: Severity | None = None, level: Dimension | None = None) -> float:
        """Alerts whose highest severity is that one, of scopes of that level."""
        return self._quarterly(
            severity in (None, alert.highest) and level in (None, alert.scope.dimension)
            for _, alerts in self.each
            for alert in alerts
        )

    def _quarterly(self, counted: Iterable[bool]) -> float:
        return sum(counted) / len(self.each) * QUARTER / JUDGED

    def each_quarter(self) -> Floats:
        """Alerts a quarter of each stretch."""
        return np.array([len(alerts) * QUARTER / JUDGED for _, alerts in self.each])

    def loops_found(self, within: timedelta, least: Severity = Severity.INFO) -> float:
        """The percentage of loops with an alert of that severity, of the organisation or of the workspace."""
        found = [delay is not None and delay <= within for delay in self._delays(least)]
        return 100 * sum(found) / len(found)

    def delays(self) -> tuple[float, float]:
        """Hours after which half, and nine of ten, of the loops that are found at all have an alert."""
        found = sorted(delay / HOUR for delay in self._delays(Severity.INFO) if delay is not None)
        return (found[len(found) // 2], found[len(found) * 9 // 10]) if found else (math.nan, math.nan)

    def _delays(self, least: Severity) -> list[timedelta | None]:
        return [
            min((late for alert in alerts if (late := _delay(alert, organisation, row, start, least))), default=None)
            for organisation, alerts in self.each
            for row, start in organisation.loops
        ]

    def share_of_level(self, level: Dimension) -> float:
        """The percentage of alerts that are of scopes of that level."""
        every = [alert.scope.dimension is level for _, alerts in self.each for alert in alerts]
        return 100 * sum(every) / len(every) if every else math.nan

    def besides_loops(self) -> float:
        """Alerts a quarter that are about no loop."""
        return self._quarterly(
            not any(_delay(alert, organisation, row, start, Severity.INFO) for row, start in organisation.loops)
            for organisation, alerts in self.each
            for alert in alerts
        )

    def after_launch(self) -> tuple[float, float, float]:
        """Alerts within 30 days of a launch, the share of launches with exactly one, and days until it is over."""
        counts, days = [], []
        for organisation, alerts in self.each:
            assert organisation.since is not None
            begun = organisation.hour(organisation.since)
            mine = [one for one in alerts if begun <= one.opened_at < begun + AFTER_LAUNCH]
            counts.append(len(mine))
            ends = [one.resolved_at or begun + AFTER_LAUNCH for one in mine]
            days.append(max(((end - begun) / DAY for end in ends), default=0.0))
        return sum(counts) / len(counts), 100 * sum(one == 1 for one in counts) / len(counts), max(days)


def _delay(alert: Alert, organisation: Organisation, row: int, start: int, least: Severity) -> timedelta | None:
    """How long after a loop's beginning the alert had that severity; None where it is not about that loop."""
    begun = organisation.hour(start)
    at = min((since for level, since in alert.levels.items() if level.rank >= least.rank), default=None)
    mine = (ORGANISATION, ScopeKey(Dimension.WORKSPACE, f"wrkspc_{WORKSPACES[row]}"))
    if alert.scope not in mine or at is None or not begun < at <= begun + LONGEST_DELAY:
        return None
    return at - begun


def stretches(make: Make, daily: float, seeds: Sequence[int]) -> Stretches:
    each = [make(daily, seed) for seed in seeds]
    return Stretches(each[0].name, daily, tuple((one, alerts_of(one)) for one in each))
