"""Answers to a rule's alert that the rule learns from."""

from __future__ import annotations

from service.domain.access import Role
from tests.api.alerts.test_feedback import opened as rule_alert
from tests.api.dashboard.browser import signed_in
from tests.api.dashboard.test_alerts import fired, of_rest
from tests.api.stand import Stand, answered

ADDRESS = "/pages/alerts/alert_1"


async def test_what_it_was_is_kept_once_and_resolves_the_alert(stand: Stand) -> None:
    await rule_alert(stand)
    opened = await signed_in(stand)
    for _ in range(2):
        sent = await opened.post(ADDRESS, data={"answer": "noise", "note": "<i>a test run</i>"})
        assert (sent.status_code, sent.headers["location"]) == (303, ADDRESS)
    given = answered(await stand.viewer.get("/v1/feedback"))["items"]
    assert [(one["kind"], one["given_by"]) for one in given] == [("noise", "token:the operator")]
    assert (await of_rest(stand, "alert_1"))["state"] == "resolved"
    page = (await opened.get(ADDRESS)).text
    assert "Noise: fire later, said the operator" in page
    assert "&lt;i&gt;a test run&lt;/i&gt;" in page
    assert 'value="noise"' not in page
    assert 'value="fixed"' in page, "more may be said of one that is over"


async def test_a_viewer_is_not_asked_and_a_budget_learns_nothing(stand: Stand) -> None:
    await rule_alert(stand)
    page = (await (await signed_in(stand, Role.VIEWER)).get(ADDRESS)).text
    assert 'value="noise"' not in page
    answer = await (await signed_in(stand, Role.VIEWER)).post(ADDRESS, data={"answer": "noise"})
    assert answer.status_code == 403


async def test_a_budgets_alert_has_no_such_answers_and_leads_to_its_budget(stand: Stand) -> None:
    alert, opened = await fired(stand), await signed_in(stand)
    page = (await opened.get(f"/pages/alerts/{alert['id']}")).text
    assert 'value="noise"' not in page
    (budget,) = answered(await stand.viewer.get("/v1/budgets"))["items"]
    assert f'<a href="/pages/budgets/{budget["id"]}">Budget eng monthly</a>' in page
    await opened.post(f"/pages/alerts/{alert['id']}", data={"answer": "noise"})
    assert answered(await stand.viewer.get("/v1/feedback"))["items"] == []
