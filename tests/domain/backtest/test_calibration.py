"""What counts as false in a rule's own past, and which setting is proposed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from service.domain.alerts.alert import AlertEvent, Command, Reason
from service.domain.backtest.backtest import Firing
from service.domain.backtest.calibration import CalibratedSetting, Calibration, calibrated, confirmed_days
from service.domain.rules.feedback import Feedback, FeedbackKind
from service.domain.values.money import Money
from service.domain.values.scopes import ORGANISATION, Dimension, ScopeKey
from service.domain.values.severity import Severity
from tests.factories import utc
from tests.sample_alerts import ALERT, RULE, RULE_ALERT

ENG = ScopeKey(Dimension.WORKSPACE, "wrkspc_eng")


def firing(at: datetime, *, raised: bool = False, severity: Severity = Severity.WARNING, lasts: int = 0) -> Firing:
    return Firing(
        at=at,
        day=at.date(),
        scope=ENG,
        name="eng",
        severity=severity,
        raised=raised,
        actual=Money.of("500"),
        expected=Money.of("100"),
        unit="US dollars a day",
        cause="",
        late=False,
        resolved_at=at + timedelta(days=lasts),
    )


def counted(*firings: Firing, real: set[date] | None = None) -> CalibratedSetting:
    return calibrated("sensitivity normal", True, firings, real or set())


def test_what_nobody_has_answered_counts_as_false() -> None:
    found = counted(firing(utc("2026-09-01T10:00")), firing(utc("2026-10-01T10:00")))
    assert (found.alerts, found.confirmed, found.critical) == (2, 0, 0)


def test_an_alert_is_confirmed_by_any_of_its_days() -> None:
    alert = firing(utc("2026-09-01T10:00"), lasts=3)
    assert counted(alert, real={date(2026, 9, 4)}).confirmed == 1
    assert counted(alert, real={date(2026, 9, 5)}).confirmed == 0
    assert counted(alert, real={date(2026, 8, 31)}).confirmed == 0


def test_an_alert_that_was_raised_is_one_as_severe_as_it_became() -> None:
    alert = firing(utc("2026-09-01T10:00"))
    more = firing(utc("2026-09-01T12:00"), raised=True, severity=Severity.CRITICAL)
    assert counted(alert, more) == CalibratedSetting("sensitivity normal", True, 1, 0, 1)
    assert counted(alert, more, real={date(2026, 9, 1)}).critical == 0


def answer(kind: FeedbackKind, first: str, last: str) -> Feedback:
    return Feedback(ORGANISATION, kind, date.fromisoformat(first), date.fromisoformat(last), utc("2026-10-01"))


def test_days_answered_as_fixed_are_real_and_those_called_noise_or_expected_are_not() -> None:
    fixed = answer(FeedbackKind.FIXED, "2026-09-01", "2026-09-03")
    assert confirmed_days("rule_1", [], [fixed]) == {date(2026, 9, 1), date(2026, 9, 2), date(2026, 9, 3)}
    for kind in (FeedbackKind.NOISE, FeedbackKind.EXPECTED):
        dismissed = answer(kind, "2026-09-02", "2026-09-03")
        assert confirmed_days("rule_1", [], [fixed, dismissed]) == {date(2026, 9, 1)}


def test_days_of_an_alert_of_this_rule_that_a_person_acknowledged_are_real() -> None:
    mine = AlertEvent(RULE_ALERT, RULE_ALERT.opened_at, Command.ACKNOWLEDGE, "ada", Reason.PERSON)
    others = (replace(mine, command=Command.RESOLVE), replace(mine, alert=ALERT))
    assert confirmed_days(RULE.rule_id, [mine], []) == set(RULE.days)
    assert confirmed_days("another", [mine], []) == frozenset()
    assert confirmed_days(RULE.rule_id, others, []) == frozenset()
    noise = answer(FeedbackKind.NOISE, RULE.days[0].isoformat(), RULE.days[-1].isoformat())
    assert confirmed_days(RULE.rule_id, [mine], [noise]) == frozenset()


SETTINGS = tuple(
    CalibratedSetting(f"sensitivity {name}", name == "normal", alerts, 1, 0)
    for name, alerts in (("high", 30), ("normal", 12), ("low", 4))
)
MADE = Calibration(3, utc("2026-11-29"), date(2026, 8, 30), date(2026, 11, 28), SETTINGS)


def test_a_rule_above_the_promise_proposes_the_next_setting_that_keeps_it() -> None:
    assert MADE.false_a_quarter(MADE.own) == 11.0
    assert not MADE.keeps(MADE.own)
    assert MADE.proposal == SETTINGS[2]


def test_a_shorter_past_counts_for_a_whole_quarter() -> None:
    assert replace(MADE, first_day=date(2026, 9, 30)).false_a_quarter(MADE.own) == pytest.approx(16.7)


def with_own(alerts: int, critical: int = 0) -> Calibration:
    own = CalibratedSetting("sensitivity normal", True, alerts, 0, critical)
    return replace(MADE, settings=(SETTINGS[0], own, CalibratedSetting("sensitivity low", False, 9, 0, 2)))


def test_a_rule_that_keeps_the_promise_proposes_nothing() -> None:
    assert with_own(6, 1).proposal is None


def test_one_critical_alert_too_many_breaks_it_and_a_setting_that_only_comes_nearer_is_proposed_still() -> None:
    assert not with_own(6, 2).keeps(with_own(6, 2).own)
    nearer = with_own(20, 5).proposal
    assert nearer is not None
    assert nearer.setting == "sensitivity low"
    assert with_own(6, 2).proposal is None, "low gives more"


def test_the_strictest_setting_has_nothing_to_propose() -> None:
    low = replace(SETTINGS[2], configured=True, alerts=50)
    assert replace(MADE, settings=(low,)).proposal is None
