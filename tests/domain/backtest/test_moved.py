"""A budget's replay that leaves out the scopes that stand as they stood finds what one finds that looks at all."""

from __future__ import annotations

import random
from decimal import Decimal

import pytest

from service.domain.backtest import budgets
from service.domain.backtest.backtest import Result
from service.domain.backtest.budgets import replay_budget
from service.domain.backtest.history import Recorded
from service.domain.backtest.moved import moved
from service.domain.budgets.budget import Budget
from service.domain.budgets.known import Known, WindowSpend
from service.domain.spend.best_known import DayVersion, EstimatedDay, Spend, SpendDay
from service.domain.values.money import Money
from service.domain.values.periods import PeriodKind, PeriodSpec
from service.domain.values.resources import Resource
from service.domain.values.scopes import Cell, Dimension
from service.domain.values.severity import Severity
from tests.domain.backtest.pasts import day, past
from tests.examples import cases
from tests.factories import amount as dollars
from tests.factories import budget, percent, resource

DAYS = 75
CELLS = [Cell(f"wrkspc_{n % 5}", f"claude-{n % 3}", f"apikey_{n % 12}") for n in range(24)]


def known_as(drawn: random.Random) -> SpendDay:
    """Mostly a few dollars; sometimes many, a credit, nothing, or tokens without a price."""
    usd = drawn.choice((2.0, 2.0, 3.0, 3.0, 5.0, 40.0, -30.0, 0.0)) * drawn.lognormvariate(0, 0.5)
    unpriced = drawn.choice((0, 0, 0, 1000))
    return SpendDay(Spend(billed=Money(Decimal(f"{usd:.4f}"))), EstimatedDay(unpriced_tokens=unpriced))


def wild(seed: int) -> Recorded:
    """Days that come late, are restated up to five days later, and lose cells; some are never read."""
    drawn = random.Random(seed)
    versions = []
    for number in range(1, DAYS + 1):
        first = number + drawn.choice((0, 0, 0, 1, 4))
        for known in sorted({first, first + drawn.choice((0, 2, 5))} if drawn.random() < 0.95 else ()):
            cells = {cell: known_as(drawn) for cell in drawn.sample(CELLS, drawn.randint(12, 24))}
            settled = known > number + 1
            versions.append(DayVersion(day(number), day(known), drawn.random() < 0.1, settled, cells))
    return Recorded("src_1", sorted(versions, key=lambda one: (one.known_on, one.day)), {})


def replayed(subject: Resource[Budget], recorded: Recorded) -> Result:
    return replay_budget(subject, recorded, day(1), day(DAYS), lambda progress: None)


def all_of_it(budget: Resource[Budget], spend: WindowSpend, known: Known) -> tuple[WindowSpend, Known]:
    return spend, known


PERIODS = {
    "monthly": (PeriodSpec(PeriodKind.MONTHLY), "90.00"),
    "weekly, days cut": (PeriodSpec(PeriodKind.WEEKLY, timezone="Asia/Kolkata"), "25.00"),
    "daily": (PeriodSpec(PeriodKind.DAILY), "8.00"),
    "rolling": (PeriodSpec(PeriodKind.ROLLING, days=7), "25.00"),
}


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.fuzz) for seed in range(1, 6))])
@pytest.mark.parametrize("for_each", cases([Dimension.WORKSPACE, Dimension.API_KEY, None]))
@pytest.mark.parametrize(("period", "amount"), PERIODS.values(), ids=PERIODS)
def test_scopes_that_are_left_out_change_nothing_of_what_is_found(
    period: PeriodSpec, amount: str, for_each: Dimension | None, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    same_level = Money.of(amount) * Decimal("0.8")
    levels = percent(50), percent(80), dollars(str(same_level), Severity.CRITICAL), percent(100, Severity.CRITICAL)
    subject = resource("bud_1", budget(amount, *levels, period=period, for_each=for_each))
    recorded = wild(seed)
    found = replayed(subject, recorded)
    monkeypatch.setattr(budgets, "moved", all_of_it)
    assert found == replayed(subject, recorded)
    assert found.tally.alerts > 0


def test_a_scope_is_looked_at_when_a_threshold_is_reached_and_when_its_period_closes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked: list[int] = []

    def noted(budget: Resource[Budget], spend: WindowSpend, known: Known) -> tuple[WindowSpend, Known]:
        left = moved(budget, spend, known)
        if budget.spec == subject.spec and any(left[0].values()):
            looked.append((known.now.date() - day(1)).days)
        return left

    subject = resource("bud_1", budget("200.00", percent(50), percent(100), for_each=Dimension.WORKSPACE))
    monkeypatch.setattr(budgets, "moved", noted)
    replay_budget(subject, past(40), day(1), day(40), lambda progress: None)
    assert looked == [2, 4, 32, 33, 34]
