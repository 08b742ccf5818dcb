"""A usage report on a real database: the day, the same weekday before it, and the file."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import date

from service.domain.digests.digest import DigestContent, DigestPlan
from service.domain.digests.periods import DigestPeriod
from service.domain.notify.notification import Delivery
from service.domain.sources.commitment import PriorityCommitment
from service.domain.sources.pricing import Measure
from service.domain.spend.flaws import Flaw, FlawKind
from service.domain.spend.rows import PRIORITY_TIER, CostRow, Dimensions, Width
from service.domain.values.money import Money
from service.domain.values.scopes import EVERYTHING, Scope
from service.workflows.configuration.notify import Digests
from service.workflows.configuration.spend import Sources
from service.workflows.digests.deliver import run_due_digests
from tests.factories import utc
from tests.workflows.yard import DAY, HOUR, SONNET, Yard, billed, caller

SUNDAY, WEEK_BEFORE = date(2026, 11, 15), date(2026, 11, 8)
SEARCHES = CostRow(Dimensions("wrkspc_eng", cost_type="web_search"), Money.of("0.50"))


async def sent(yard: Yard, scope: Scope = EVERYTHING) -> Delivery:
    """The report of 13:00 on Monday, 16 November."""
    plan = DigestPlan(
        *(yard.source.id, yard.receiver.id, "0 13 * * *"),
        period=DigestPeriod.PREVIOUS_DAY,
        content=DigestContent.USAGE,
        scope=scope,
    )
    await yard.create(Digests(), "usage", plan)
    yard.clock.advance(HOUR)
    await run_due_digests(yard.ports)
    await yard.settle()
    return yard.channels.sent[-1][1]


async def spent(yard: Yard) -> None:
    yard.reader.bill(WEEK_BEFORE, billed("2.00", workspace="wrkspc_eng"))
    yard.reader.bill(SUNDAY, billed("3.00", workspace="wrkspc_eng"), SEARCHES)
    start = utc("2026-11-15T05:00")
    standard, priority = caller(workspace="wrkspc_eng"), replace(caller(), service_tier=PRIORITY_TIER)
    counts = {Measure.OUTPUT: 1000, Measure.CACHE_READ: 3000}
    yard.reader.use(Width.HOUR, start, (standard, counts), (priority, {Measure.OUTPUT: 40}))
    await yard.poll()


async def test_a_day_stands_beside_the_same_weekday_with_tokens_and_a_file(yard: Yard) -> None:
    await yard.change(Sources(), yard.source, replace(yard.source.spec, priority_commitment=PriorityCommitment(100)))
    await spent(yard)
    delivery = await sent(yard)
    facts = dict(delivery.message.facts)
    assert delivery.message.headline.endswith("Sun 15 Nov: $3.50, up 75% (+$1.50) vs Sun 8 Nov")
    assert facts["Paid for"] == "tokens $3.00, web search $0.50"
    assert "4k tokens (100% of input cached, 1k output" in facts["Models"]
    assert facts["Priority Tier"] == "40 of the 100 tokens committed for November are used, 60 left"
    assert facts["Same weekday"].startswith("$2.00 on Sun 8 Nov")
    assert delivery.attachment is not None
    assert delivery.attachment.name == "tocsin-usage-2026-11-15-2026-11-16.csv"
    rows = list(csv.DictReader(delivery.attachment.text.splitlines()))
    assert sum(Money.of(row["amount_usd"]).usd for row in rows) == Money.of("3.50").usd
    assert {row["priority_tokens"] for row in rows} == {"0", "40"}


async def test_of_the_hour_that_runs_usage_is_known_until_now(yard: Yard) -> None:
    yard.reader.use(Width.HOUR, utc("2026-11-16T13:00"), (caller(workspace="wrkspc_eng"), {Measure.OUTPUT: 1000}))
    await yard.poll()
    facts = dict((await sent(yard)).message.facts)
    assert "usage until 13:00 UTC, Mon 16 Nov" in facts["Known"]


async def test_a_scope_leaves_the_others_out(yard: Yard) -> None:
    yard.reader.bill(SUNDAY, billed("3.00", workspace="wrkspc_eng"), billed("9.00", workspace="wrkspc_ops"))
    await yard.poll()
    delivery = await sent(yard, scope=Scope(workspaces=("wrkspc_eng",)))
    assert dict(delivery.message.facts)["Paid for"] == "tokens $3.00"
    assert delivery.attachment is not None
    assert "wrkspc_ops" not in delivery.attachment.text


def by_product(dollars: str, product: str) -> CostRow:
    row = billed(dollars)
    return replace(row, dimensions=replace(row.dimensions, extra=(("product", product),)))


async def test_of_a_product_it_says_dollars_alone_and_compares_them_with_the_same_product(yard: Yard) -> None:
    yard.reader.bill(WEEK_BEFORE, by_product("2.00", "claude_code"), by_product("7.00", "messages_api"))
    yard.reader.bill(SUNDAY, by_product("3.00", "claude_code"), by_product("9.00", "messages_api"))
    await yard.poll()
    delivery = await sent(yard, scope=Scope(products=("claude_code",)))
    facts = dict(delivery.message.facts)
    assert delivery.message.headline.endswith("product claude_code: $3.00, up 50% (+$1.00) vs Sun 8 Nov")
    assert facts["Same weekday"].startswith("$2.00 on Sun 8 Nov")
    assert facts["Models"] == f"{SONNET} $3.00 (100%, +$1.00)"
    assert "Paid for" not in facts
    assert delivery.attachment is not None
    (row,) = csv.DictReader(delivery.attachment.text.splitlines())
    assert (row["amount_usd"], row["before_usd"], row["output_tokens"]) == ("3.00", "2.00", "")


async def test_a_weekday_that_came_back_empty_and_is_not_believed_is_no_weekday_of_nothing(yard: Yard) -> None:
    for back in (1, 2, 4):
        yard.reader.bill(SUNDAY - back * 7 * DAY, billed("2.00"))
    yard.reader.bill(SUNDAY, billed("3.00"))
    await yard.poll()
    empty = SUNDAY - 21 * DAY
    async with yard.ports.uow() as uow:
        flaw = Flaw(FlawKind.EMPTY_BILL, empty, yard.clock())
        await uow.completeness.note(yard.source.id, FlawKind.EMPTY_BILL, [empty], [flaw])
    said = dict((await sent(yard)).message.facts)["Same weekday"]
    assert said == "$2.00 on Sun 8 Nov, $2.00 on Sun 1 Nov, $2.00 on Sun 18 Oct; median $2.00: this day is 50% above"


async def test_nothing_known_is_said_and_sent_all_the_same(yard: Yard) -> None:
    delivery = await sent(yard)
    facts = dict(delivery.message.facts)
    assert facts["Known"] == "no bill yet; no usage yet; 1 day missing"
    assert "Models" not in facts
