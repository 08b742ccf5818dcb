from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

from service.domain.alerts.evidence import IncompleteEvidence
from service.domain.alerts.findings import Condition, Finding
from service.domain.alerts.flaws import assess_flaws, flaw_fingerprint
from service.domain.spend.flaws import Flaw, FlawKind
from service.domain.values.money import Money
from tests.factories import claude_source, resource, utc

NOW = utc("2026-11-16T12:00")
SOURCE = resource("src_1", claude_source())
BILL = Flaw(FlawKind.EMPTY_BILL, date(2026, 11, 14), NOW - timedelta(hours=3))
TOTAL = Flaw(
    *(FlawKind.TOTAL_DIFFERS, date(2026, 11, 13), NOW - timedelta(hours=2)),
    known=Money.of("10.00"),
    total=Money.of("12.50"),
)


def found(*flaws: Flaw, quiet: frozenset[str] = frozenset(), read_at: datetime | None = NOW) -> list[Finding]:
    read = dict.fromkeys(FlawKind, read_at) if read_at else {}
    return assess_flaws(SOURCE, flaws, is_quiet=quiet.__contains__, open_alerts=(), now=NOW, read_at=read)


def test_a_flaw_that_has_just_begun_is_not_heard_of() -> None:
    assert found(replace(BILL, since=NOW - timedelta(hours=2))) == []


def test_a_flaw_that_nobody_has_looked_at_again_may_be_over() -> None:
    """Two reports are never of one instant: a bill that is restated between them differs once from its total."""
    assert found(BILL, TOTAL, read_at=BILL.since + timedelta(minutes=5)) == []
    assert found(BILL, TOTAL, read_at=None) == []
    assert len(found(BILL, TOTAL, read_at=NOW - timedelta(hours=1))) == 1


def test_the_days_of_one_flaw_are_one_alert_and_another_flaw_is_another() -> None:
    more = replace(BILL, day=date(2026, 11, 12))
    bill, total = found(BILL, more, TOTAL)
    assert isinstance(bill.evidence, IncompleteEvidence)
    assert isinstance(total.evidence, IncompleteEvidence)
    assert bill.evidence.days == (date(2026, 11, 12), date(2026, 11, 14))
    assert (total.evidence.known, total.evidence.total) == (Money.of("10.00"), Money.of("12.50"))
    assert bill.condition is total.condition is Condition.FIRES


def test_a_day_that_no_poll_reads_any_more_is_left_out() -> None:
    assert found(replace(BILL, day=date(2026, 10, 10))) == []


def test_what_a_person_resolved_stays_quiet() -> None:
    assert found(BILL, quiet=frozenset({flaw_fingerprint("src_1", FlawKind.EMPTY_BILL)})) == []
