"""What must have fired, from what was spent alone. None of the product's code decides anything here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from stress.organisation import Organisation
from stress.plan import CLOSING, DAY, HOUR

LAST_CHANGE = 60
"""Hours after a day's end within which its bill changes."""
LONG_AFTER = timedelta(days=200)
UNSURE = 6 * HOUR
"""How near to the end of its closing an alert's state is left open: reading them takes a while."""

Cells = Mapping[tuple[str, str], Decimal]
"""US dollars by workspace and model."""


@dataclass(frozen=True, slots=True)
class Cap:
    """A budget, as it is configured and as it is understood here."""

    period: str
    amount: Decimal
    for_each: str | None = None
    workspaces: tuple[str, ...] = ()
    levels: tuple[tuple[int, str], ...] = ((80, "warning"), (100, "critical"))

    def named(self, source: str) -> str:
        return f"{self.period} {self.for_each or 'of ' + '/'.join(self.workspaces or ('all',))}, {source}"

    def scopes(self, cells: Cells) -> dict[str, Decimal]:
        """The dollars of each scope that the budget judges."""
        found: dict[str, Decimal] = defaultdict(Decimal)
        for (workspace, model), dollars in cells.items():
            if not self.workspaces or workspace in self.workspaces:
                member = {"workspace": f"workspace:{workspace}", "model": f"model:{model}"}
                found[member[self.for_each] if self.for_each else "org"] += dollars
        return found

    def highest(self, dollars: Decimal) -> tuple[int, str] | None:
        """The highest level that is reached."""
        reached = [level for level in self.levels if dollars > 0 and dollars >= self.amount * level[0] / 100]
        return max(reached, default=None)


CAPS = (
    Cap("daily", Decimal(270)),
    Cap("daily", Decimal(120), for_each="workspace"),
    Cap("weekly", Decimal(900), for_each="model"),
    Cap("monthly", Decimal(1800), workspaces=("wrkspc_research",)),
    Cap("yearly", Decimal(250)),
)


@dataclass(frozen=True, slots=True)
class Key:
    """What an alert is known by."""

    budget: str
    scope: str
    period_start: datetime


@dataclass(frozen=True, slots=True)
class Expected:
    """How an alert stands in the end. `is_over` None: it may be or not, as its period closes just then."""

    severity: str
    spent: Decimal
    is_over: bool | None


@dataclass(frozen=True, slots=True)
class Prophecy:
    """`must` are the alerts that have to be there. `may` may be: reports have shown more than was spent in the end."""

    must: Mapping[Key, Expected]
    may: frozenset[Key]


@dataclass(frozen=True, slots=True)
class Truth:
    """An organisation's spend by day: in the end, and the most that any report has shown of each cell."""

    final: Mapping[date, Cells]
    most: Mapping[date, Cells]


def truth_of(one: Organisation) -> Truth:
    """Reads the simulated worlds themselves."""
    final, most = {}, {}
    for day in one.all_days():
        end = midnight(day) + DAY
        final[day] = _cells(one, day, end + LONG_AFTER)
        seen = [_cells(one, day, end + hours * HOUR) for hours in range(LAST_CHANGE)]
        seen.append(_bill(one.plain.cost(day, end + LONG_AFTER)))
        seen.append(final[day])
        most[day] = {cell: max(one.get(cell, Decimal(0)) for one in seen) for cell in {c for one in seen for c in one}}
    return Truth(final, most)


def _cells(one: Organisation, day: date, at: datetime) -> Cells:
    return _bill(one.world.cost(day, at))


def _bill(lines: object) -> Cells:
    found: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for line in lines:  # type: ignore[attr-defined]
        found[line.workspace_id or "default", line.model or ""] += line.amount / 100
    return found


def foretell(source: str, truth: Truth, at: datetime) -> Prophecy:
    """The alerts of one source as they must stand at `at`."""
    must: dict[Key, Expected] = {}
    may: set[Key] = set()
    for cap in CAPS:
        final, most = _by_period(cap, truth.final), _by_period(cap, truth.most)
        for (start, scope), dollars in most.items():
            key = Key(cap.named(source), scope, start)
            spent = final.get((start, scope), Decimal(0))
            level = cap.highest(spent)
            if level is not None:
                must[key] = Expected(level[1], spent, _is_over(_end(cap.period, start), at))
            elif cap.highest(dollars) is not None:
                may.add(key)
    return Prophecy(must, frozenset(may))


def _by_period(cap: Cap, days: Mapping[date, Cells]) -> dict[tuple[datetime, str], Decimal]:
    found: dict[tuple[datetime, str], Decimal] = defaultdict(Decimal)
    for day, cells in days.items():
        for scope, dollars in cap.scopes(cells).items():
            found[_start(cap.period, day), scope] += dollars
    return found


def _start(period: str, day: date) -> datetime:
    match period:
        case "weekly":
            day -= day.weekday() * DAY
        case "monthly":
            day = day.replace(day=1)
        case "yearly":
            day = day.replace(month=1, day=1)
    return midnight(day)


def _end(period: str, start: datetime) -> datetime:
    match period:
        case "daily":
            return start + DAY
        case "weekly":
            return start + 7 * DAY
        case "monthly":
            return (start + 31 * DAY).replace(day=1)
        case _:
            return start.replace(year=start.year + 1)


def _is_over(end: datetime, at: datetime) -> bool | None:
    closed = end + CLOSING
    if abs(closed - at) < UNSURE:
        return None
    return closed < at


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def spend_by(truth: Truth, dimension: int) -> Iterator[tuple[date, dict[str, Decimal]]]:
    """The final dollars of each day, by workspace (0) or model (1)."""
    for day, cells in truth.final.items():
        found: dict[str, Decimal] = defaultdict(Decimal)
        for cell, dollars in cells.items():
            found[cell[dimension]] += dollars
        yield day, dict(found)
