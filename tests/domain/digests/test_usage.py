"""What a usage report says, and its file."""

from __future__ import annotations

import csv
from dataclasses import replace

from service.domain.digests.phrases import digest_message
from service.domain.digests.usage import UsageReport, same_weekdays, usage_csv, utc_days
from service.domain.notify.notification import Message
from service.domain.sources.commitment import PriorityCommitment, PriorityUse
from service.domain.values.money import Money
from service.domain.values.periods import Window
from service.domain.values.scopes import Dimension, ScopeKey
from tests.domain.digests.usage_reports import NOVEMBER, NOW, SATURDAY, THEN, TOKENS, USED, day_of, report
from tests.factories import utc

EVIL = "=HYPERLINK(0)"
NAMES = {ScopeKey(Dimension.WORKSPACE, "wrkspc_eng"): EVIL}


def said(usage: UsageReport) -> Message:
    return digest_message(day_of(usage, NAMES), "dgr_1", "https://tocsin.example.com")


def test_a_day_is_compared_with_the_same_weekday() -> None:
    message = said(report())
    facts = dict(message.facts)
    assert message.headline == "Sat 28 Nov: $300, up 20% (+$50.00) vs Sat 21 Nov"
    assert facts["Spent"] == "$300.00, billed; $250.00 on Sat 21 Nov"
    assert facts["Same weekday"] == ("$250 on Sat 21 Nov, $250 on Sat 14 Nov; median $250: this day is 20% above")


def test_a_day_that_is_not_known_in_full_stands_beside_its_weekdays_without_a_comparison() -> None:
    message = digest_message(replace(day_of(report(), NAMES), unknown_days=1), "dgr_1", "")
    assert dict(message.facts)["Same weekday"] == "$250 on Sat 21 Nov, $250 on Sat 14 Nov; median $250"


def test_models_have_their_tokens_and_those_without_a_price_are_the_next_step() -> None:
    message = said(report())
    facts = dict(message.facts)
    assert facts["Models"] == (
        "claude-sonnet-5 $300 (100%, +$50.00): 1.1B tokens (80% of input cached, 90.0M output)\n"
        "claude-novel $0.00 (0%): 1.2M tokens (1.2M output)"
    )
    assert facts["Without a price"] == "claude-novel 1.2M tokens"
    assert message.next_step.startswith("Set a price for claude-novel")


def test_what_was_paid_for_the_priority_tier_and_freshness_have_a_line_each() -> None:
    facts = dict(said(report()).facts)
    assert facts["Paid for"] == "tokens $290, web search $10.00"
    assert facts["Without an API key"] == "Workbench and signed-in use $3.20"
    assert facts["Priority Tier"] == "300.0M of the 500.0M tokens committed for November are used, 200.0M left"
    assert facts["Known"] == "billed until 00:00 UTC, Sat 28 Nov; usage until 06:00 UTC, Sun 29 Nov; 1 day open"
    berlin = dict(said(replace(report(), days=Window(utc("2026-11-27"), utc("2026-11-29")))).facts)
    assert berlin["Paid for, by UTC days"] == facts["Paid for"]
    assert facts["Moved most"].startswith(f"workspace {EVIL} +$50.00")


def test_beyond_a_commitment_and_without_one() -> None:
    beyond = replace(USED, commitment=PriorityCommitment(usd=Money.of("800.00")))
    assert dict(said(replace(report(), priority=beyond)).facts)["Priority Tier"] == (
        "$900 (estimated) of the $800 committed for November are used, $100 beyond"
    )
    none = replace(USED, commitment=None)
    assert dict(said(replace(report(), priority=none)).facts)["Priority Tier"] == (
        "300.0M tokens in November, $900 estimated; they are in no bill"
    )
    assert "Priority Tier" not in dict(said(replace(report(), priority=PriorityUse(NOVEMBER))).facts)


def test_the_file_has_a_row_a_cell_and_no_formula() -> None:
    rows = list(csv.DictReader(usage_csv(SATURDAY, NOW, THEN, TOKENS, NAMES).splitlines()))
    assert [(row["model"], row["amount_usd"], row["before_usd"], row["output_tokens"]) for row in rows] == [
        ("claude-novel", "0.00", "0.00", "1200000"),
        ("claude-sonnet-5", "300.00", "250.00", "90000000"),
    ]
    assert rows[0]["workspace"] == f"'{EVIL}"
    assert (rows[0]["unpriced_tokens"], rows[0]["api_key"]) == ("1200000", "")


def test_weekdays_follow_the_wall_over_a_clock_change_and_bills_the_dates() -> None:
    monday = Window(utc("2026-10-25T23:00"), utc("2026-10-26T23:00"))  # the clocks went back on the Sunday
    assert same_weekdays(monday, "Europe/Berlin")[0] == Window(utc("2026-10-18T22:00"), utc("2026-10-19T22:00"))
    assert same_weekdays(NOVEMBER, "UTC") == []
    assert utc_days(monday, "Europe/Berlin") == Window(utc("2026-10-26"), utc("2026-10-27"))
    assert utc_days(Window(utc("2026-10-26T06:00"), utc("2026-10-26T12:00")), "UTC") is None
