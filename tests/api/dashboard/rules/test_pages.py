"""Rules on pages: what there is, how often each would fire for nothing, and pausing one."""

from __future__ import annotations

from datetime import timedelta

from service.domain.access import Role
from service.domain.backtest.calibration import CalibratedSetting, Calibration
from service.workflows.ports.rules import CalibrationTurn
from tests.api.dashboard.browser import signed_in
from tests.api.stand import SOURCE, TODAY, Stand, answered

HOSTILE = "<script>alert(1)</script>"
RULE = {"name": HOSTILE, "kind": "anomaly", "for_each": "workspace"}


async def watched(stand: Stand) -> str:
    await stand.create("/sources", SOURCE)
    id: str = (await stand.create("/rules", RULE))["id"]
    return id


async def calibrated(stand: Stand, id: str) -> None:
    """Twelve alerts in 91 days, of which a person has confirmed one; three at the stricter setting."""
    settings = (
        CalibratedSetting("sensitivity normal", True, 12, 1, 2),
        CalibratedSetting("sensitivity low", False, 3, 1, 0),
    )
    now = stand.clock()
    made = Calibration(1, now, TODAY - timedelta(days=90), TODAY, settings)
    async with stand.ports.uow() as uow:
        await uow.calibrations.take(id, None, CalibrationTurn(1, now))
        await uow.calibrations.save(id, made, now + timedelta(days=7))


async def test_the_list_shows_names_as_text_and_what_is_not_known_as_such(stand: Stand) -> None:
    id = await watched(stand)
    page = (await (await signed_in(stand)).get("/pages/rules")).text
    assert f'<a href="/pages/rules/{id}">&lt;script&gt;alert(1)&lt;/script&gt;</a>' in page
    assert "<script" not in page
    assert "for each workspace" in page
    assert "not known" in page


async def test_a_rule_that_fires_for_nothing_says_so_and_proposes_a_setting(stand: Stand) -> None:
    id = await watched(stand)
    await calibrated(stand, id)
    opened = await signed_in(stand)
    assert "11 at most, 2 critical" in (await opened.get("/pages/rules")).text
    page = (await opened.get(f"/pages/rules/{id}")).text
    assert "more false alerts than is promised, 6.5 a quarter, 1 of them critical" in page
    assert "proposed: <b>Sensitivity: low</b>" in page
    assert '<td>Sensitivity: low</td><td class="figure">2</td><td class="figure">0</td><td>yes</td>' in page


async def test_an_admin_pauses_a_rule_and_lets_it_go_on(stand: Stand) -> None:
    id = await watched(stand)
    opened = await signed_in(stand, Role.ADMIN)
    address = f"/pages/rules/{id}"
    for wanted in ("", "", "yes"):
        sent = await opened.post(f"{address}/enabled", data={"enabled": wanted})
        assert (sent.status_code, sent.headers["location"]) == (303, address)
        assert answered(await stand.viewer.get(f"/v1/rules/{id}"))["enabled"] is (wanted == "yes")
        assert (">paused<" in (await opened.get(address)).text) is (wanted == "")
    audit = answered(await stand.admin.get("/v1/audit-events"))["items"]
    assert [one["action"] for one in audit[:3]] == ["rule.change", "rule.change", "rule.create"]


async def test_an_operator_may_try_a_rule_and_not_pause_it(stand: Stand) -> None:
    id = await watched(stand)
    opened = await signed_in(stand)
    page = (await opened.get(f"/pages/rules/{id}")).text
    assert "Pause" not in page
    assert "Try it over the last 90 days" in page
    assert (await opened.post(f"/pages/rules/{id}/enabled", data={"enabled": ""})).status_code == 403
    assert answered(await stand.viewer.get(f"/v1/rules/{id}"))["enabled"] is True
