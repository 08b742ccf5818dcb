"""Signing in by an issuer of identities over real HTTP: who gets in as what, and what is refused."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from httpx import AsyncClient, Response

from service.adapters.egress.guard import Guard, parse_networks
from service.adapters.egress.httpx_transport import open_transport
from service.adapters.oidc import OidcClient, OidcIssuer
from service.domain.access import Role, parse_group_roles
from service.workflows.ports.identity import PeopleAccess
from tests.api.dashboard.browser import SITE, browser
from tests.api.stand import SOURCE, Stand, answered
from tests.fakes.issuer import CLIENT, FIRST_KEY, SECOND_KEY, SECRET, FakeIssuer, open_issuer

ROLES = "tocsin-admins=admin; cn=eng,ou=groups=operator"


@pytest.fixture
async def issuer(stand: Stand) -> AsyncIterator[FakeIssuer]:
    """The issuer, which the stand's application knows."""
    guard = Guard(parse_networks("127.0.0.0/8"))
    async with open_issuer(int(stand.clock().timestamp())) as issuer, open_transport(guard, proxy=None) as transport:
        provider = OidcIssuer(OidcClient(issuer.address, CLIENT, SECRET, "openid profile"), transport)
        people = PeopleAccess(provider, "groups", parse_group_roles(ROLES))
        stand.app.state.ports = replace(stand.ports, people=people)
        yield issuer


async def came_back(opened: AsyncClient, issuer: FakeIssuer, place: str = "/pages/alerts", **changed: str) -> Response:
    """The answer to a browser that has signed in at the issuer."""
    begun = await opened.get("/sign-in/oidc", params={"next": place})
    assert begun.status_code == 303, begun.text
    query = {"state": issuer.follow(begun.headers["location"]), "code": "a-code", **changed}
    return await opened.get("/sign-in/oidc/callback", params=query)


async def test_somebody_gets_in_is_led_back_and_is_known_by_name(stand: Stand, issuer: FakeIssuer) -> None:
    opened = browser(stand)
    assert "Sign in with 127.0.0.1" in (await opened.get("/sign-in")).text
    answer = await came_back(opened, issuer, "/pages/settings")
    assert (answer.status_code, answer.headers["location"]) == (303, "/pages/settings")
    cookies = answer.headers.get_list("set-cookie")
    assert all("HttpOnly" in one and "SameSite=lax" in one for one in cookies)
    assert issuer.asked["redirect_uri"] == f"{SITE}/sign-in/oidc/callback"
    assert "ann, admin" in (await opened.get("/pages/settings")).text
    await opened.post("/pages/sources/new", data={"/name": "mine", "/admin_key": "sk-ant-admin01-FAKE", "/enabled": ""})
    events = answered(await stand.admin.get("/v1/audit-events"))["items"]
    assert [(one["action"], one["actor"], one["actor_id"], one["actor_name"]) for one in events[:2]] == [
        ("source.create", "person:ann", "subject-1", "ann"),
        ("person.sign_in", "person:ann", "subject-1", "ann"),
    ]


@pytest.mark.parametrize(
    ("groups", "role"),
    [(["tocsin-admins", "x"], Role.ADMIN), ("cn=eng,ou=groups", Role.OPERATOR), (["cn=eng,ou=groups"], Role.OPERATOR)],
)
async def test_groups_give_roles(stand: Stand, issuer: FakeIssuer, groups: Any, role: Role) -> None:
    issuer.claims["groups"] = groups
    opened = browser(stand)
    await came_back(opened, issuer)
    assert f"ann, {role}" in (await opened.get("/pages/settings")).text


@pytest.mark.parametrize("groups", [[], ["others"], None, {"tocsin-admins": True}, "*"])
async def test_nobody_gets_in_without_a_group_that_has_a_role(stand: Stand, issuer: FakeIssuer, groups: Any) -> None:
    issuer.claims["groups"] = groups
    opened = browser(stand)
    answer = await came_back(opened, issuer)
    assert answer.status_code == 403
    assert "TOCSIN_OIDC_ROLES gives groups their roles" in answer.text
    assert (await opened.get("/pages/alerts")).status_code == 303
    (event,) = answered(await stand.admin.get("/v1/audit-events"))["items"][:1]
    assert (event["action"], event["actor"]) == ("request.refused", "person:ann")


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"aud": "another"}, "is for another client: TOCSIN_OIDC_CLIENT_ID is tocsin"),
        ({"aud": ["another", "third"]}, "is for another client"),
        ({"aud": None}, "is for another client"),
        ({"azp": "another", "aud": ["tocsin", "another"]}, "is for another client"),
        ({"iss": "https://evil.example"}, "is of another issuer"),
        ({"exp": 0}, "has expired"),
        ({"exp": None}, "not sound"),
        ({"nonce": "of another sign-in"}, "answers another sign-in"),
        ({"nonce": None}, "answers another sign-in"),
        ({"sub": None}, "not sound"),
    ],
)
async def test_what_is_not_for_us_and_now_is_refused(
    stand: Stand, issuer: FakeIssuer, claims: dict[str, Any], said: str
) -> None:
    issuer.claims |= claims
    opened = browser(stand)
    answer = await came_back(opened, issuer)
    assert (answer.status_code, said in answer.text) == (403, True), answer.text
    assert (await opened.get("/pages/alerts")).status_code == 303


def unsigned(token: str) -> str:
    header = base64.urlsafe_b64encode(json.dumps({"alg": "none"}).encode()).decode().rstrip("=")
    return f"{header}.{token.split('.')[1]}."


def signed_with_what_is_public(token: str) -> str:
    """The old trick: HS256, with the issuer's public key for a secret."""
    from joserfc import jws
    from joserfc.jwk import OctKey

    payload = token.split(".")[1]
    plain = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
    secret = OctKey.import_key(FIRST_KEY.as_pem(private=False))
    return jws.serialize_compact({"alg": "HS256", "kid": "first"}, plain, secret, algorithms=["HS256"])


@pytest.mark.parametrize(
    "forge", [unsigned, signed_with_what_is_public, lambda token: token[:-8] + "AAAAAAAA", str.upper]
)
async def test_a_forged_token_is_refused(stand: Stand, issuer: FakeIssuer, forge: Any) -> None:
    issuer.forged = forge
    opened = browser(stand)
    assert (await came_back(opened, issuer)).status_code == 403
    assert (await opened.get("/pages/alerts")).status_code == 303


async def test_an_unknown_key_is_refused_until_the_issuer_publishes_it(stand: Stand, issuer: FakeIssuer) -> None:
    issuer.key = SECOND_KEY
    refused = await came_back(browser(stand), issuer)
    assert (refused.status_code, "not signed with a key that the issuer publishes" in refused.text) == (403, True)
    issuer.published = [FIRST_KEY, SECOND_KEY]
    assert (await came_back(browser(stand), issuer)).status_code == 303


async def test_an_answer_that_this_browser_did_not_ask_for_opens_nothing(stand: Stand, issuer: FakeIssuer) -> None:
    opened = browser(stand)
    answer = await came_back(opened, issuer, state="A" * 43)
    assert (answer.status_code, "did not begin that sign-in" in answer.text) == (403, True)
    begun = await opened.get("/sign-in/oidc")
    state = issuer.follow(begun.headers["location"])
    stolen = await browser(stand).get("/sign-in/oidc/callback", params={"state": state, "code": "a-code"})
    assert stolen.status_code == 403
    stand.clock.advance(timedelta(minutes=10))
    late = await opened.get("/sign-in/oidc/callback", params={"state": state, "code": "a-code"})
    assert (late.status_code, "more than ten minutes" in late.text) == (403, True)


async def test_an_issuer_that_refuses_or_calls_itself_otherwise_says_what_to_set(
    stand: Stand, issuer: FakeIssuer
) -> None:
    issuer.refusal = (401, {"error": "invalid_client", "error_description": "<b>no</b>"})
    answer = await came_back(browser(stand), issuer)
    assert "answered 401: &lt;b&gt;no&lt;/b&gt;. Check TOCSIN_OIDC_CLIENT_ID" in answer.text
    said = await browser(stand).get("/sign-in/oidc/callback", params={"error": "access_denied", "state": "x"})
    assert (said.status_code, "The issuer let nobody in: access_denied" in said.text) == (403, True)
    issuer.named = "https://login.example.com/"
    begun = await browser(stand).get("/sign-in/oidc")
    assert begun.status_code == 502
    assert "set TOCSIN_OIDC_ISSUER to exactly that" in begun.text


async def test_a_session_follows_the_settings_and_ends_after_half_a_day(stand: Stand, issuer: FakeIssuer) -> None:
    opened = browser(stand)
    await came_back(opened, issuer)
    ports = stand.app.state.ports
    stand.app.state.ports = replace(ports, people=replace(ports.people, roles={"tocsin-admins": Role.VIEWER}))
    assert "ann, viewer" in (await opened.get("/pages/settings")).text
    assert (await opened.post("/pages/tokens", data={"/name": "x", "/role": "admin"})).status_code == 403
    for people in (replace(ports.people, roles={"others": Role.ADMIN}), None):
        stand.app.state.ports = replace(ports, people=people)
        assert (await opened.get("/pages/settings")).status_code == 303
    stand.app.state.ports = ports
    stand.clock.advance(timedelta(hours=12))
    assert (await opened.get("/pages/settings")).status_code == 303


async def test_without_an_issuer_there_is_a_token_only(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    opened = browser(stand)
    assert "Sign in with " not in (await opened.get("/sign-in")).text.replace("Sign in with an API token", "")
    assert (await opened.get("/sign-in/oidc")).status_code == 404


async def test_a_form_waits_while_somebody_signs_in_at_the_issuer(stand: Stand, issuer: FakeIssuer) -> None:
    opened = browser(stand)
    await came_back(opened, issuer)
    stand.clock.advance(timedelta(hours=12))
    issuer.now += 12 * 3600
    late = await opened.post("/pages/tokens", data={"/name": "a & b", "/role": "viewer"})
    assert late.status_code == 403
    assert 'name="/name" value="a &amp; b"' in late.text
    await came_back(opened, issuer)
    sent = await opened.post("/pages/tokens", data={"again": "yes", "/name": "a & b", "/role": "viewer"})
    assert "a &amp; b is created." in sent.text
