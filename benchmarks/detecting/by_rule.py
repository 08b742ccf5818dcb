"""What people would be notified of in made-up organisations: by the rule, its gates, and one alert an incident."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from detecting import made_up
from detecting.made_up import DAYS, JUDGED, LEARNING, LOOP, WORKSPACES, Organisation
from detecting.report import Target, table
from service.domain.backtest.backtest import Firing
from service.domain.backtest.hours import moments
from service.domain.backtest.rules import RuleReplay, take_moment
from service.domain.rules.kinds.anomaly.rule import Anomaly
from service.domain.rules.registry import KINDS
from service.domain.rules.rule import Rule
from service.domain.values.resources import Resource
from service.domain.values.scopes import ORGANISATION, Dimension, ScopeKey
from service.domain.values.severity import Severity
from service.domain.values.utc import DAY, HOUR

QUARTER = 91
"""Days: what counts of alerts are given for."""
SIZES = (150.0, 1_900.0, 38_000.0)
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
NOTICED = timedelta(hours=3.1)
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

    def a_quarter(self, severity: Severity | None = None, scope: ScopeKey | None = None) -> float:
        found = Counter(alert.highest for _, alerts in self.each for alert in alerts if scope in (None, alert.scope))
        count = found.total() if severity is None else found[severity]
        return count / len(self.each) * QUARTER / JUDGED

    def loops_found(self, within: timedelta, least: Severity = Severity.INFO) -> float:
        """The percentage of loops with an alert of that severity, of the organisation or of the workspace."""
        found = [
            any(_is_about(alert, organisation, row, start, within, least) for alert in alerts)
            for organisation, alerts in self.each
            for row, start in organisation.loops
        ]
        return 100 * sum(found) / len(found)

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


def _is_about(
    alert: Alert, organisation: Organisation, row: int, start: int, within: timedelta, least: Severity
) -> bool:
    begun = organisation.hour(start)
    at = min((since for level, since in alert.levels.items() if level.rank >= least.rank), default=None)
    mine = (ORGANISATION, ScopeKey(Dimension.WORKSPACE, f"wrkspc_{WORKSPACES[row]}"))
    return alert.scope in mine and at is not None and begun < at <= begun + within


def stretches(make: Make, daily: float, seeds: Sequence[int]) -> Stretches:
    each = [make(daily, seed) for seed in seeds]
    return Stretches(each[0].name, daily, tuple((one, alerts_of(one)) for one in each))


GROWTHS = made_up.growing(5), made_up.growing(10), made_up.growing(20)
ALL_SIZES: tuple[Make, ...] = (made_up.flat, GROWTHS[1])
KINDS_OF_QUIET: tuple[Make, ...] = (
    made_up.flat,
    *GROWTHS,
    made_up.monthly_batch,
    made_up.holidays,
    *(made_up.christmas(told) for told in (made_up.ANYWHERE, made_up.GERMANY)),
    made_up.clocks_forward,
    made_up.clocks_back,
    made_up.new_workspace,
    made_up.migration,
)


def organisations(seeds: Sequence[int], sizes: Sequence[float] = SIZES) -> Iterator[str | Target]:
    yield from quiet_ones(seeds, sizes)
    yield from loops(seeds, sizes)
    yield from after_christmas(seeds, sizes)
    yield from launches(seeds, sizes)


def quiet_ones(seeds: Sequence[int], sizes: Sequence[float]) -> Iterator[str | Target]:
    yield f"\n### made-up organisations: alerts a quarter (critical), {len(seeds)} x {JUDGED} days each"
    found = {
        make: [stretches(make, daily, seeds) for daily in (sizes if make in ALL_SIZES else sizes[1:2])]
        for make in KINDS_OF_QUIET
    }
    yield from table(
        ["kind", *(f"${daily:,.0f} a day" for daily in sizes)],
        (
            [row[0].name, *(["", *map(_counted, row), ""] if len(row) == 1 else map(_counted, row))]
            for row in found.values()
        ),
    )
    for make in ALL_SIZES:
        worst = max(one.a_quarter(Severity.CRITICAL) for one in found[make])
        yield f"{found[make][0].name}: false criticals a quarter, at worst", "<= 0.5", worst, worst <= 0.5
    usual = found[made_up.flat][1].a_quarter()
    for make in GROWTHS:
        more = max(one.a_quarter() for one in found[make]) - usual
        yield f"{found[make][0].name}: alerts a quarter more than flat", "<= 1", more, more <= 1


def _counted(one: Stretches) -> str:
    return f"{one.a_quarter():.1f} ({one.a_quarter(Severity.CRITICAL):.1f})"


def loops(seeds: Sequence[int], sizes: Sequence[float]) -> Iterator[str | Target]:
    yield f"\n### loops of {LOOP} hours in one workspace: % found / critical within 3.1 h, % found within 9 h"
    rows = []
    for times in (5.0, 10.0):
        found = [stretches(made_up.looping(times), daily, seeds) for daily in sizes]
        critical = [one.loops_found(NOTICED, Severity.CRITICAL) for one in found]
        soon, late = ([one.loops_found(within) for one in found] for within in (NOTICED, 9.1 * HOUR))
        cells = (f"{a:.0f} / {b:.0f}, {c:.0f}" for a, b, c in zip(soon, critical, late, strict=True))
        rows.append([f"x{times:g}", *cells])
        if times == 5.0:
            yield f"x5 loop at ${sizes[0]:,.0f} a day within 3.1 h, %", ">= 60", soon[0], soon[0] >= 60
        else:
            yield "x10 loop critical within 3.1 h, largest size, %", ">= 90", critical[-1], critical[-1] >= 90
    yield from table(["loop", *(f"${daily:,.0f} a day" for daily in sizes)], rows)


def after_christmas(seeds: Sequence[int], sizes: Sequence[float]) -> Iterator[str | Target]:
    yield "\n### loops on the working days after Christmas: % found within 3.1 h / 9 h"
    rows = []
    for told in (made_up.ANYWHERE, made_up.GERMANY):
        for times in (3.0, 5.0):
            found = stretches(made_up.loops_after_christmas(times, told), sizes[1], seeds)
            rows.append([found.name, f"{found.loops_found(NOTICED):.0f} / {found.loops_found(9.1 * HOUR):.0f}"])
    yield from table(["loop", f"${sizes[1]:,.0f} a day"], rows)


def launches(seeds: Sequence[int], sizes: Sequence[float]) -> Iterator[str | Target]:
    yield "\n### launches: alerts within 30 days, % with exactly one, days until the last is over, at most"
    rows = []
    for times in (1.5, 2.0, 4.0):
        found = [stretches(made_up.launching(times), daily, seeds).after_launch() for daily in sizes[1:2]]
        rows.append([f"x{times:g}", *(f"{count:.1f}, {one:.0f} %, {days:.0f}" for count, one, days in found)])
        yield f"launch x{times:g}: alerts in 30 days", "1", found[0][0], found[0][0] == 1
    yield from table(["launch", *(f"${daily:,.0f} a day" for daily in sizes[1:2])], rows)
