"""A late crossing fires even where a defect hides which days' bill it is due to."""

from __future__ import annotations

from datetime import date

import pytest

from service.domain.alerts.evidence import BudgetEvidence
from service.workflows.budgets import late_bills
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
