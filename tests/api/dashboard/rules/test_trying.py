"""What a rule would have fired, on a page."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from service.domain.access import Role
from service.domain.backtest.backtest import BacktestState
from service.domain.spend.best_known import Spend, SpendDay
from service.domain.values.money import Money
from service.domain.values.scopes import Cell
from service.workflows.backtest import run_backtest
from service.workflows.ports.spend import Stamp
from tests.api.dashboard.browser import signed_in
from tests.api.dashboard.budgets.test_editing import fields
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
    assert "It waits for a worker: reading, evaluating and notifying go first." in waiting
    await run_backtest(stand.ports, results.rpartition("/")[2])
    page = (await opened.get(results)).text
    assert "http-equiv" not in page
    assert "Would have fired once in 20 days" in page
    assert 'title="$100.00"' in page
    assert "Least excess, US dollars: $10.00. Would have fired once in 20 days" in page
    assert f'href="/pages/rules/{id}"' in page


async def test_a_replay_that_waits_says_behind_what(stand: Stand) -> None:
    id, opened = await joined(stand), await signed_in(stand)
    first = answered(
        await stand.operator.post("/v1/backtests", json={"budget": {"amount": "5.00", "name": "org"}}), 202
    )
    second = answered(await stand.operator.post("/v1/backtests", json={"rule": "newcomers"}), 202)
    third = (await opened.post(f"/pages/rules/{id}/try", data={})).headers["location"]
    async with stand.ports.uow() as uow:
        running = replace(await uow.backtests.get(first["id"]), state=BacktestState.RUNNING, progress=0.4)
        await uow.backtests.save(running)
    said = "It waits behind the backtest of org, of which 40 % is done"
    assert f"{said}." in (await opened.get(f"/pages/rules/tried/{second['id']}")).text
    assert f"{said}, and 1 more." in (await opened.get(third)).text
    ahead = [answered(await stand.viewer.get(f"/v1/backtests/{one['id']}"))["ahead"] for one in (first, second)]
    assert ahead == [None, 1]


async def test_a_replay_is_cancelled_by_its_button(stand: Stand) -> None:
    id, opened = await joined(stand), await signed_in(stand)
    results = (await opened.post(f"/pages/rules/{id}/try", data={})).headers["location"]
    assert f'action="{results}/cancel"' in (await opened.get(results)).text
    watching = await signed_in(stand, Role.VIEWER)
    assert "/cancel" not in (await watching.get(results)).text
    assert (await watching.post(f"{results}/cancel")).status_code == 403
    for _ in ("it waits", "it is over"):
        sent = await opened.post(f"{results}/cancel")
        assert (sent.status_code, sent.headers["location"]) == (303, results)
    assert "It could not be replayed: cancelled by " in (await opened.get(results)).text


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


async def test_a_form_is_tried_then_set_to_what_was_found_and_saved(stand: Stand) -> None:
    id, opened = await joined(stand), await signed_in(stand, Role.ADMIN)
    edit = f"/pages/rules/{id}/edit"
    form = fields((await opened.get(edit)).text) | {"/name": "strangers", "/gates/min_amount": "500.00"}
    sent = await opened.post("/pages/rules/try", data=form)
    assert sent.status_code == 303, sent.text
    results = sent.headers["location"]
    await run_backtest(stand.ports, results.rpartition("/")[2].partition("?")[0])
    page = (await opened.get(results)).text
    assert "Would not have fired in 20 days" in page
    assert fields(page)["/gates/min_amount"] == "500.00"
    assert answered(await stand.viewer.get(f"/v1/rules/{id}"))["version"] == 1, "a trial stores nothing"
    query = {"rule": id, "seen": "1", "setting": "min amount $50.00"}
    set_to_it = fields((await opened.get(results.partition("?")[0], params=query)).text)
    assert set_to_it["/gates/min_amount"] == "50.00"
    saved = await opened.post(edit, data=set_to_it)
    assert saved.status_code == 303, saved.text
    rule = answered(await stand.viewer.get(f"/v1/rules/{id}"))
    assert (rule["name"], rule["gates"]["min_amount"]) == ("strangers", "50.00")
    outdated = await opened.post(edit, data=set_to_it | {"/gates/min_amount": "70.00"})
    assert outdated.status_code == 409, "the results are of the version that was tried"


async def test_a_new_rule_is_tried_before_it_is_stored(stand: Stand) -> None:
    await joined(stand)
    opened = await signed_in(stand, Role.ADMIN)
    form = fields((await opened.get("/pages/rules/new?kind=first_seen")).text)
    sent = await opened.post("/pages/rules/try", data=form)
    assert sent.status_code == 303, sent.text
    await run_backtest(stand.ports, sent.headers["location"].rpartition("/")[2])
    filled = fields((await opened.get(sent.headers["location"])).text)
    made = await opened.post("/pages/rules/new?kind=first_seen", data=filled | {"/name": "mine"})
    assert made.status_code == 303, made.text
    refused = await opened.post("/pages/rules/try", data=form | {"/params/within_days": "many"})
    assert refused.status_code == 422
    assert "many" in refused.text


@pytest.mark.parametrize("kind", ["of another release", ""])
async def test_a_form_of_no_known_kind_comes_back_with_what_is_wrong(stand: Stand, kind: str) -> None:
    await joined(stand)
    opened = await signed_in(stand, Role.ADMIN)
    form = fields((await opened.get("/pages/rules/new?kind=first_seen")).text) | {"/name": "mine", "/kind": kind}
    for address in ("/pages/rules/try", "/pages/rules/new?kind=first_seen"):
        sent = await opened.post(address, data=form)
        assert (sent.status_code, fields(sent.text)["/name"]) == (422, "mine")


async def test_results_stay_when_the_rule_is_deleted_and_its_form_makes_one(stand: Stand) -> None:
    id, opened = await joined(stand), await signed_in(stand, Role.ADMIN)
    form = fields((await opened.get(f"/pages/rules/{id}/edit")).text)
    of_form = await opened.post("/pages/rules/try", data=form)
    of_rule = await opened.post(f"/pages/rules/{id}/try", data={})
    for sent in (of_form, of_rule):
        await run_backtest(stand.ports, sent.headers["location"].rpartition("/")[2].partition("?")[0])
    assert (await opened.post(f"/pages/rules/{id}/delete", data=form)).status_code == 303
    for sent in (of_form, of_rule):
        page = (await opened.get(sent.headers["location"])).text
        assert "Would have fired once in 20 days" in page
        assert f'href="/pages/rules/{id}"' not in page
    made = await opened.post("/pages/rules/new?kind=first_seen", data=fields(page))
    assert made.status_code == 303, made.text


async def written(stand: Stand) -> list[str]:
    return [event["action"] for event in answered(await stand.admin.get("/v1/audit-events"))["items"]]


@pytest.mark.parametrize("of", ["a stored rule", "a new one"])
async def test_an_operator_tries_a_form_and_saves_nothing(stand: Stand, of: str) -> None:
    id, opened = await joined(stand), await signed_in(stand)
    address = f"/pages/rules/{id}/edit" if of == "a stored rule" else "/pages/rules/new?kind=first_seen"
    page = (await opened.get(address)).text
    assert "Trying stores nothing." in page
    assert not re.search("(Save|Create|Delete for good)</button>", page)
    form = fields(page) | {"/gates/min_amount": "500.00"}
    before = await written(stand)
    sent = await opened.post("/pages/rules/try", data=form)
    assert sent.status_code == 303, sent.text
    results = sent.headers["location"]
    await run_backtest(stand.ports, results.rpartition("/")[2].partition("?")[0])
    found = (await opened.get(results)).text
    assert "Would not have fired in 20 days" in found
    assert fields(found)["/gates/min_amount"] == "500.00"
    assert await written(stand) == ["backtest.create", *before], "a trial stores the backtest alone"
    assert (await opened.post(address, data=form | {"/name": "mine"})).status_code == 403
    assert [one["version"] for one in answered(await stand.viewer.get("/v1/rules"))["items"]] == [1]


async def test_a_viewer_opens_no_form_and_tries_none(stand: Stand) -> None:
    id, opened = await joined(stand), await signed_in(stand, Role.VIEWER)
    assert (await opened.get(f"/pages/rules/{id}/edit")).status_code == 403
    assert (await opened.post("/pages/rules/try", data={"/kind": "first_seen"})).status_code == 403
    assert "/pages/rules/new" not in (await opened.get("/pages/rules")).text
