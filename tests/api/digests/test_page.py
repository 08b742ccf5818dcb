"""The page behind the link of a digest: its figures and chart, without a login."""

from __future__ import annotations

from datetime import timedelta

from service.workflows.digests.deliver import run_digest
from service.workflows.ports.platform import ChartError
from tests.api.alerts.test_page import MAIL, is_a_plain_page
from tests.api.stand import ENG, SOURCE, TODAY, Stand, answered
from tests.fakes.ports import FakeCharts

DIGEST = {"name": "weekly spend", "receiver": "finance", "cron": "0 9 * * 1"}


async def digest_link(stand: Stand) -> str:
    await stand.create("/sources", SOURCE)
    await stand.create("/receivers", {"name": "finance", "channels": [MAIL]})
    made = await stand.create("/digests", DIGEST)
    await stand.spend(ENG, "123.456789", day=TODAY - timedelta(days=3))
    run = answered(await stand.operator.post(f"/v1/digests/{made['id']}/send"), 202)
    await run_digest(stand.ports, run["id"])
    _, delivery = stand.channels.sent[-1]
    return delivery.message.link.removeprefix(stand.ports.public_url)


async def test_a_digests_link_shows_its_figures_and_chart(stand: Stand) -> None:
    link = await digest_link(stand)
    _, delivery = stand.channels.sent[-1]
    page = await stand.stranger.get(link)
    assert page.status_code == 200
    assert "$123.45" in page.text
    assert "$123.456" not in page.text
    for label, _ in delivery.message.facts:
        assert f"<dt>{label}</dt>" in page.text
    assert delivery.message.next_step in page.text
    chart = await stand.stranger.get(f"{link}/chart.png?theme=dark")
    assert (chart.status_code, chart.headers["content-type"]) == (200, "image/png")


async def test_a_chart_that_cannot_be_drawn_leaves_the_page(stand: Stand) -> None:
    link = await digest_link(stand)
    charts = stand.ports.charts
    assert isinstance(charts, FakeCharts)
    charts.refusal = ChartError("no picture within 8 s")
    assert (await stand.stranger.get(link)).status_code == 200
    is_a_plain_page(await stand.stranger.get(f"{link}/chart.png"), 404)


async def test_a_digests_link_opens_nothing_else_and_ends(stand: Stand) -> None:
    link = await digest_link(stand)
    for place in (link.replace("/digests/", "/alerts/"), link.replace("/digests/", "/tests/") + "x"):
        assert (await stand.stranger.get(place)).status_code in {404, 410}
    is_a_plain_page(await stand.stranger.get(f"{link}x"), 404)
    answered(await stand.admin.patch("/v1/receivers/finance", json={"channels": [MAIL | {"link": "none"}]}))
    is_a_plain_page(await stand.stranger.get(link), 410)
    is_a_plain_page(await stand.stranger.get(f"{link}/chart.png"), 410)
