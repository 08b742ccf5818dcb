"""One Slack workspace and one app may act: the first that does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import pytest

from service.domain.slack.requests import Deed
from tests.api.alerts.test_alerts import rung
from tests.api.slack.desk import Desk, open_desk
from tests.api.stand import Stand, answered, problem
from tests.slack_presses import command, form

OTHERS: list[dict[str, Any]] = [
    {"team": {"id": "T0OTHER"}, "user": {"id": "U0ADAFAKE", "name": "ada"}},
    {"api_app_id": "A0OTHER"},
    {"user": {"id": "U0ADAFAKE", "name": "ada", "team_id": "T0GUEST"}},  # a guest in a shared channel
    {"team": None, "enterprise": {"id": "E0OTHER"}, "user": {"id": "U0ADAFAKE", "name": "ada"}},
]


@pytest.fixture
async def desk(stand: Stand) -> AsyncIterator[Desk]:
    async with open_desk(stand) as opened:
        yield opened


async def test_before_anybody_has_acted_no_workspace_is_known(desk: Desk) -> None:
    shown = answered(await desk.stand.viewer.get("/v1/slack-workspace"))
    assert shown == {"team": None, "app": None, "since": None}
    problem(await desk.stand.admin.delete("/v1/slack-workspace"), 404)


@pytest.mark.parametrize("other", OTHERS)
async def test_a_press_from_another_workspace_or_app_changes_nothing_and_is_audited(
    desk: Desk, other: dict[str, Any]
) -> None:
    alert = await rung(desk.stand)
    await desk.type("status")
    assert answered(await desk.stand.viewer.get("/v1/slack-workspace"))["team"] == "T0FAKE"
    payload = desk.payload(alert, Deed.ACKNOWLEDGE) | other
    problem(await desk.knock("/slack/interactions", form(payload)), 403)
    assert answered(await desk.stand.viewer.get(f"/v1/alerts/{alert['id']}"))["state"] == "firing"
    event = answered(await desk.stand.admin.get("/v1/audit-events?limit=1"))["items"][0]
    assert (event["action"], event["subject"], event["address"]) == ("slack.refused", "workspace", "127.0.0.1")
    assert "T0FAKE" in event["detail"]


async def test_a_command_from_another_workspace_is_answered_nothing(desk: Desk) -> None:
    await desk.type("status")
    body = urlencode(command("status") | {"team_id": "T0OTHER"}).encode()
    refused = problem(await desk.knock("/slack/commands", body), 403)
    assert "/v1/slack-workspace" in refused["detail"]


async def test_an_admin_forgets_the_workspace_and_the_next_one_is_kept(desk: Desk) -> None:
    await desk.type("status")
    problem(await desk.stand.operator.delete("/v1/slack-workspace"), 403)
    answered(await desk.stand.admin.delete("/v1/slack-workspace"), 204)
    body = urlencode(command("status") | {"team_id": "T0OTHER", "api_app_id": "A0OTHER"}).encode()
    answered(await desk.knock("/slack/commands", body))
    shown = answered(await desk.stand.viewer.get("/v1/slack-workspace"))
    assert (shown["team"], shown["app"]) == ("T0OTHER", "A0OTHER")
    problem(await desk.knock("/slack/commands", urlencode(command("top")).encode()), 403)
