from __future__ import annotations

from typing import Any

import pytest

from service.domain.notify.circuits import Concern
from service.workflows.alerts.watch_channels import run_watch_channels
from service.workflows.notify.circuits import refuse
from service.workflows.ports.channels import DeliveryError
from tests.api.alerts.test_alerts import rung
from tests.api.stand import Stand, answered, pointers, problem


async def place(stand: Stand) -> str:
    """Where an alert of $123.45 is snoozed."""
    return f"/v1/alerts/{(await rung(stand))['id']}/snooze"


async def test_an_alert_is_snoozed_for_a_while_or_until_it_has_grown(stand: Stand) -> None:
    there = await place(stand)
    document = {"for": "4h", "until_growth_percent": 50, "note": "batch job"}
    detail = answered(await stand.operator.post(there, json=document))
    assert (detail["state"], detail["snoozed_until"], detail["snoozed_above"]) == (
        "snoozed",
        "2026-11-16T16:00:00Z",
        "185.175",
    )
    assert [(event["command"], event["note"]) for event in detail["events"]][-1] == ("snooze", "batch job")


async def test_an_alert_is_snoozed_until_a_time(stand: Stand) -> None:
    there = await place(stand)
    detail = answered(await stand.operator.post(there, json={"until": "2026-11-17T09:00:00+01:00"}))
    assert (detail["snoozed_until"], detail["snoozed_above"]) == ("2026-11-17T08:00:00Z", None)
    listed = answered(await stand.viewer.get("/v1/alerts", params={"state": "snoozed"}))["items"]
    assert [item["snoozed_until"] for item in listed] == ["2026-11-17T08:00:00Z"]


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ({}, "/until"),
        ({"until": "2026-11-16T11:00:00Z"}, "/until"),
        ({"until": "2027-11-16T11:00:00Z"}, "/until"),
        ({"until": "2026-11-17T11:00:00Z", "for": "1h"}, "/for"),
        ({"for": "soon"}, "/for"),
        ({"for": "9999999d"}, "/for"),
        ({"for": "0s"}, "/until"),
        ({"until_growth_percent": 0}, "/until_growth_percent"),
    ],
)
async def test_a_snooze_that_makes_no_sense_is_refused(stand: Stand, document: dict[str, Any], pointer: str) -> None:
    assert pointers(await stand.operator.post(await place(stand), json=document)) == [pointer]


async def test_a_viewer_snoozes_nothing_and_a_resolved_alert_is_not_snoozed(stand: Stand) -> None:
    there = await place(stand)
    problem(await stand.viewer.post(there, json={"for": "1h"}), 403)
    answered(await stand.operator.post(there.replace("snooze", "resolve")))
    problem(await stand.operator.post(there, json={"for": "1h"}), 409)


async def test_a_failing_channel_is_seen_at_its_receiver_among_the_alerts_and_in_the_metrics(stand: Stand) -> None:
    await rung(stand)
    (queued,) = answered(await stand.viewer.get("/v1/notifications"))["items"]
    async with stand.ports.uow() as uow:
        receiver = await uow.receivers.get("console")
        now = stand.clock()
        await uow.channel_health.note_dead(receiver.id, queued["channel"], "busy", at=now)
        await refuse(uow, receiver.id, queued["channel"], DeliveryError("no terminal", Concern.CHANNEL), now)
    shown = answered(await stand.viewer.get("/v1/receivers/console"))
    assert shown["status"]["failing"] == [
        {
            "channel": queued["channel"],
            "failing_since": "2026-11-16T12:00:00Z",
            "next_try": "2026-11-16T12:00:15Z",
            "concerns": "channel",
            "error": "no terminal",
            "dead": 1,
        }
    ]
    await run_watch_channels(stand.ports)
    items = answered(await stand.viewer.get("/v1/alerts"))["items"]
    (alert,) = [item for item in items if item["kind"] == "undelivered"]
    detail = answered(await stand.viewer.get(f"/v1/alerts/{alert['id']}"))
    assert (detail["evidence"]["receiver"], detail["evidence"]["channel_error"]) == ("console", "no terminal")
    metrics = (await stand.stranger.get("/metrics")).text
    assert "tocsin_notifications_dead 0.0" in metrics
    assert "tocsin_notifications_unsent_oldest_seconds 0.0" in metrics
    assert 'tocsin_alerts_open{severity="error",state="firing"} 1.0' in metrics
    # What a read gave may be sent back, and an edit enables the channel.
    changed = answered(await stand.admin.patch("/v1/receivers/console", json={"status": shown["status"]}))
    assert changed["version"] == 1
