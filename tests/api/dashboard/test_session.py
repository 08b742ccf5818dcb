"""Who is signed in, for how long, and whose forms are taken."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import quote

import pytest

from service.api.dashboard.session import COOKIE, our_path
from service.domain.access import Role
from tests.api.dashboard.browser import SITE, browser, signed_in
from tests.api.stand import SOURCE, Stand, answered

PAGES = (
    "/",
    "/pages/spend",
    "/pages/alerts",
    "/pages/alerts/alert_0123456789abcdef0123456789abcdef",
    "/pages/start",
    "/pages/sources",
    "/pages/receivers",
    "/pages/routes",
    "/pages/silences",
    "/pages/settings",
    "/pages/tokens",
    "/pages/audit",
)


@pytest.mark.parametrize("page", PAGES)
async def test_a_stranger_is_asked_to_sign_in_and_led_back(stand: Stand, page: str) -> None:
    answer = await browser(stand).get(f"{page}?days=7")
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        f"/sign-in?next={quote(page + '?days=7', safe='')}",
    )


async def test_signing_in_leads_on_and_out_again(stand: Stand) -> None:
    opened = browser(stand)
    answer = await opened.post(
        "/sign-in", data={"token": "tcn_FAKE-viewer-token-of-the-tests", "next": "/pages/alerts"}
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/pages/alerts")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "tcn_" not in cookie
    assert (await opened.get("/pages/alerts")).status_code == 200
    assert (await opened.post("/sign-out")).headers["location"] == "/sign-in"
    assert (await opened.get("/pages/alerts")).status_code == 303


@pytest.mark.parametrize("page", ["/", "/sign-in", "/pages/spend", "/pages/alerts", "/icon.svg", "/live.js"])
async def test_a_probe_that_asks_for_heads_finds_each_page(stand: Stand, page: str) -> None:
    await stand.create("/sources", SOURCE)
    answer = await (await signed_in(stand)).head(page)
    assert (answer.status_code, answer.text) == (200, "")


async def test_an_unknown_token_does_not_sign_in(stand: Stand) -> None:
    opened = browser(stand)
    answer = await opened.post("/sign-in", data={"token": "tcn_FAKE-of-nobody"})
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers
    assert "No live token has this text" in answer.text


async def test_a_revoked_token_ends_its_sessions_at_once(stand: Stand) -> None:
    opened = await signed_in(stand, Role.VIEWER)
    tokens = answered(await stand.admin.get("/v1/tokens"))["items"]
    (token,) = [one for one in tokens if one["role"] == "viewer"]
    answered(await stand.admin.delete(f"/v1/tokens/{token['id']}"), 204)
    assert (await opened.get("/pages/alerts")).status_code == 303


async def test_a_session_ends_after_half_a_day(stand: Stand) -> None:
    opened = await signed_in(stand)
    stand.clock.advance(timedelta(hours=11, minutes=59))
    assert (await opened.get("/pages/alerts")).status_code == 200
    stand.clock.advance(timedelta(minutes=1))
    assert (await opened.get("/pages/alerts")).status_code == 303


@pytest.mark.parametrize(
    ("address", "status"),
    [("/pages/alerts/alert_gone", 404), ("/pages/alerts/%00", 422), ("/pages/spend?days=8", 422), ("/pages", 404)],
)
async def test_a_person_reads_a_page_where_there_is_nothing(stand: Stand, address: str, status: int) -> None:
    answer = await (await signed_in(stand)).get(address)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")
    program = await (await signed_in(stand)).get(address, headers={"Accept": "application/json"})
    assert program.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("change", ["session-", "0", ".", "é"])
async def test_a_changed_cookie_is_no_session(stand: Stand, change: str) -> None:
    signed = (await signed_in(stand)).cookies[COOKIE]
    for forged in (change + signed, signed + change, signed.replace("-", change, 1), change):
        answer = await browser(stand).get("/pages/alerts", headers=[(b"Cookie", f"{COOKIE}={forged}".encode())])
        assert answer.status_code == 303, forged


@pytest.mark.parametrize("text", ["person-AAAA-99999999999", "person-W10-99999999999", "person-bnVsbA-1"])
async def test_a_made_up_person_is_nobody(stand: Stand, text: str) -> None:
    for signature in ("", "x", stand.ports.signer.sign("another text")):
        answer = await browser(stand).get("/pages/alerts", headers={"Cookie": f"{COOKIE}={text}.{signature}"})
        assert answer.status_code == 303


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "", "http://[", "http://tocsin.example.evil.example"]
)
async def test_another_sites_form_does_nothing(stand: Stand, origin: str) -> None:
    opened = await signed_in(stand)
    answer = await opened.post("/sign-out", headers={"Origin": origin})
    assert answer.status_code == 403
    assert (await opened.get("/pages/alerts")).status_code == 200


async def test_a_page_behind_another_host_name_takes_its_own_forms(stand: Stand) -> None:
    opened = await signed_in(stand)
    elsewhere = {"Origin": "http://10.0.0.7:8000", "Host": "10.0.0.7:8000"}
    assert (await opened.post("/sign-out", headers=elsewhere)).status_code == 303


@pytest.mark.parametrize("host", ["Tocsin.Example", "tocsin.example:443", "tocsin.example:80"])
async def test_a_proxy_may_write_the_host_otherwise_than_the_browser(stand: Stand, host: str) -> None:
    opened = await signed_in(stand)
    named = {"Origin": "https://tocsin.example", "Host": host}
    assert (await opened.post("/sign-out", headers=named)).status_code == 303
    other_port = named | {"Origin": "https://tocsin.example:8443"}
    assert (await opened.post("/sign-out", headers=other_port)).status_code == 403


@pytest.mark.parametrize(
    "text",
    ["//evil.example", "//[", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "", "/a\nb", "/é"],
)
def test_nobody_is_led_elsewhere(text: str) -> None:
    assert our_path(text) == "/"


def test_a_page_of_ours_is_led_to() -> None:
    assert our_path("/pages/spend?days=7&by=model") == "/pages/spend?days=7&by=model"


async def test_a_body_that_is_no_form_is_refused(stand: Stand) -> None:
    opened = browser(stand)
    assert (await opened.post("/sign-in", json={"token": "x"})).status_code == 422
    many = "&".join(f"f{number}=1" for number in range(8_001))
    kind = {"Content-Type": "application/x-www-form-urlencoded", "Origin": SITE}
    assert (await opened.post("/sign-in", content=many, headers=kind)).status_code == 422
    assert (await opened.post("/sign-in", content=b"token=%ff", headers=kind)).status_code == 422
