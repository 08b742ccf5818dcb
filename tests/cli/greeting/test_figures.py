"""A start with a real key ends with the organisation, its month, and a first budget that may be pasted as it is."""

from __future__ import annotations

import json
import shlex
from datetime import timedelta
from io import StringIO

from rich.console import Console

from service.cli.greeting.figures import lines, welcome
from service.domain.spend.best_known import Spend
from service.domain.values.money import Money
from service.workflows.budgets.suggest import suggest_budget
from service.workflows.operation.first_figures import FirstFigures, run_first_figures
from tests.factories import budget
from tests.workflows.yard import Yard, billed

FIGURES = FirstFigures("[red]Acme's", Spend(billed=Money.of("812.505")), Money.of("1200"))


def test_the_command_is_whole_whatever_the_organisation_is_called() -> None:
    said = lines(FIGURES, "http://127.0.0.1:8400")
    assert said[0] == "[red]Acme's: $812.50 this month so far (billed)"
    words = shlex.split(said[-1])
    assert words[:2] == ["curl", "http://127.0.0.1:8400/v1/budgets"]
    assert json.loads(words[-1]) == {
        "name": "organisation, monthly",
        "amount": "1200.00",
        "period": {"kind": "monthly"},
    }


def test_an_organisation_with_a_budget_is_not_offered_another() -> None:
    assert len(lines(FirstFigures("Acme", Spend(), None), "http://127.0.0.1:8400")) == 1


async def test_the_figures_are_there_once_the_bill_was_read(yard: Yard) -> None:
    assert await run_first_figures(yard.ports) is None
    yard.reader.bill(yard.clock().date(), billed("10.00"))
    await yard.poll()
    text = StringIO()
    await welcome(yard.ports, "http://127.0.0.1:8400", Console(file=text, width=300))
    assert text.getvalue().startswith("Example Inc: $")
    assert '"amount": "12.00"' in text.getvalue()
    await yard.add_budget("monthly", budget())
    found = await run_first_figures(yard.ports)
    assert found is not None
    assert found.suggested is None


async def test_the_budget_to_paste_is_the_one_that_the_first_steps_suggest(yard: Yard) -> None:
    today = yard.clock().date()
    yard.reader.bill(today, billed("10.00"))
    yard.reader.bill(today - timedelta(days=32), billed("100.00"))
    await yard.poll()
    found = await run_first_figures(yard.ports)
    async with yard.ports.uow() as uow:
        shown = await suggest_budget(uow, yard.source.id, yard.clock())
    assert found is not None
    assert found.suggested == shown.amount == Money.of("120.00"), "of the largest month, not of the last 30 days"
