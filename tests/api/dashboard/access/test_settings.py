"""The page of settings: the Slack workspace that may act, and to forget it."""

from __future__ import annotations

from service.domain.access import Role
from service.workflows.slack.workspaces import run_is_our_workspace
from tests.api.dashboard.browser import signed_in
from tests.api.stand import Stand, answered

FORGET = "/pages/settings/slack-workspace/forget"


async def test_an_admin_forgets_the_slack_workspace_that_acted_first(stand: Stand) -> None:
    assert await run_is_our_workspace(stand.ports, {"team_id": "T0FAKE", "api_app_id": "A0FAKE"})
    assert not await run_is_our_workspace(stand.ports, {"team_id": "T0OTHER"})
    opened = await signed_in(stand, Role.ADMIN)
    assert "People act from workspace T0FAKE, app A0FAKE, since" in (await opened.get("/pages/settings")).text
    for _ in range(2):
        assert (await opened.post(FORGET)).headers["location"] == "/pages/settings"
    assert "Slack workspace" not in (await opened.get("/pages/settings")).text
    assert await run_is_our_workspace(stand.ports, {"team_id": "T0OTHER"})


async def test_an_operator_sees_it_and_does_not_forget_it(stand: Stand) -> None:
    assert await run_is_our_workspace(stand.ports, {"team_id": "T0FAKE"})
    opened = await signed_in(stand)
    page = (await opened.get("/pages/settings")).text
    assert ("T0FAKE" in page, FORGET in page) == (True, False)
    assert (await opened.post(FORGET)).status_code == 403
    assert answered(await stand.viewer.get("/v1/slack-workspace"))["team"] == "T0FAKE"
