from __future__ import annotations

from structlog.testing import capture_logs

from service.workflows.ports.outages import Outages, RecurringDefects


def test_an_outage_is_a_line_when_it_begins_seldom_while_it_lasts_and_one_at_its_end() -> None:
    outages = Outages()
    with capture_logs() as lines:
        for _ in range(1000):
            outages.failed("database", "it is\naway")
        outages.worked("database")
    assert [(line["event"], line.get("failures", 1)) for line in lines] == [
        ("outage_begins", 1),
        ("outage_lasts", 8),
        ("outage_lasts", 64),
        ("outage_lasts", 512),
        ("outage_ends", 1000),
    ]
    assert lines[0]["reason"] == "it is away", "one line"


def test_what_works_has_no_line() -> None:
    with capture_logs() as lines:
        Outages().worked("database")
    assert lines == []


def test_each_system_has_its_own_outage() -> None:
    outages = Outages()
    with capture_logs() as lines:
        outages.failed("database", "away")
        outages.failed("heartbeat", "HTTP 500")
        outages.worked("heartbeat")
    assert [(line["event"], line["system"]) for line in lines] == [
        ("outage_begins", "database"),
        ("outage_begins", "heartbeat"),
        ("outage_ends", "heartbeat"),
    ]


def test_what_works_now_and_then_is_one_outage_until_it_works_often_enough_in_a_row() -> None:
    outages = Outages()
    with capture_logs() as lines:
        for _ in range(5):
            outages.failed("database", "slow")
            outages.worked("database", calm=2)
        outages.worked("database", calm=2)
    assert [line["event"] for line in lines] == ["outage_begins", "outage_ends"]


def test_a_defect_that_comes_back_is_a_line_seldom_and_another_one_at_once() -> None:
    defects = RecurringDefects()
    told = [number for number in range(1, 101) if defects.is_worth_a_line("bdg_1", "no zone")]
    assert told == [1, 8, 64]
    assert defects.is_worth_a_line("bdg_1", "no amount")
    assert defects.is_worth_a_line("bdg_2", "no zone")
