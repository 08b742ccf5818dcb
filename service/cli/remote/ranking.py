"""`tocsin top`: who spends most just now, and who moved since the time before."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from rich.console import Console

from service.api.spend.breakdown import BreakdownOut, DivideBy
from service.api.spend.spend import Granularity
from service.cli.documents import as_json
from service.cli.remote.lengths import length_of
from service.cli.remote.showing import share, table, usd
from service.client.errors import Json
from service.client.server import Server
from service.client.spend import SpendClient, SpendOf
from service.domain.spend.completeness import LACKING
from service.domain.spend.lateness import MATURE_AFTER
from service.domain.values.plain_text import percentage
from service.domain.values.utc import DAY, HOUR, day_start, hour_start

LOOKED_BACK = timedelta(hours=24)
"""How long ago the newest hour may be that is known in full."""
MOST_HOURS = timedelta(days=7)
"""The longest time that is compared hour by hour; a longer one in whole days."""

UNITS = {Granularity.HOUR: "hours", Granularity.DAY: "days"}


@dataclass(frozen=True, slots=True)
class TopWanted:
    """`by` is a dimension, `last` a duration such as "24h", `source` a name or id, `most` the members to show."""

    by: DivideBy
    last: str
    source: str
    most: int


@dataclass(frozen=True, slots=True)
class TwoTimes:
    """A member's US dollars of the time, and of the time of the same length before it."""

    name: str
    spent: Decimal
    before: Decimal

    @property
    def change(self) -> Decimal:
        return self.spent - self.before


def by_spend(one: TwoTimes) -> Decimal:
    return one.spent


def by_change(one: TwoTimes) -> Decimal:
    return abs(one.change)


Order = Callable[[TwoTimes], Decimal]


def top(server: Server, wanted: TopWanted, order: Order, now: datetime, out: Console) -> None:
    """Shows which times are compared, the first members in an order, and the whole."""
    spent, before = _two_times(server, wanted, now)
    out.print(_times(spent, before), highlight=False, soft_wrap=True)
    for gap in _gaps(spent, before):
        out.print(gap, highlight=False, soft_wrap=True)
    total, total_before = Decimal(spent.total.amount), Decimal(before.total.amount)
    movers = sorted(compare(spent, before), key=order, reverse=True)[: wanted.most]
    rows = [
        (one.name, usd(f"{one.spent}"), share(f"{one.spent}", f"{total}"), usd(f"{one.before}"), _change(one))
        for one in movers
    ]
    whole = TwoTimes("all", total, total_before)
    rows.append((whole.name, usd(f"{total}"), "", usd(f"{total_before}"), _change(whole)))
    headings = (wanted.by.value.replace("_", " "), f"last {wanted.last}", "share", "before", "change")
    table(headings, rows, frozenset({1, 2, 3, 4}), out)


def top_as_json(server: Server, wanted: TopWanted, order: Order, now: datetime, out: Console) -> None:
    spent, before = _two_times(server, wanted, now)
    movers = sorted(compare(spent, before), key=order, reverse=True)[: wanted.most]
    shown: list[Json] = [
        {"name": one.name, "spent": f"{one.spent}", "before": f"{one.before}", "change": f"{one.change}"}
        for one in movers
    ]
    times = {"since": spent.since, "until": spent.until, "before_since": before.since, "before_until": before.until}
    unknown = {"unknown": _unknown(spent), "before_unknown": _unknown(before)}
    as_json({**{name: f"{at:%FT%TZ}" for name, at in times.items()}, **unknown, "items": shown}, out)


def compare(spent: BreakdownOut, before: BreakdownOut) -> Iterable[TwoTimes]:
    """Yields every member that spent in either time."""
    names = {one.id: one.name for answer in (before, spent) for one in answer.items}
    now, then = ({one.id: Decimal(one.amount) for one in answer.items} for answer in (spent, before))
    return (TwoTimes(name, now.get(id, Decimal(0)), then.get(id, Decimal(0))) for id, name in names.items())


def _two_times(server: Server, wanted: TopWanted, now: datetime) -> tuple[BreakdownOut, BreakdownOut]:
    """Both are of hours or days that are over: a part of one beside a whole one would look like a fall."""
    length = length_of("--last", wanted.last)
    client = SpendClient(server)
    if length <= MOST_HOURS:
        unit, granularity, until = HOUR, Granularity.HOUR, _end_of_whole_hours(client, wanted.source, now)
    else:
        unit, granularity, until = DAY, Granularity.DAY, day_start(now - MATURE_AFTER)
    length = max(unit, length - length % unit)

    def spent(end: datetime) -> BreakdownOut:
        return client.breakdown(SpendOf(end - length, end, wanted.source), wanted.by, granularity=granularity)

    return spent(until), spent(until - length)


def _end_of_whole_hours(client: SpendClient, source: str, now: datetime) -> datetime:
    """Returns the end of the newest hour that is known in full; that of the last one where no recent one is."""
    latest = hour_start(now - MATURE_AFTER)
    recent = client.series(SpendOf(latest - LOOKED_BACK, latest, source), granularity=Granularity.HOUR).items
    return max((one.end for one in recent if one.state not in LACKING), default=latest)


def _gaps(spent: BreakdownOut, before: BreakdownOut) -> Iterable[str]:
    for named, time in (("this time", spent), ("the time before", before)):
        if _unknown(time):
            yield f"Not known of {named} are {_unknown(time)} {UNITS[time.granularity]}, which count as $0."


def _unknown(time: BreakdownOut) -> int:
    """How many of its hours or days have no amount, such as those before the first that was ever read."""
    return time.lacking.missing + time.lacking.suspect


def _times(spent: BreakdownOut, before: BreakdownOut) -> str:
    """Returns which times are compared, with their years where those differ."""
    form = "%d %b %H:%M" if before.since.year == spent.until.year else "%d %b %Y %H:%M"
    this, former = (f"{one.since:{form}} to {one.until:{form}} UTC" for one in (spent, before))
    return f"{this}, {spent.total.basis}; before: {former}."


def _change(one: TwoTimes) -> str:
    sign = "+" if one.change > 0 else ""
    percent = f" ({sign}{percentage(one.change / one.before * 100)})" if one.before > 0 else ""
    return f"{sign}{usd(f'{one.change}')}{percent}"
