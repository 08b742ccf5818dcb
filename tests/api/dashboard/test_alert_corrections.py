"""What is made good on an alert's page: a message sent again, an answer taken back."""

from __future__ import annotations

from dataclasses import replace

from service.domain.access import Role
from service.domain.notify.notification import NotificationState
from tests.api.alerts.test_feedback import opened as opened_by_a_rule
from tests.api.dashboard.browser import signed_in
from tests.api.dashboard.test_alerts import fired, of_rest
from tests.api.stand import Stand, answered


async def dead(stand: Stand) -> tuple[str, str]:
    """Returns the ids of an alert and of a notification of it that was given up."""
    await stand.create("/receivers", {"name": "spare", "channels": [{"kind": "console"}]})
    answered(await stand.admin.put("/v1/routes", json={"items": [{"receiver": "spare"}]}))
    alert = (await fired(stand))["id"]
    (queued,) = answered(await stand.viewer.get("/v1/notifications", params={"alert": alert}))["items"]
    async with stand.ports.uow() as uow:
        stored = await uow.notifications.get(queued["id"])
        await uow.notifications.save(replace(stored, state=NotificationState.DEAD), post=None)
    return alert, str(queued["id"])


async def test_a_message_that_was_given_up_is_sent_again_once(stand: Stand) -> None:
    alert, id = await dead(stand)
    opened = await signed_in(stand)
    assert "Send it again" in (await opened.get(f"/pages/alerts/{alert}")).text
    for _ in range(2):
        sent = await opened.post(f"/pages/alerts/{alert}/retry", data={"notification": id})
        assert (sent.status_code, sent.headers["location"]) == (303, f"/pages/alerts/{alert}#notified")
    (again,) = answered(await stand.viewer.get("/v1/notifications", params={"alert": alert}))["items"]
    assert again["state"] == "queued"
    assert "Send it again" not in (await opened.get(f"/pages/alerts/{alert}")).text
    actions = [one["action"] for one in answered(await stand.admin.get("/v1/audit-events"))["items"]]
    assert actions.count("notification.retry") == 1


async def test_a_message_that_a_later_one_replaced_is_not_offered_again(stand: Stand) -> None:
    alert, _ = await dead(stand)
    opened = await signed_in(stand)
    await opened.post(f"/pages/alerts/{alert}", data={"answer": "acknowledge"})
    assert "Send it again" not in (await opened.get(f"/pages/alerts/{alert}")).text


async def test_an_answer_is_taken_back_with_all_its_scopes(stand: Stand) -> None:
    alert = (await opened_by_a_rule(stand))["id"]
    opened = await signed_in(stand)
    await opened.post(f"/pages/alerts/{alert}", data={"answer": "expected", "note": "new team"})
    given = (await of_rest(stand, alert))["feedback"]
    assert len(given) > 1, "the alert's scope, and its large parts"
    page = (await opened.get(f"/pages/alerts/{alert}")).text
    assert page.count("Expected: so from now on, said") == page.count("Take it back") == 1
    for _ in range(2):
        sent = await opened.post(f"/pages/alerts/{alert}/withdraw", data={"feedback": given[-1]["id"]})
        assert (sent.status_code, sent.headers["location"]) == (303, f"/pages/alerts/{alert}#said")
    assert all(one["withdrawn_at"] for one in (await of_rest(stand, alert))["feedback"])
    page = (await opened.get(f"/pages/alerts/{alert}")).text
    assert ("Take it back" in page, ", withdrawn" in page) == (False, True)


async def test_what_is_said_again_after_it_was_taken_back_stands_beside_it(stand: Stand) -> None:
    alert = (await opened_by_a_rule(stand))["id"]
    opened = await signed_in(stand)
    await opened.post(f"/pages/alerts/{alert}", data={"answer": "noise"})
    (first, *_) = (await of_rest(stand, alert))["feedback"]
    await opened.post(f"/pages/alerts/{alert}/withdraw", data={"feedback": first["id"]})
    await opened.post(f"/pages/alerts/{alert}", data={"answer": "noise"})
    page = (await opened.get(f"/pages/alerts/{alert}")).text
    assert page.count("Noise: fire later, said") == 2
    assert page.count(", withdrawn") == page.count("Take it back") == 1


async def test_a_viewer_makes_nothing_good(stand: Stand) -> None:
    alert, id = await dead(stand)
    opened = await signed_in(stand, Role.VIEWER)
    assert "Send it again" not in (await opened.get(f"/pages/alerts/{alert}")).text
    for act in ("retry", "withdraw"):
        assert (await opened.post(f"/pages/alerts/{alert}/{act}", data={"notification": id})).status_code == 403, act


async def test_what_there_is_not_is_not_found(stand: Stand) -> None:
    opened = await signed_in(stand)
    for act in ("retry", "withdraw"):
        assert (await opened.post(f"/pages/alerts/alert_1/{act}", data={act: "gone"})).status_code == 404, act
