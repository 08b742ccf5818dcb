"""What has to grow for a snoozed alert to wake, and by how much."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from service.domain.alerts.alert import AlertState
from service.domain.alerts.evidence import Evidence
from service.domain.alerts.snooze import SnoozeRequest, has_outgrown, snooze
from service.domain.values.errors import Invalid
from service.domain.values.money import Money
from tests.sample_alerts import AHEAD, ALERT, DROP, EVIDENCE, OPENED, RULE, STALE

GROWTH = SnoozeRequest(growth_percent=Decimal(50))


@pytest.mark.parametrize(
    ("evidence", "dollars"),
    [
        pytest.param(EVIDENCE, "12.345678", id="what is spent of a budget"),
        pytest.param(AHEAD, "1238.77", id="what is forecast of it"),
        pytest.param(RULE, "1700.00", id="what an incident adds up to"),
        pytest.param(replace(RULE, impact=None), "930.00", id="its day's excess"),
        pytest.param(replace(DROP, impact=None), "232.50", id="what is missing"),
        pytest.param(STALE, None, id="a blind source has no dollars"),
    ],
)
def test_an_alert_s_figure_is_what_it_is_about(evidence: Evidence, dollars: str | None) -> None:
    assert evidence.figure == (Money.of(dollars) if dollars else None)


def test_it_wakes_at_half_as_much_again_and_not_a_cent_before() -> None:
    spent = replace(ALERT, evidence=replace(EVIDENCE, spent=Money.of("10.00")))
    snoozed = snooze(spent, GROWTH, actor="token:ann", note="", now=OPENED).alert
    assert snoozed.snoozed_above == Money.of("15.00")
    assert not has_outgrown(snoozed, replace(EVIDENCE, spent=Money.of("14.99")))
    assert has_outgrown(snoozed, replace(EVIDENCE, spent=Money.of("15.00")))
    assert not has_outgrown(replace(snoozed, state=AlertState.ACKNOWLEDGED), replace(EVIDENCE, spent=Money.of("99.00")))


def test_what_has_no_dollars_cannot_grow() -> None:
    with pytest.raises(Invalid) as raised:
        snooze(replace(ALERT, evidence=STALE), GROWTH, actor="token:ann", note="", now=OPENED)
    assert raised.value.pointer == "/until_growth_percent"
