"""What has no price, one's own prices and how each stands, and what applies."""

from __future__ import annotations

import re
from html import unescape

from service.domain.access import Role
from service.domain.spend.best_known import EstimatedDay
from service.domain.values.scopes import Cell
from tests.api.dashboard.browser import signed_in
from tests.api.stand import ENG, SOURCE, Stand, answered

PLACE = "/pages/prices"
OUTPUT = {"name": "mine", "model": "claude-sonnet-4-5", "measure": "output_tokens", "usd": "12.00"}
SINCE = {"valid_from": "2026-11-01T00:00:00Z"}
NEXT = Cell("wrkspc_eng", "claude-next-9", "apikey_ci")


def badges(page: str) -> dict[str, str]:
    """How each price of one's own stands, in the order of the list."""
    return dict(re.findall(r'<h2><a [^>]*>([^<]+)</a> <span class="badge \w+">([^<]+)</span>', page))


async def test_a_model_without_a_price_leads_to_a_form_for_each_kind_of_its_tokens(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    await stand.spend(NEXT, "0.00", estimate=EstimatedDay(unpriced_tokens=5_000_000))
    opened = await signed_in(stand, Role.ADMIN)
    assert "5.0M tokens have no price" in (await opened.get("/pages/spend")).text
    page = (await opened.get(PLACE)).text
    assert "<b>5.0M tokens of claude-next-9 have no price.</b>" in page
    forms = re.findall(r'<a href="(/pages/prices/new\?[^"]+)">([^<]+)</a>', page)
    assert [words for _, words in forms][:2] == ["Input", "Output"]
    assert len(forms) == 5
    form = (await opened.get(unescape(forms[1][0]))).text
    assert 'value="claude-next-9"' in form
    assert '<option value="output_tokens" selected>' in form
    assert 'value="2026-11-01 00:00"' in form
    await stand.create("/prices", OUTPUT | SINCE | {"model": "claude-next-9"})
    forms = re.findall(r"/pages/prices/new\?[^\"]+", (await opened.get(PLACE)).text)
    assert len(forms) == 4, "what is set is not asked for again"


async def test_each_price_says_how_it_stands_and_what_applies_says_whose_it_is(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    await stand.spend(ENG, "1.00")
    over = SINCE | {"name": "over", "valid_to": "2026-11-10T00:00:00Z"}
    for more in (over, SINCE | {"name": "first"}, SINCE, {"name": "ahead", "valid_from": "2026-12-01T00:00:00Z"}):
        await stand.create("/prices", OUTPUT | more)
    page = (await (await signed_in(stand, Role.ADMIN)).get(PLACE)).text
    standing = {"mine": "applies", "first": "a later one counts", "ahead": "begins later", "over": "over"}
    assert badges(page) == standing
    assert list(badges(page)) == list(standing)
    assert "<dt>Output</dt><dd>$12.00 <span" in page
    assert "yours, since 2026-11-01" in page
    assert "<dt>Input</dt><dd>$3.00</dd>" in page


async def test_a_price_ends_now_and_the_one_before_applies_again(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    await stand.spend(ENG, "1.00")
    first = await stand.create("/prices", OUTPUT | SINCE | {"name": "first"})
    later = await stand.create("/prices", OUTPUT | SINCE)
    opened = await signed_in(stand, Role.ADMIN)
    for _ in range(2):
        assert (await opened.post(f"{PLACE}/{later['id']}/end")).status_code == 303, "also where it is over already"
    assert badges((await opened.get(PLACE)).text) == {"first": "applies", "mine": "over"}
    assert answered(await stand.viewer.get(f"/v1/prices/{first['id']}"))["valid_to"] is None
    event = answered(await stand.admin.get("/v1/audit-events"))["items"][0]
    assert (event["action"], event["subject"]) == ("price.change", later["id"])
    ahead = await stand.create("/prices", OUTPUT | {"name": "ahead", "valid_from": "2026-12-01T00:00:00Z"})
    await opened.post(f"{PLACE}/{ahead['id']}/end")
    assert answered(await stand.viewer.get(f"/v1/prices/{ahead['id']}")) == ahead, "what has not begun is deleted"


async def test_whoever_is_no_admin_sees_prices_and_changes_none(stand: Stand) -> None:
    price = await stand.create("/prices", OUTPUT | SINCE)
    opened = await signed_in(stand)
    page = (await opened.get(PLACE)).text
    assert "mine" in page
    assert f"{PLACE}/" not in page
    assert (await opened.post(f"{PLACE}/{price['id']}/end")).status_code == 403
    assert answered(await stand.viewer.get(f"/v1/prices/{price['id']}")) == price
