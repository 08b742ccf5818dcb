"""Lists of 1,100: every row is reached by links alone, forwards and back, and filters stay."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from html import unescape

import pytest
from httpx import AsyncClient

from service.domain.access import Role
from service.domain.notify.channels.console import Console
from service.domain.notify.receivers import Receiver
from service.domain.notify.routing.matchers import Matcher, Op
from service.domain.notify.routing.silences import Silence
from service.domain.values.resources import Resource, new_id
from tests.api.alerts.test_feedback import opened as opened_by_a_rule
from tests.api.dashboard.browser import signed_in
from tests.api.stand import Stand
from tests.sample_alerts import RULE

MANY = 1_100
LISTS = ("alerts", "receivers", "silences", "rules", "sources", "budgets", "rotas", "escalation", "digests", "prices")


async def walk(opened: AsyncClient, address: str, link: str) -> list[str]:
    """Returns the pages from an address on, by the links of that relation."""
    pages = []
    while address:
        page = await opened.get(address)
        assert page.status_code == 200, page.text
        pages.append(page.text)
        found = re.search(rf'<a rel="{link}" href="([^"]+)"', page.text)
        address = unescape(found[1]) if found else ""
    return pages


def names(page: str) -> list[str]:
    return re.findall(r"<h2>(?:<a [^>]*>)?((?:r|s)\d{4})", page)


async def receivers(stand: Stand) -> None:
    async with stand.ports.uow() as uow:
        for n in range(MANY):
            spec = Receiver((Console(),))
            at = stand.clock()
            await uow.receivers.add(Resource(new_id("rcv", at), f"r{n:04}", 1, at, at, {}, spec))


async def test_1100_receivers_are_reached_by_links_and_back(stand: Stand) -> None:
    await receivers(stand)
    opened = await signed_in(stand, Role.ADMIN)
    there = await walk(opened, "/pages/receivers", "next")
    assert [name for page in there for name in names(page)] == [f"r{n:04}" for n in range(MANY)]
    assert all("50 on this page" in page for page in there)
    (last,) = re.findall(r'rel="prev" href="([^"]+)"', there[-1])
    back = await walk(opened, unescape(last), "prev")
    assert [names(page) for page in back] == [names(page) for page in reversed(there[:-1])]


async def test_a_receiver_far_down_the_list_is_tested_where_it_stands(stand: Stand) -> None:
    await receivers(stand)
    opened = await signed_in(stand, Role.ADMIN)
    (second,) = re.findall(r'rel="next" href="([^"]+)"', (await opened.get("/pages/receivers")).text)
    (test,) = re.findall(r'(/pages/receivers/\w+/test[^"]*)"', (await opened.get(unescape(second))).text)[:1]
    answer = (await opened.post(unescape(test))).text
    assert (names(answer)[0], "took it." in answer) == ("r0050", True)


async def test_silences_that_run_come_before_those_that_are_over(stand: Stand) -> None:
    now = stand.clock()
    async with stand.ports.uow() as uow:
        for n in range(MANY):
            over = n < MANY - 10
            ends = now + (-timedelta(hours=1) if over else timedelta(days=1))
            matchers = (Matcher("severity", Op.EQUAL, "info"),)
            spec = Silence(matchers=matchers, starts_at=now - timedelta(days=1), ends_at=ends, author="token:x")
            await uow.silences.add(Resource(new_id("sil", now), f"s{n:04}", 1, now, now, {}, spec))
    opened = await signed_in(stand)
    pages = await walk(opened, "/pages/silences", "next")
    found = [name for page in pages for name in names(page)]
    assert found[:10] == [f"s{n:04}" for n in range(MANY - 10, MANY)]
    assert sorted(found) == [f"s{n:04}" for n in range(MANY)]


async def test_links_keep_which_alerts_were_asked_for(stand: Stand) -> None:
    shown = await opened_by_a_rule(stand)
    async with stand.ports.uow() as uow:
        (event,) = await uow.alerts.events(shown["id"])
        for n in range(60):
            rule = "rul_other" if n % 2 else shown["evidence"]["rule_id"]
            evidence = replace(RULE, rule_id=rule)
            alert = replace(event.alert, id=f"alert_x{n:02}", fingerprint=f"rule:{n}", evidence=evidence)
            await uow.alerts.save(replace(event, alert=alert))
    opened = await signed_in(stand)
    pages = await walk(opened, "/pages/alerts?all=true&rule=rul_other", "next")
    assert [re.findall(r"/pages/alerts/(alert_\w+)", page) for page in pages] == [
        [f"alert_x{n:02}" for n in range(59, 9, -2)],
        [f"alert_x{n:02}" for n in range(9, 0, -2)],
    ]
    assert all("All alerts of rule rul_other" in page for page in pages)
    assert len(await walk(opened, "/pages/alerts", "next")) == 3, "61 of all"


@pytest.mark.parametrize(
    "place", ["alerts", "receivers", "silences", "rules", "sources", "budgets", "rotas", "prices", "slack-users"]
)
async def test_a_cursor_of_another_list_is_a_page_that_says_so(stand: Stand, place: str) -> None:
    opened = await signed_in(stand)
    if place in ("rules", "budgets"):
        await stand.create("/sources", {"name": "production", "admin_key": "sk-ant-admin01-FAKE-production"})
    answer = await opened.get(f"/pages/{place}?cursor=dG9rZW5zPnRva18x")
    assert (answer.status_code, "this cursor is not one that this list answered with" in answer.text) == (422, True)
