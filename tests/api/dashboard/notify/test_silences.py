"""Silences, escalation policies and rotas by their forms."""

from __future__ import annotations

from service.domain.access import Role
from tests.api.dashboard.browser import signed_in
from tests.api.stand import Stand, answered

SILENCE = {"/name": "load test", "/matchers": "workspace=staging", "/ends_at": "2026-11-16 20:00", "/comment": "<b>"}


async def test_an_operator_silences_and_ends_it(stand: Stand) -> None:
    opened = await signed_in(stand, Role.OPERATOR)
    assert (await opened.post("/pages/silences/new", data=SILENCE)).status_code == 303
    (silence,) = answered(await stand.admin.get("/v1/silences"))["items"]
    assert (silence["ends_at"], silence["author"]) == ("2026-11-16T20:00:00Z", "token:the operator")
    page = (await opened.get("/pages/silences")).text
    assert "by the operator: &lt;b&gt;" in page
    assert "until" not in page or "2026-11-16 20:00 UTC" in page
    await opened.post(f"/pages/silences/{silence['id']}/expire")
    (silence,) = answered(await stand.admin.get("/v1/silences"))["items"]
    assert silence["state"] == "expired"
    assert (await opened.post(f"/pages/silences/{silence['id']}/expire")).status_code == 303, "twice is once"


async def test_a_viewer_silences_nothing(stand: Stand) -> None:
    opened = await signed_in(stand, Role.VIEWER)
    assert (await opened.post("/pages/silences/new", data=SILENCE)).status_code == 403
    assert answered(await stand.admin.get("/v1/silences"))["items"] == []


async def test_a_time_that_is_none_stands_at_its_field(stand: Stand) -> None:
    opened = await signed_in(stand, Role.OPERATOR)
    answer = await opened.post("/pages/silences/new", data=SILENCE | {"/ends_at": "tomorrow"})
    assert answer.status_code == 422
    assert "write an RFC 3339 time" in answer.text
    assert 'value="tomorrow"' in answer.text
