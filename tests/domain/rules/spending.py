"""Views of steady spenders for the anomaly rule: weekdays cost more than weekends, and every amount is known."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from service.domain.detectors.scores import Sensitivity
from service.domain.rules.kinds.anomaly.rule import Anomaly, AnomalyDirection, AnomalyGranularity
from service.domain.rules.rule import Rule
from service.domain.rules.view import HourFigures, SpendView
from service.domain.values.scopes import Cell, Dimension, ScopeKey
from tests.domain.rules import views
from tests.domain.rules.views import NOON, TODAY, day

ENG, OPS = (ScopeKey(Dimension.WORKSPACE, f"wrkspc_{name}") for name in ("eng", "ops"))
OPUS, HAIKU = (ScopeKey(Dimension.MODEL, f"claude-{name}") for name in ("opus", "haiku"))
CI, BOT, NEW = (ScopeKey(Dimension.API_KEY, f"apikey_{name}") for name in ("ci", "bot", "new"))
ENG_CI, OPS_BOT = Cell(ENG.id, OPUS.id, CI.id), Cell(OPS.id, HAIKU.id, BOT.id)
ENG_NEW = Cell(ENG.id, OPUS.id, NEW.id)
WEEK = (300.0, 310.0, 305.0, 295.0, 290.0, 80.0, 70.0)
WOBBLE = (1.0, 1.03, 0.98, 1.01, 0.97, 1.02, 0.99, 1.04, 0.96)
DAYS = 84
HOURS = 28 * 24 + 72
LEVELS = (Dimension.ORGANISATION, Dimension.WORKSPACE)


def steady(share: float = 1.0, days: int = DAYS) -> list[float]:
    """Daily dollars up to today, the last one: a calm office."""
    return [share * usual(ago) for ago in range(days - 1, -1, -1)]


def usual(ago: int) -> float:
    return WEEK[day(ago).weekday()] * WOBBLE[ago % len(WOBBLE)]


def with_days(row: Sequence[float], changed: Mapping[int, float]) -> list[float]:
    """`changed`: dollars by days ago."""
    return [changed.get(len(row) - 1 - place, value) for place, value in enumerate(row)]


def hourly(dollars: float = 4.0, hours: int = HOURS) -> list[float]:
    return [dollars * WOBBLE[place % len(WOBBLE)] for place in range(hours)]


def hours(
    rows: Mapping[Cell, Sequence[float]], *, unknown: Collection[int] = (), mature: int = 1, end: datetime = NOON
) -> HourFigures:
    """Each row's last figure is that of the hour before noon. `unknown` and `mature` are hours back from noon."""
    length = max(len(row) for row in rows.values())
    known = [ago not in unknown for ago in range(length, 0, -1)]
    return HourFigures(end - timedelta(hours=length), known, rows, end - timedelta(hours=mature))


def with_hours(seen: SpendView, figures: HourFigures) -> SpendView:
    return replace(seen, hours=figures)


def a_rule(
    granularity: AnomalyGranularity = AnomalyGranularity.DAYS,
    levels: tuple[Dimension, ...] = LEVELS,
    direction: AnomalyDirection = AnomalyDirection.UP,
    sensitivity: Sensitivity = Sensitivity.NORMAL,
) -> Rule[Anomaly]:
    return views.rule("anomaly", Anomaly(granularity, sensitivity, levels, direction))


def moved(seen: SpendView, by: timedelta) -> SpendView:
    """The same history at another time."""
    figures = seen.hours
    return replace(
        seen,
        as_of=seen.as_of + by,
        days=tuple(one + by for one in seen.days),
        cells={cell: {one + by: known for one, known in row.items()} for cell, row in seen.cells.items()},
        unknown_days=frozenset(one + by for one in seen.unknown_days),
        settled_until=None if seen.settled_until is None else seen.settled_until + by,
        hours=figures
        and replace(
            figures,
            first=figures.first + by,
            mature_until=None if figures.mature_until is None else figures.mature_until + by,
        ),
    )


MIDNIGHT = datetime(TODAY.year, TODAY.month, TODAY.day, tzinfo=UTC)
