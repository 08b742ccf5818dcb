"""Digests: what has happened since the last one, in one message that nobody has to answer.

A digest is configured with a schedule; `build` makes the content of one occurrence from what is stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from service.domain.budgets.budget import Budget
from service.domain.budgets.statuses import ScopeStatus
from service.domain.digests.alerts import Tally
from service.domain.digests.amounts import SMALLEST_MOVE
from service.domain.digests.caching import CacheCompared
from service.domain.digests.periods import DigestPeriod, usual_period
from service.domain.digests.shares import DigestPart, Share
from service.domain.digests.usage import UsageReport
from service.domain.forecasts.forecast import Forecast
from service.domain.notify.channels.registry import ChannelConfig
from service.domain.notify.channels.traits import Audience
from service.domain.notify.receivers import Receiver
from service.domain.spend.best_known import Spend
from service.domain.spend.claude_code import CodeActivity
from service.domain.values.money import ZERO, Money
from service.domain.values.names import Names, describe_scope, name_of
from service.domain.values.periods import Weekday, Window
from service.domain.values.resources import Resource
from service.domain.values.scopes import EVERYTHING, ORGANISATION, Cell, Dimension, Scope, ScopeKey

MOST_MOVERS = 3
"""Named in each direction of each dimension."""
MOST_PORTIONS = 5
LEAST_SHARE = Decimal("0.01")
"""Members below this share of all spend are among the others."""


class DigestContent(StrEnum):
    """The subject of a digest: where the money went, or what was used."""

    SPEND = "spend"
    USAGE = "usage"


MOVING = (Dimension.WORKSPACE, Dimension.MODEL, Dimension.API_KEY)


@dataclass(frozen=True, slots=True)
class DigestPlan:
    """A report, its schedule and its receiver. `cron` has five fields, read on a wall clock in `timezone`.

    `period` is the time that it is about; None: as the schedule says. `week_start` is of `previous_week`. `to_owner`:
    whoever owns some of the spend is sent their share, and the receiver the rest.
    """

    source_id: str
    receiver_id: str
    cron: str
    timezone: str = "UTC"
    scope: Scope = field(default_factory=Scope)
    enabled: bool = True
    period: DigestPeriod | None = None
    week_start: Weekday = Weekday.MONDAY
    content: DigestContent = DigestContent.SPEND
    to_owner: bool = False

    @property
    def covers(self) -> DigestPeriod:
        return self.period or usual_period(self.cron)


@dataclass(frozen=True, slots=True)
class Portion:
    """A member of a dimension: its spend, and how much that is more than in the period before."""

    name: str
    spent: Money
    change: Money


@dataclass(frozen=True, slots=True)
class Portions:
    """Who spent it, along one dimension, the largest first; `others` is the rest."""

    dimension: Dimension
    largest: tuple[Portion, ...]
    others: Money


@dataclass(frozen=True, slots=True)
class Mover:
    """How much more (or, negative, less) a member of a dimension cost than in the period before."""

    name: str
    change: Money


@dataclass(frozen=True, slots=True)
class Movers:
    """The largest changes along one dimension, the largest first."""

    dimension: Dimension
    up: tuple[Mover, ...]
    down: tuple[Mover, ...]


@dataclass(frozen=True, slots=True)
class BudgetStand:
    """A budget in its running period: US dollars. `forecast` is of the period's end, None where there is none.

    `is_part`: it is one of the scopes of a budget that is repeated.
    """

    budget_name: str
    scope_name: str
    amount: Money
    spent: Money
    forecast: Money | None
    is_part: bool = False

    @property
    def is_at_risk(self) -> bool:
        """Whether it is used up, or will be before its period's end."""
        return max(self.spent, self.forecast or ZERO) > self.amount


@dataclass(frozen=True, slots=True)
class LoudRule:
    """A rule that would fire for nothing more often than is promised: in 91 days `false` times at most, and
    `critical` of them are that.

    `proposal`: the setting that would not, "" where there is none.
    """

    name: str
    false: float
    critical: float
    proposal: str


@dataclass(frozen=True, slots=True)
class Digest:
    """The content of one digest. `window` is the period it is about, `before` the one it is compared with.

    `is_part`: it is about some of the organisation's spend; `share` is whose, where it is an owner's. `budgets` are all
    of them, the fullest first. `unknown_days` are the UTC days of either period whose bill is not known in full: what
    was not read of them counts as nothing.
    """

    name: str
    about: str
    timezone: str
    window: Window
    before: Window
    spent: Spend
    spent_before: Money
    movers: tuple[Movers, ...]
    at_risk: tuple[BudgetStand, ...]
    tally: Tally
    simulated: bool = False
    is_part: bool = False
    portions: tuple[Portions, ...] = ()
    budgets: tuple[BudgetStand, ...] = ()
    loud_rules: tuple[LoudRule, ...] = ()
    caching: CacheCompared | None = None
    usage: UsageReport | None = None
    claude_code: CodeActivity | None = None
    share: Share | None = None
    unknown_days: int = 0
    unknown_days_before: int = 0

    @property
    def change(self) -> Money:
        return self.spent.total - self.spent_before

    @property
    def is_comparable(self) -> bool:
        """Whether both periods are known: a part beside a whole would look like a rise or a fall."""
        return not (self.unknown_days or self.unknown_days_before)


@dataclass(frozen=True, slots=True)
class Figures:
    """Spend by cell in a digest's period and in the one before."""

    now: Mapping[Cell, Spend]
    before: Mapping[Cell, Spend]


@dataclass(frozen=True, slots=True)
class Occasion:
    """One occurrence of a digest: its periods, the names and source as they are known, and whose share it is about; all
    of it where there is none.
    """

    name: str
    window: Window
    before: Window
    names: Names
    simulated: bool = False
    share: Share | None = None


def build(
    plan: DigestPlan, occasion: Occasion, figures: Figures, budgets: Iterable[BudgetStand], tally: Tally
) -> Digest:
    """The content. Spend outside the plan's scope and the share is left out here; budgets and alerts come filtered."""
    part = DigestPart(plan.scope, occasion.share)
    stands = sorted(budgets, key=lambda one: one.spent.ratio_to(one.amount), reverse=True)
    now = {cell: spend for cell, spend in figures.now.items() if part.holds(cell)}
    before = {cell: spend for cell, spend in figures.before.items() if part.holds(cell)}
    return Digest(
        name=occasion.name,
        about=_about(part, occasion.names),
        timezone=plan.timezone,
        window=occasion.window,
        before=occasion.before,
        spent=sum(now.values(), Spend()),
        spent_before=Money.total(spend.total for spend in before.values()),
        portions=tuple(_portions(dimension, now, before, occasion.names) for dimension in MOVING),
        movers=tuple(_movers(dimension, now, before, occasion.names) for dimension in MOVING),
        at_risk=tuple(sorted((one for one in stands if one.is_at_risk), key=_overrun, reverse=True)),
        budgets=tuple(stands),
        tally=tally,
        simulated=occasion.simulated,
        is_part=not part.is_whole,
        share=part.share,
    )


def _about(part: DigestPart, names: Names) -> str:
    scope = describe_scope(part.scope, ORGANISATION, names)
    if part.share is None:
        return scope
    return part.share.about if part.scope == EVERYTHING else f"{part.share.about}, of {scope}"


def _along(dimension: Dimension, spent: Mapping[Cell, Spend]) -> dict[str, Money]:
    totals: dict[str, Money] = {}
    for cell, spend in spent.items():
        totals[cell.along(dimension)] = totals.get(cell.along(dimension), ZERO) + spend.total
    return totals


def _portions(dimension: Dimension, now: Mapping[Cell, Spend], before: Mapping[Cell, Spend], names: Names) -> Portions:
    spent, earlier = _along(dimension, now), _along(dimension, before)
    least = max(Money.total(spent.values()) * LEAST_SHARE, SMALLEST_MOVE)
    ids = sorted((id for id in spent if spent[id] >= least), key=lambda id: (-spent[id].usd, id))[:MOST_PORTIONS]
    largest = tuple(
        Portion(name_of(ScopeKey(dimension, id), names), spent[id], spent[id] - earlier.get(id, ZERO)) for id in ids
    )
    return Portions(dimension, largest, Money.total(spent[id] for id in spent if id not in ids))


def _movers(dimension: Dimension, now: Mapping[Cell, Spend], before: Mapping[Cell, Spend], names: Names) -> Movers:
    spent, earlier = _along(dimension, now), _along(dimension, before)
    changes = {id: spent.get(id, ZERO) - earlier.get(id, ZERO) for id in sorted(spent.keys() | earlier.keys())}
    moved = [
        Mover(name_of(ScopeKey(dimension, id), names), change)
        for id, change in changes.items()
        if abs(change) >= SMALLEST_MOVE
    ]
    moved.sort(key=lambda one: one.change, reverse=True)
    up = tuple(one for one in moved if one.change > ZERO)
    down = tuple(one for one in reversed(moved) if one.change < ZERO)
    return Movers(dimension, up[:MOST_MOVERS], down[:MOST_MOVERS])


def stands_of(
    budget: Resource[Budget], part: DigestPart, statuses: Iterable[ScopeStatus], now: datetime
) -> list[BudgetStand]:
    """The scopes of a budget that a part has, in a running period."""
    found, amount = [], budget.spec.amount
    for status in statuses:
        forecast = status.forecast.mid if isinstance(status.forecast, Forecast) else None
        concerned = now in status.period.window and part.has_budget(status.scope, budget.spec.scope)
        if concerned and amount > ZERO:
            found.append(
                BudgetStand(
                    budget.name,
                    status.scope_name,
                    amount,
                    status.spent.total,
                    forecast,
                    budget.spec.for_each is not None,
                )
            )
    return found


def _overrun(risk: BudgetStand) -> Money:
    return max(risk.spent, risk.forecast or ZERO) - risk.amount


def reached(receiver: Receiver) -> tuple[ChannelConfig, ...]:
    """The channels of a receiver that a digest goes to: all but those that page."""
    return tuple(channel for channel in receiver.channels if channel.traits.audience is not Audience.ON_CALL)
