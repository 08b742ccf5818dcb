"""What a rule would have fired, on a page."""

from __future__ import annotations

from datetime import timedelta

import pytest

from service.domain.access import Role
from service.domain.spend.best_known import Spend, SpendDay
from service.domain.values.money import Money
from service.domain.values.scopes import Cell
from service.workflows.backtest import run_backtest
from service.workflows.ports.spend import Stamp
from tests.api.dashboard.browser import signed_in
from tests.api.stand import ENG, SOURCE, TODAY, Stand, answered

NEWCOMERS = {"name": "newcomers", "kind": "first_seen", "params": {"dimension": "workspace"}}
OTHER = Cell("wrkspc_new", "claude-sonnet-4-5", "apikey_new")


async def joined(stand: Stand) -> str:
    """Twenty days of one workspace; another one comes to it on the last five."""
    await stand.create("/sources", SOURCE)
    async with stand.ports.uow() as uow:
        (source,) = await uow.sources.all()
        for ago in range(20, 0, -1):
            cells = (ENG, OTHER) if ago <= 5 else (ENG,)
            spent = {cell: SpendDay(Spend(billed=Money.of("100.00"))) for cell in cells}
            await uow.facts.store_days(Stamp(source.id, "poll_1", stand.clock()), {TODAY - timedelta(days=ago): spent})
    id: str = (await stand.create("/rules", NEWCOMERS))["id"]
    return id


async def test_a_rule_is_tried_over_what_is_known(stand: Stand) -> None:
    id, opened = await joined(stand), await signed_in(stand)
    sent = await opened.post(f"/pages/rules/{id}/try", data={})
    assert sent.status_code == 303
    results = sent.headers["location"]
    waiting = (await opened.get(results)).text
    assert '<meta http-equiv="refresh" content="2">' in waiting
    assert "0 % of the days are replayed" in waiting
    await run_backtest(stand.ports, results.rpartition("/")[2])
    page = (await opened.get(results)).text
    assert "http-equiv" not in page
    assert "Would have fired once in 20 days" in page
    assert 'title="$100.00"' in page
    assert "min amount $10.00: Would have fired once in 20 days" in page
    assert f'href="/pages/rules/{id}"' in page


async def test_a_viewer_starts_no_replay_and_reads_those_of_others(stand: Stand) -> None:
    id, opened = await joined(stand), await signed_in(stand, Role.VIEWER)
    assert (await opened.post(f"/pages/rules/{id}/try", data={})).status_code == 403
    queued = answered(await stand.operator.post("/v1/backtests", json={"rule": "newcomers"}), 202)
    assert (await opened.get(f"/pages/rules/tried/{queued['id']}")).status_code == 200


async def test_with_nothing_stored_a_page_says_so(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    rule = await stand.create("/rules", NEWCOMERS)
    answer = await (await signed_in(stand)).post(f"/pages/rules/{rule['id']}/try", data={})
    assert answer.status_code == 422
    assert "nothing is stored of this source yet" in answer.text


@pytest.mark.parametrize("subject", ["budget", "nothing"])
async def test_what_is_no_rules_replay_is_not_shown_as_one(stand: Stand, subject: str) -> None:
    await joined(stand)
    id = "bt_gone"
    if subject == "budget":
        id = answered(await stand.operator.post("/v1/backtests", json={"budget": {"amount": "5.00"}}), 202)["id"]
    assert (await (await signed_in(stand)).get(f"/pages/rules/tried/{id}")).status_code == 404
