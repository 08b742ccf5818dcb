"""What a budget would have fired, on a page."""

from __future__ import annotations

from datetime import timedelta

from service.domain.access import Role
from service.domain.spend.best_known import Spend, SpendDay
from service.domain.values.money import Money
from service.workflows.backtest import run_backtest
from service.workflows.ports.spend import Stamp
from tests.api.dashboard.browser import signed_in
from tests.api.stand import ENG, SOURCE, TODAY, Stand, answered

EACH_DAY = {
    "name": "eng daily",
    "amount": "100.00",
    "period": {"kind": "daily"},
    "thresholds": [{"percent": 90, "severity": "warning"}],
}


async def stored(stand: Stand) -> str:
    """Twenty days of which three come to more than 90 % of a daily budget."""
    await stand.create("/sources", SOURCE)
    async with stand.ports.uow() as uow:
        (source,) = await uow.sources.all()
        for ago in range(20, 0, -1):
            spent = {ENG: SpendDay(Spend(billed=Money.of("95.00" if 10 <= ago <= 12 else "85.00")))}
            await uow.facts.store_days(Stamp(source.id, "poll_1", stand.clock()), {TODAY - timedelta(days=ago): spent})
    id: str = (await stand.create("/budgets", EACH_DAY))["id"]
    return id


async def test_a_budget_is_tried_over_what_is_known(stand: Stand) -> None:
    id, opened = await stored(stand), await signed_in(stand)
    assert f'action="/pages/budgets/{id}/try"' in (await opened.get(f"/pages/budgets/{id}")).text
    sent = await opened.post(f"/pages/budgets/{id}/try", data={})
    assert sent.status_code == 303, sent.text
    results = sent.headers["location"]
    waiting = (await opened.get(results)).text
    assert '<meta http-equiv="refresh" content="2">' in waiting
    await run_backtest(stand.ports, results.rpartition("/")[2])
    page = (await opened.get(results)).text
    assert "http-equiv" not in page
    assert "Would have fired 3 times in 20 days" in page
    assert "Threshold at 80%. Would have fired 17 times in 20 days" in page
    assert "$100.00 a day (UTC). Nothing was sent to anybody." in page
    assert f'href="/pages/budgets/{id}"' in page


async def test_a_replay_is_cancelled_by_its_button(stand: Stand) -> None:
    id, opened = await stored(stand), await signed_in(stand)
    results = (await opened.post(f"/pages/budgets/{id}/try", data={})).headers["location"]
    assert f'action="{results}/cancel"' in (await opened.get(results)).text
    assert (await opened.post(f"{results}/cancel")).headers["location"] == results
    assert "It could not be replayed: cancelled by " in (await opened.get(results)).text


async def test_a_viewer_reads_the_replays_of_others_by_rest_too(stand: Stand) -> None:
    id, watching = await stored(stand), await signed_in(stand, Role.VIEWER)
    assert "/try" not in (await watching.get(f"/pages/budgets/{id}")).text
    assert (await watching.post(f"/pages/budgets/{id}/try", data={})).status_code == 403
    asked = {"budget": {"amount": "5.00", "name": "made up"}}
    queued = answered(await stand.operator.post("/v1/backtests", json=asked), 202)
    page = await watching.get(f"/pages/budgets/tried/{queued['id']}")
    assert (page.status_code, "made up, tried over the past" in page.text) == (200, True)
    assert (await watching.get(f"/pages/rules/tried/{queued['id']}")).status_code == 404
