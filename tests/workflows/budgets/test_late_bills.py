"""A late crossing fires even where a defect hides which days' bill it is due to."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from service.domain.alerts.evidence import BudgetEvidence
from service.domain.budgets.budget import Budget
from service.domain.sources.source import People, ReportFamily
from service.domain.spend.rows import CostRow
from service.domain.values.periods import PeriodKind, PeriodSpec
from service.domain.values.scopes import Dimension, Scope
from service.workflows.alerts.evaluate import run_evaluation
from service.workflows.budgets import late_bills
from service.workflows.configuration.spend import Sources
from tests.factories import budget, percent, utc
from tests.workflows.yard import Yard, billed

OCTOBER = date(2026, 10, 20)


def fail(*_: object) -> None:
    raise OverflowError("no such day")


async def test_a_defect_in_naming_the_days_leaves_the_alert(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    yard.clock.move_to(utc("2026-10-31T12:00"))
    await yard.add_budget("eng", budget("10.00", percent(100)))
    await yard.poll()
    await yard.settle()
    monkeypatch.setattr(late_bills, "newest_late_bill", fail)
    yard.clock.move_to(utc("2026-11-02T09:00"))
    yard.reader.bill(OCTOBER, billed("12.00"))
    await yard.poll()
    await yard.settle()
    (alert,) = await yard.alerts()
    assert isinstance(alert.evidence, BudgetEvidence)
    assert (alert.evidence.late, alert.evidence.billed_days) == (True, ())


ADA = "person_aaaaaaaaaaaaaaaa"
BY_PRODUCT = replace(budget("100.00", percent(100)), for_each=Dimension.PRODUCT)
OF_ADA = replace(budget("100.00", percent(100)), scope=Scope(actors=(ADA,)))


def hers(dollars: str) -> CostRow:
    row = billed(dollars)
    return replace(row, dimensions=replace(row.dimensions, extra=(("actor", ADA), ("product", "claude_code"))))


@pytest.mark.parametrize("spec", [BY_PRODUCT, OF_ADA])
async def test_a_late_alert_of_a_person_or_product_names_the_days_that_were_billed(yard: Yard, spec: Budget) -> None:
    yard.clock.move_to(utc("2026-10-31T12:00"))
    reading = replace(yard.source.spec, people=People.HASHED, prefer=ReportFamily.ANALYTICS)
    yard.source = await yard.change(Sources(), yard.source, reading)
    await yard.add_budget("theirs", spec)
    yard.reader.bill(OCTOBER, hers("60.00"))
    await yard.poll()
    await yard.settle()
    yard.clock.move_to(utc("2026-11-02T09:00"))
    for day, dollars in ((OCTOBER, "60.00"), (date(2026, 10, 30), "30.00"), (date(2026, 10, 31), "25.00")):
        yard.reader.bill(day, hers(dollars), billed("500.00"))
    await yard.poll()
    await yard.settle()
    (alert,) = await yard.alerts()
    assert isinstance(alert.evidence, BudgetEvidence)
    assert alert.evidence.late
    assert alert.evidence.billed_days == (date(2026, 10, 30), date(2026, 10, 31))
    assert alert.evidence.billed_on == date(2026, 11, 2)


async def test_an_alert_of_a_day_in_an_outage_stays_for_a_day_though_its_period_closes(yard: Yard) -> None:
    """The bill that is read last makes it fire, and ends the time that was added for the outage."""
    yard.clock.move_to(utc("2026-11-16T10:00"))
    await yard.add_budget("daily", budget("100.00", percent(100), period=PeriodSpec(PeriodKind.DAILY)))
    yard.reader.bill(date(2026, 11, 16), billed("50.00"))
    await yard.poll()
    await yard.settle()
    yard.reader.bill(date(2026, 11, 16), billed("500.00"))

    async def moves(at: str) -> list[tuple[str, str]]:
        yard.clock.move_to(utc(at))
        await yard.poll()
        events = await run_evaluation(yard.ports, yard.source.id)
        of_budget = [event for event in events if isinstance(event.alert.evidence, BudgetEvidence)]
        return [(event.command.value, event.reason.value) for event in of_budget]

    assert await moves("2026-11-21T10:00") == [("open", "late")]
    assert await moves("2026-11-21T10:15") == []
    assert await moves("2026-11-22T09:59") == []
    assert await moves("2026-11-22T10:00") == [("resolve", "period_closed")]
