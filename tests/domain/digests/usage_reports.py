"""A usage report of one Saturday, for tests and for the document of messages."""

from __future__ import annotations

from dataclasses import replace

from service.domain.digests.alerts import Tally
from service.domain.digests.digest import Digest, DigestContent, DigestPlan, Figures, Occasion, build
from service.domain.digests.usage import Freshness, PaidFor, UsageReport, models_of, same_weekdays
from service.domain.sources.commitment import PriorityCommitment, PriorityUse
from service.domain.spend.best_known import Spend
from service.domain.spend.completeness import BucketState
from service.domain.spend.tokens import TokenCounts
from service.domain.values.money import Money
from service.domain.values.names import Names
from service.domain.values.periods import Window
from service.domain.values.scopes import Cell
from tests.factories import utc

SATURDAY = Window(utc("2026-11-28"), utc("2026-11-29"))
BEFORE = Window(utc("2026-11-21"), utc("2026-11-22"))
NOVEMBER = Window(utc("2026-11-01"), utc("2026-12-01"))
ENG = Cell("wrkspc_eng", "claude-sonnet-5", "apikey_ci")
NOVEL = Cell("wrkspc_eng", "claude-novel", "")
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
        days=SATURDAY,
        paid_for=(PaidFor("tokens", Money.of("290.00")), PaidFor("web search", Money.of("10.00"))),
        keyless=(PaidFor("Workbench and signed-in use", Money.of("3.20")),),
        priority=USED,
        freshness=Freshness(utc("2026-11-28"), utc("2026-11-29T06:00"), {BucketState.LATE: 0, BucketState.OPEN: 1}),
        csv="",
    )


def day_of(usage: UsageReport, names: Names) -> Digest:
    plan = DigestPlan("src_1", "rcv_1", "0 7 * * *", content=DigestContent.USAGE)
    built = build(plan, Occasion("daily usage", SATURDAY, BEFORE, names), Figures(NOW, THEN), (), Tally())
    return replace(built, usage=usage)
