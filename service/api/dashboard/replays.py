"""The findings of a backtest as a page shows them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from service.api.dashboard.figures import dollars
from service.domain.backtest.backtest import BacktestTally, Firing, Result, SweepRow
from service.domain.rules.registry import KINDS
from service.domain.rules.rule import Gates
from service.domain.values.parameters import parameters
from service.domain.values.plain_text import short_day

MOST_LISTED = 25
_DOLLARS = "US dollars"


@dataclass(frozen=True, slots=True)
class TriedSetting:
    """One stop of the slider: its name as a link asks for it, and in words. `filled` is its bar, of 100."""

    name: str
    label: str
    is_own: bool
    said: str
    a_month: str
    filled: str


@dataclass(frozen=True, slots=True)
class FiringMark:
    """A day on the line of the replay, of 100."""

    x: str
    severity: str
    words: str


def replay_shown(found: Result, told: Callable[[str], str], against: str) -> Mapping[str, object]:
    """`told` names a setting that was tried as people call it; `against`: what spend is compared with."""
    days = (found.last_day - found.first_day).days + 1
    opened = [one for one in found.firings if not one.raised]
    return {
        "said": would_have_fired(found.tally, days),
        "span": f"{short_day(found.first_day)} to {short_day(found.last_day)} {found.last_day.year}, UTC days",
        "first": short_day(found.first_day),
        "last": short_day(found.last_day),
        "settings": _settings(found.sweep, days, told),
        "marks": [_mark(one, found.first_day, days) for one in found.firings],
        "firings": [_firing(one) for one in reversed(opened[-MOST_LISTED:])],
        "against": against,
        "unlisted": max(0, found.tally.alerts - MOST_LISTED),
        "assumptions": found.assumptions,
    }


def would_have_fired(tally: BacktestTally, days: int) -> str:
    """Returns "Would have fired 4 times in 90 days"."""
    if not tally.alerts:
        return f"Would not have fired in {days} days"
    return f"Would have fired {'once' if tally.alerts == 1 else f'{tally.alerts:,} times'} in {days} days"


def _settings(sweep: Sequence[SweepRow], days: int, told: Callable[[str], str]) -> list[TriedSetting]:
    """Returns the settings that were tried, the one that fires least first."""
    most = max((row.tally.alerts for row in sweep), default=0)
    return [
        TriedSetting(
            name=row.setting.replace("_", " "),
            label=told(row.setting),
            is_own=row.configured,
            said=would_have_fired(row.tally, days),
            a_month=f"{row.tally.alerts_per_month:g} a month",
            filled=f"{Decimal(row.tally.alerts) / most * 100:.1f}" if most else "0",
        )
        for row in reversed(sweep)
    ]


def told_setting(kind: str, setting: str) -> str:
    """Returns "Least excess, percent: 45" for "min_percent 45"."""
    name, _, value = setting.replace("min ", "min_").partition(" ")
    words = {**parameters(KINDS[kind].params), **parameters(Gates)}.get(name)
    return f"{words.label}: {words.words.get(value, value)}" if words else setting.replace("_", " ")


def _mark(one: Firing, first: date, days: int) -> FiringMark:
    x = Decimal((one.day - first).days * 100) / days
    return FiringMark(f"{x:.2f}", str(one.severity), f"{short_day(one.day)}: {one.name}, {one.severity}")


def _firing(one: Firing) -> Mapping[str, object]:
    in_dollars = one.unit.startswith(_DOLLARS)
    return {
        "day": short_day(one.day),
        "name": one.name,
        "severity": str(one.severity),
        "cause": one.cause,
        "actual": dollars(one.actual) if in_dollars else None,
        "expected": dollars(one.expected) if in_dollars else None,
    }
