"""What an open alert keeps of later findings that are no news."""

from __future__ import annotations

from dataclasses import replace

import pytest

from service.domain.alerts.alert import Alert, Reason
from service.domain.alerts.evidence import Evidence
from service.domain.alerts.findings import Condition, Finding
from service.domain.alerts.reconcile import brought_up_to_date, found_since, reconcile
from service.domain.values.money import Money
from tests.sample_alerts import AHEAD, ALERT, DROP, EVIDENCE, OPENED, RULE, STALE, STALE_ALERT


def found(alert: Alert, evidence: Evidence) -> Evidence | None:
    finding = Finding(
        fingerprint=alert.fingerprint,
        source_id=alert.source_id,
        scope=alert.scope,
        severity=alert.severity,
        condition=Condition.HOLDS,
        reason=Reason.NOTHING_NEW,
        evidence=evidence,
    )
    (move,) = reconcile([alert], [finding])
    assert move.command is None
    return found_since(move)


def test_another_figure_is_kept_and_the_same_one_is_not_kept_again() -> None:
    more = replace(EVIDENCE, spent=EVIDENCE.spent + Money.of("0.10"))
    assert found(ALERT, more) == more
    assert found(replace(ALERT, latest=more), more) is None


def test_a_figure_that_is_back_at_what_was_told_is_kept() -> None:
    more = replace(EVIDENCE, spent=EVIDENCE.spent + Money.of("0.10"))
    assert found(replace(ALERT, latest=more), EVIDENCE) == EVIDENCE


def test_a_forecast_that_cannot_be_made_any_more_leaves_the_last_one() -> None:
    assert found(replace(ALERT, evidence=AHEAD), replace(AHEAD, forecast=None)) is None


def test_a_period_that_is_over_does_not_make_its_crossing_late() -> None:
    assert found(ALERT, replace(EVIDENCE, late=True)) is None


def test_more_failures_of_a_blind_source_are_kept() -> None:
    more = replace(STALE, failures=STALE.failures + 1)
    assert found(STALE_ALERT, more) == more


@pytest.mark.parametrize(
    ("shown", "latest", "reason"),
    [
        (EVIDENCE, replace(EVIDENCE, spent=EVIDENCE.spent + Money.of("0.10")), Reason.GREW),
        (EVIDENCE, replace(EVIDENCE, spent=EVIDENCE.spent - Money.of("0.10")), Reason.RESTATED),
        (RULE, DROP, Reason.RESTATED),
        (STALE, replace(STALE, failures=99), Reason.RESTATED),
    ],
)
def test_an_amendment_says_whether_the_alert_grew(shown: Evidence, latest: Evidence, reason: Reason) -> None:
    event = brought_up_to_date(replace(ALERT, evidence=shown, latest=latest), OPENED)
    assert event is not None
    assert (event.reason, event.alert.evidence, event.alert.latest) == (reason, latest, None)


def test_an_alert_that_told_how_things_stand_is_not_amended() -> None:
    assert brought_up_to_date(ALERT, OPENED) is None
    assert brought_up_to_date(replace(ALERT, latest=EVIDENCE), OPENED) is None
