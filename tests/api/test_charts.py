from __future__ import annotations

import pytest

from service.adapters.charts import PNG
from service.workflows.charts.picture import token_of
from service.workflows.ports.platform import ChartError
from tests.api.alerts.test_alerts import rung
from tests.api.stand import Stand, answered, problem
from tests.fakes.ports import FakeCharts


async def link(stand: Stand) -> str:
    alert = await rung(stand)
    async with stand.ports.uow() as uow:
        return f"/charts/{token_of(stand.ports, await uow.alerts.get(alert['id']), stand.clock())}.png"


async def test_an_alerts_chart_is_a_specification_for_the_browser(stand: Stand) -> None:
    alert = await rung(stand)
    told = answered(await stand.viewer.get(f"/v1/alerts/{alert['id']}/chart"))
    assert told["alert_id"] == alert["id"]
    assert "$123.45 of $100.00" in told["alt"]
    assert told["specification"]["$schema"].endswith("/v5.json")
    assert told["specification"]["description"] == told["alt"]
    dark = answered(await stand.viewer.get(f"/v1/alerts/{alert['id']}/chart", params={"theme": "dark"}))
    assert dark["specification"]["background"] != told["specification"]["background"]


async def test_only_who_logs_in_gets_it_and_an_unknown_alert_has_none(stand: Stand) -> None:
    alert = await rung(stand)
    problem(await stand.stranger.get(f"/v1/alerts/{alert['id']}/chart"), 401)
    problem(await stand.viewer.get("/v1/alerts/alert_none/chart"), 404)
    problem(await stand.viewer.get(f"/v1/alerts/{alert['id']}/chart", params={"theme": "pink"}), 422)


async def test_a_signed_link_shows_the_picture_to_anybody(stand: Stand) -> None:
    answer = await stand.stranger.get(await link(stand), params={"theme": "dark"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.content.startswith(PNG)


async def test_a_link_checker_that_asks_for_the_head_alone_finds_the_picture(stand: Stand) -> None:
    place = await link(stand)
    asked = await stand.stranger.head(place)
    assert asked.status_code == 200
    assert asked.headers == (await stand.stranger.get(place)).headers
    assert (await stand.stranger.head("/charts/nothing.png")).status_code == 404


async def test_a_forged_link_and_one_that_is_over_are_not_there(stand: Stand) -> None:
    place = await link(stand)
    problem(await stand.stranger.get(place.replace("-1-", "-2-", 1)), 404)
    problem(await stand.stranger.get("/charts/nothing.png"), 404)


@pytest.mark.parametrize("reason", ["no picture within 8 s"])
async def test_a_chart_that_cannot_be_drawn_is_not_there(stand: Stand, reason: str) -> None:
    place = await link(stand)
    assert isinstance(stand.ports.charts, FakeCharts)
    stand.ports.charts.refusal = ChartError(reason)
    problem(await stand.stranger.get(place), 404)
    assert "tocsin_chart_failures_total 1.0" in (await stand.stranger.get("/metrics")).text
