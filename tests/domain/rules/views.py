"""Views for tests: rows of daily figures that end today, 21 November 2026 at noon (a Saturday)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeVar

from service.domain.rules.planned import PlannedActivity
from service.domain.rules.registry import KINDS
from service.domain.rules.rule import Gates, GateVerdict, Observation, Rule, Verdict
from service.domain.rules.view import DayFigures, SpendView
from service.domain.sources.source import SourceState
from service.domain.values.money import Money
from service.domain.values.names import Names
from service.domain.values.scopes import Cell, Dimension, Scope, ScopeKey

TODAY = date(2026, 11, 21)
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
CELL = Cell("wrkspc_eng", "claude-sonnet-4-5", "apikey_ci")
ENG = ScopeKey(Dimension.WORKSPACE, "wrkspc_eng")
NAMES: Names = {ENG: "eng", ScopeKey(Dimension.API_KEY, "apikey_ci"): "ci"}
NO_GATES = Gates(min_amount=Money.of("0"), min_percent=Money.of("0").usd, min_active_days=0)

Figures = Sequence[float | DayFigures]
P = TypeVar("P")


def day(days_ago: int, today: date = TODAY) -> date:
    return today - timedelta(days=days_ago)


def instant(days_ago: int, hour: int = 0) -> datetime:
    return datetime.combine(day(days_ago), time(hour), UTC)


def view(
    rows: Mapping[Cell, Figures] | Figures,
    *,
    unknown: Collection[int] = (),
    settled: int | None = 1,
    planned: tuple[PlannedActivity, ...] = (),
    polling: SourceState | None = None,
    today: date = TODAY,
    late: int | None = None,
) -> SpendView:
    """Each row's last figure is today's; a bare row is that of CELL. `unknown` and `settled` are days ago.

    `late`: how many days ago the first day was that has been read late; None where none has.
    """
    by_cell = rows if isinstance(rows, Mapping) else {CELL: rows}
    length = max((len(row) for row in by_cell.values()), default=1)
    return SpendView(
        source_id="src_1",
        as_of=datetime.combine(today, time(12), UTC),
        days=tuple(day(ago, today) for ago in range(length - 1, -1, -1)),
        cells={
            cell: {day(len(row) - 1 - place, today): _figures(value) for place, value in enumerate(row)}
            for cell, row in by_cell.items()
        },
        unknown_days=frozenset(day(ago, today) for ago in unknown),
        settled_until=None if settled is None else datetime.combine(day(settled, today), time(), UTC),
        late_since=None if late is None else day(late, today),
        names=NAMES,
        planned=planned,
        polling=polling,
    )


def _figures(value: float | DayFigures) -> DayFigures:
    return value if isinstance(value, DayFigures) else DayFigures(spend=value)


def rule(
    kind: str,
    params: P,
    *,
    gates: Gates | None = None,
    scope: Scope | None = None,
    for_each: Dimension | None = None,
) -> Rule[P]:
    """A rule with its kind's own gates."""
    return Rule("src_1", kind, params, scope or Scope(), for_each, gates=gates or KINDS[kind].gates)


def only(observations: Mapping[ScopeKey, Observation]) -> Observation:
    assert len(observations) == 1
    return next(iter(observations.values()))


def observation(
    actual: float = 100.0, expected: float = 50.0, *, candidate: bool = True, active_days: int = 30, falls: bool = False
) -> Observation:
    return Observation(candidate, actual, expected, "US dollars a day", "", (), active_days, falls=falls)


def verdict(seen: Observation, *, passed: bool = True) -> Verdict:
    return Verdict(seen, (GateVerdict("min_amount", passed, "", ""),))
