"""A session that ends while somebody fills in a form: they sign in, and the form is as they left it."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest

from service.domain.access import Role
from tests.api.dashboard.browser import signed_in
from tests.api.dashboard.test_alerts import fired, of_rest
from tests.api.stand import Stand

NOTE = 'a "batch" job & <b>more</b>\N{EURO SIGN}'


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of a page's form."""
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page)
    return {unescape(name): unescape(value) for name, value in found}


async def test_a_form_is_kept_while_one_signs_in_again(stand: Stand) -> None:
    alert, opened = await fired(stand), await signed_in(stand)
    address = f"/pages/alerts/{alert['id']}"
    stand.clock.advance(timedelta(hours=12))
    asked = await opened.post(address, data={"answer": "acknowledge", "note": NOTE})
    assert asked.status_code == 403
    assert "What you have filled in is kept" in asked.text
    wrong = await opened.post("/sign-in", data={**hidden(asked.text), "token": "tcn_FAKE-of-nobody"})
    back = await opened.post("/sign-in", data={**hidden(wrong.text), "token": "tcn_FAKE-operator-token-of-the-tests"})
    assert f'action="{address}"' in back.text
    assert (await of_rest(stand, alert["id"]))["state"] == "firing", "nothing happens before one says so again"
    sent = await opened.post(address, data=hidden(back.text))
    assert (sent.status_code, sent.headers["location"]) == (303, address)
    assert (await of_rest(stand, alert["id"]))["events"][-1]["note"] == NOTE


@pytest.mark.parametrize("next", ["//evil.example", "https://evil.example/pages"])
async def test_a_kept_form_goes_nowhere_else(stand: Stand, next: str) -> None:
    opened = await signed_in(stand, Role.VIEWER)
    fields = {"next": next, "kept": "answer=resolve", "token": "tcn_FAKE-operator-token-of-the-tests"}
    assert 'action="/"' in (await opened.post("/sign-in", data=fields)).text


async def test_another_sites_form_is_not_kept(stand: Stand) -> None:
    alert, opened = await fired(stand), await signed_in(stand)
    stand.clock.advance(timedelta(hours=12))
    elsewhere = {"Origin": "http://evil.example"}
    answer = await opened.post(f"/pages/alerts/{alert['id']}", data={"answer": "resolve"}, headers=elsewhere)
    assert answer.status_code == 403
    assert "kept" not in answer.text
