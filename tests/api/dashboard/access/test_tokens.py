"""Tokens by their page: shown once, revoked, and all of it in the audit log."""

from __future__ import annotations

import re

from service.domain.access import Role
from tests.api.dashboard.browser import signed_in
from tests.api.stand import Stand, answered, client


async def test_a_token_is_shown_once_works_and_is_revoked(stand: Stand) -> None:
    opened = await signed_in(stand, Role.ADMIN)
    answer = await opened.post("/pages/tokens", data={"/name": "<deploy>", "/role": "operator"})
    (secret,) = re.findall(r"tcn_[\w-]{40,}", answer.text)
    assert answer.headers["cache-control"] == "no-store"
    assert "&lt;deploy&gt; is created." in answer.text
    assert '<meta name="left-as" content="/pages/tokens">' in answer.text, "to come back makes no second token"
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    page = (await opened.get("/pages/tokens")).text
    assert secret not in page
    assert "left-as" not in page
    async with client(stand.app, secret) as deploy:
        answered(await deploy.get("/v1/budgets"))
        (token,) = [one for one in answered(await stand.admin.get("/v1/tokens"))["items"] if one["name"] == "<deploy>"]
        assert (await opened.post(f"/pages/tokens/{token['id']}/revoke")).status_code == 303
        assert (await deploy.get("/v1/budgets")).status_code == 401
    audit = (await opened.get("/pages/audit")).text
    assert "token: revoke" in audit
    assert "&lt;deploy&gt;" in audit
    assert secret not in audit


async def test_nobody_revokes_the_token_they_came_with(stand: Stand) -> None:
    opened = await signed_in(stand, Role.ADMIN)
    (own,) = [one for one in answered(await stand.admin.get("/v1/tokens"))["items"] if one["role"] == "admin"]
    answer = await opened.post(f"/pages/tokens/{own['id']}/revoke")
    assert (answer.status_code, "cannot revoke itself" in answer.text) == (409, True)


async def test_only_admins_see_tokens_and_the_log(stand: Stand) -> None:
    opened = await signed_in(stand, Role.OPERATOR)
    for place in ("/pages/tokens", "/pages/audit"):
        assert (await opened.get(place)).status_code == 403, place
        assert place not in (await opened.get("/pages/settings")).text
    taken = await opened.post("/pages/tokens", data={"/name": "mine", "/role": "admin"})
    assert taken.status_code == 403


async def test_a_name_that_is_taken_is_said_with_the_form(stand: Stand) -> None:
    opened = await signed_in(stand, Role.ADMIN)
    answer = await opened.post("/pages/tokens", data={"/name": "the viewer", "/role": "viewer"})
    assert (answer.status_code, "There is a token named" in answer.text) == (409, True)
    assert 'value="the viewer"' in answer.text


async def test_a_role_that_there_is_not_is_said_at_its_field(stand: Stand) -> None:
    opened = await signed_in(stand, Role.ADMIN)
    answer = await opened.post("/pages/tokens", data={"/name": "deploy", "/role": "boss"})
    assert answer.status_code == 422
    assert 'id="at-role-about"><b class="critical">' in answer.text
