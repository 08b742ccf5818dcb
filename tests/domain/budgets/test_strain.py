"""An unusual spend says which budget it would use up, and when."""

from __future__ import annotations

from dataclasses import replace

import pytest

from service.domain.budgets.budget import Budget
from service.domain.budgets.strain import strained
from service.domain.spend.best_known import Spend
from service.domain.values.money import Money
from service.domain.values.periods import PeriodKind, PeriodSpec, Window
from service.domain.values.scopes import Cell, Dimension, Scope
from tests.factories import resource, utc
from tests.sample_alerts import RULE

NOW = utc("2026-10-11")
OCTOBER = Window(utc("2026-10-01"), utc("2026-11-01"))
SPEND = {OCTOBER: {Cell("wrkspc_1", "model", "apikey_1"): Spend(billed=Money.of("1000"))}}
"""A hundred dollars a day, for ten days."""
HOURLY = replace(RULE, actual=Money.of("45"), expected=Money.of("20"), unit="US dollars an hour")
"""$600 a day above normal."""


def budget(amount: str = "4000", **changes: object) -> Budget:
    plain = Budget("src_1", Scope(), Money.of(amount), PeriodSpec(PeriodKind.MONTHLY), ())
    return replace(plain, **changes)  # type: ignore[arg-type]


def of(*budgets: Budget) -> tuple[str, str]:
    named = [resource(f"bdg_{place}", one, name=f"budget {place}") for place, one in enumerate(budgets)]
    found = strained(HOURLY, named, SPEND, NOW)
    return found.strained_budget, str(found.used_up_on)


def test_a_budget_is_used_up_by_its_usual_days_and_the_excess() -> None:
    assert of(budget()) == ("budget 0", "2026-10-15")  # $3,000 at $700 a day


def test_the_one_that_is_used_up_first_is_named() -> None:
    assert of(budget(), budget("2000"), budget("9000")) == ("budget 1", "2026-10-12")


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(budget("999"), id="used up already"),
        pytest.param(budget("50000"), id="not within the period"),
        pytest.param(budget(for_each=Dimension.WORKSPACE), id="of members"),
        pytest.param(budget(scope=Scope(workspaces=("wrkspc_1",))), id="of a part"),
        pytest.param(budget(period=PeriodSpec(PeriodKind.ROLLING, days=30)), id="rolling"),
    ],
)
def test_no_other_budget_is_named(other: Budget) -> None:
    assert of(other) == ("", "None")


def test_what_says_nothing_of_days_to_come_strains_nothing() -> None:
    named = [resource("bdg_1", budget("2000"))]
    for evidence in (replace(HOURLY, unit="US dollars"), replace(HOURLY, falls=True)):
        assert strained(evidence, named, SPEND, NOW) == evidence
