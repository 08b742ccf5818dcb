"""What a usage report says, and its file."""

from __future__ import annotations

import csv
from dataclasses import replace

from service.domain.digests.alerts import Tally
from service.domain.digests.digest import DigestContent, DigestPlan, Figures, Occasion, build
from service.domain.digests.phrases import digest_message
from service.domain.digests.usage import (
    Freshness,
    PaidFor,
    UsageReport,
    models_of,
    same_weekdays,
    usage_csv,
    utc_days,
)
from service.domain.notify.notification import Message
from service.domain.sources.commitment import PriorityCommitment, PriorityUse
from service.domain.spend.best_known import Spend
from service.domain.spend.completeness import BucketState
from service.domain.spend.tokens import TokenCounts
from service.domain.values.money import Money
from service.domain.values.periods import Window
from service.domain.values.scopes import Cell, Dimension, ScopeKey
from tests.factories import utc

SATURDAY = Window(utc("2026-11-28"), utc("2026-11-29"))
BEFORE = Window(utc("2026-11-21"), utc("2026-11-22"))
NOVEMBER = Window(utc("2026-11-01"), utc("2026-12-01"))
ENG = Cell("wrkspc_eng", "claude-sonnet-5", "apikey_ci")
NOVEL = Cell("wrkspc_eng", "claude-novel", "")
EVIL = "=HYPERLINK(0)"
NAMES = {ScopeKey(Dimension.WORKSPACE, "wrkspc_eng"): EVIL}
NOW = {ENG: Spend(billed=Money.of("300.00"))}
THEN = {ENG: Spend(billed=Money.of("250.00"))}
TOKENS = {
    ENG: TokenCounts(uncached=200_000_000, read=800_000_000, output=90_000_000),
    NOVEL: TokenCounts(output=1_200_000, unpriced=1_200_000),
}
USED = PriorityUse(NOVEMBER, 300_000_000, Money.of("900.00"), PriorityCommitment(tokens=500_000_000))


def report() -> UsageReport:
    return UsageReport(
        models=models_of(NOW, THEN, TOKENS),
        weekdays=tuple((day, Money.of("250.00")) for day in same_weekdays(SATURDAY, "UTC")[:2]),
        paid_for=(PaidFor("tokens", Money.of("290.00")), PaidFor("web search", Money.of("10.00"))),
        keyless=(PaidFor("Workbench and signed-in use", Money.of("3.20")),),
        priority=USED,
        freshness=Freshness(utc("2026-11-28"), utc("2026-11-29T06:00"), {BucketState.LATE: 0, BucketState.OPEN: 1}),
        csv="",
    )


def said(usage: UsageReport) -> Message:
    plan = DigestPlan("src_1", "rcv_1", "0 7 * * *", content=DigestContent.USAGE)
    built = build(plan, Occasion("usage", SATURDAY, BEFORE, NAMES), Figures(NOW, THEN), (), Tally())
    return digest_message(replace(built, usage=usage), "dgr_1", "https://tocsin.example.com")


def test_a_day_is_compared_with_the_same_weekday() -> None:
    message = said(report())
    facts = dict(message.facts)
    assert message.headline == "Sat 28 Nov: $300, up 20% (+$50.00) vs Sat 21 Nov"
    assert facts["Spent"] == "$300.00, billed; $250.00 on Sat 21 Nov"
    assert facts["Same weekday"] == ("$250 on Sat 21 Nov, $250 on Sat 14 Nov; median $250: this day is 20% above")


def test_models_have_their_tokens_and_those_without_a_price_are_the_next_step() -> None:
    message = said(report())
    facts = dict(message.facts)
    assert facts["Models"] == (
        "claude-sonnet-5 $300 (100%, +$50.00): 1.1B tokens (80% of the input cached, 90.0M output)\n"
        "claude-novel $0.00 (0%): 1.2M tokens (1.2M output)"
    )
    assert facts["Without a price"] == "claude-novel 1.2M tokens"
    assert message.next_step.startswith("Set a price for claude-novel")


def test_what_was_paid_for_the_priority_tier_and_freshness_have_a_line_each() -> None:
    facts = dict(said(report()).facts)
    assert facts["Paid for"] == "tokens $290, web search $10.00"
    assert facts["Without an API key"] == "Workbench and signed-in use $3.20"
    assert facts["Priority Tier"] == "300.0M of the 500.0M tokens committed for November are used, 200.0M left"
    assert facts["Known"] == "billed until 28 Nov 00:00 UTC; usage until 29 Nov 06:00 UTC; 1 day open"
    assert facts["Up most"].startswith(f"workspace {EVIL} +$50.00")


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
