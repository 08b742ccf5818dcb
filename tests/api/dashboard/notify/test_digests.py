"""A digest on its page: when it comes, what it says, what became of the last one."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

from sqlalchemy import text

from service.domain.access import Role
from service.workflows.digests.deliver import run_digest, run_due_digests
from service.workflows.ports.channels import DeliveryError
from service.workflows.ports.platform import ChartError
from tests.api.dashboard.browser import browser, signed_in
from tests.api.dashboard.budgets.test_editing import fields
from tests.api.stand import ENG, SOURCE, TODAY, Stand, answered
from tests.fakes.ports import FakeCharts

FORM = {
    "/name": "daily",
    "/receiver": "finance",
    "/cron": "0 9 * * *",
    "/timezone": "Europe/Berlin",
    "/content": "spend",
    "/enabled": "true",
}


async def furnished(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    await stand.create("/receivers", {"name": "finance", "channels": [{"kind": "console"}]})
    await stand.spend(ENG, "123.45", TODAY - timedelta(days=1))


async def test_what_a_digest_would_say_is_what_is_sent(stand: Stand) -> None:
    await furnished(stand)
    opened = await signed_in(stand, Role.ADMIN)
    answer = await opened.post("/pages/digests/new", data=FORM)
    (digest,) = answered(await stand.viewer.get("/v1/digests"))["items"]
    place = f"/pages/digests/{digest['id']}"
    assert (answer.status_code, answer.headers.get("location")) == (303, place), answer.text
    page = (await opened.get(place)).text
    assert "2026-11-17 08:00 UTC" in page, "09:00 in Berlin"
    assert "None has been sent yet." in page
    assert (await opened.post(f"{place}/send")).headers["location"] == f"{place}#last"
    run = answered(await stand.viewer.get(f"/v1/digests/{digest['id']}"))["last_run"]
    await run_digest(stand.ports, run["id"])
    ((_, sent),) = stand.channels.sent
    assert f"<b>{sent.message.headline}</b>" in unescape(page)
    assert sent.message.summary in unescape(page)
    assert "spent $0.00" not in page
    page = (await opened.get(place)).text
    assert "asked for by the admin" in page
    assert "The worker's log" in unescape(page)
    event, *_ = answered(await stand.admin.get("/v1/audit-events"))["items"]
    assert (event["action"], event["actor"]) == ("digest.send", "token:the admin")


async def test_days_and_a_time_are_chosen_and_come_back_chosen(stand: Stand) -> None:
    await furnished(stand)
    opened = await signed_in(stand, Role.ADMIN)
    plain = {name: value for name, value in FORM.items() if name != "/cron"}
    sent = await opened.post("/pages/digests/new", data=plain | {"/cron/on": "friday", "/cron/at": "16:30"})
    assert sent.status_code == 303, sent.text
    (digest,) = answered(await stand.viewer.get("/v1/digests"))["items"]
    assert digest["cron"] == "30 16 * * 5"
    place = f"/pages/digests/{digest['id']}/edit"
    page = (await opened.get(place)).text
    assert '<option value="friday" selected>every Friday</option>' in page
    assert 'name="/cron/at" value="16:30"' in page
    other = fields(page) | {"/cron/on": "", "/cron": "0 9 1 */3 *"}
    assert (await opened.post(place, data=other)).status_code == 303
    page = (await opened.get(place)).text
    assert '<option value="" selected>by the cron text</option>' in page
    assert 'name="/cron" value="0 9 1 */3 *"' in page
    wrong = await opened.post(place, data=fields(page) | {"/cron/on": "monday", "/cron/at": "25:00"})
    assert (wrong.status_code, 'value="25:00"' in wrong.text) == (422, True)


async def test_the_chart_of_what_would_be_said_stands_beside_it(stand: Stand) -> None:
    await furnished(stand)
    await stand.create("/digests", {"name": "daily", "receiver": "finance", "cron": "0 9 * * *"})
    opened = await signed_in(stand, Role.VIEWER)
    (place,) = re.findall(r'<img src="([^"]*)"', (await opened.get("/pages/digests/daily")).text)
    chart = await opened.get(f"{place}?theme=dark")
    assert (chart.status_code, chart.headers["content-type"]) == (200, "image/png")
    charts = stand.ports.charts
    assert isinstance(charts, FakeCharts)
    charts.refusal = ChartError("no picture within 8 s")
    assert (await opened.get(place)).status_code == 404
    assert (await browser(stand).get(place)).status_code == 303, "nobody sees it without signing in"


async def test_the_list_says_when_to_whom_and_what_went_wrong(stand: Stand) -> None:
    await furnished(stand)
    await stand.create("/digests", {"name": "daily", "receiver": "finance", "cron": "0 9 * * *"})
    await stand.create("/digests", {"name": "resting", "receiver": "finance", "cron": "0 9 1 * *", "enabled": False})
    opened = await signed_in(stand, Role.VIEWER)
    page = (await opened.get("/pages/digests")).text
    assert "to finance, about the day before" in page
    assert "next: 2026-11-17 09:00 UTC" in page
    assert page.count("next:") == 1, "one that is off has none"
    assert page.count("none has been sent yet") == 2
    stand.channels.refusals["console"] = DeliveryError("the disk is full")
    run = answered(await stand.operator.post("/v1/digests/daily/send"), 202)
    await run_digest(stand.ports, run["id"])
    assert "on its way" in (await opened.get("/pages/digests")).text
    assert "the disk is full" in (await opened.get("/pages/digests/daily")).text


async def test_one_whose_times_cannot_be_told_says_so_and_is_still_shown(stand: Stand) -> None:
    await furnished(stand)
    await stand.create("/digests", {"name": "daily", "receiver": "finance", "cron": "0 9 * * *"})
    async with stand.engine.begin() as connection:
        await connection.execute(
            text("UPDATE resources SET spec = jsonb_set(spec, '{timezone}', '\"Europe/Gone\"') WHERE name = 'daily'")
        )
    await run_due_digests(stand.ports)
    opened = await signed_in(stand, Role.ADMIN)
    page = (await opened.get("/pages/digests/daily")).text
    assert "none is sent until its schedule or time zone is changed" in page
    assert "failing" in (await opened.get("/pages/digests")).text


async def test_a_viewer_reads_and_sends_nothing(stand: Stand) -> None:
    await furnished(stand)
    await stand.create("/digests", {"name": "daily", "receiver": "finance", "cron": "0 9 * * *"})
    opened = await signed_in(stand, Role.VIEWER)
    page = (await opened.get("/pages/digests/daily")).text
    assert "Send it now" not in page
    assert "/edit" not in page
    assert (await opened.post("/pages/digests/daily/send")).status_code == 403
    assert answered(await stand.viewer.get("/v1/digests/daily"))["last_run"] is None


async def test_a_schedule_that_is_none_stands_at_its_field(stand: Stand) -> None:
    await furnished(stand)
    opened = await signed_in(stand, Role.ADMIN)
    answer = await opened.post("/pages/digests/new", data=FORM | {"/cron": "every monday"})
    assert answer.status_code == 422
    assert "write five fields" in answer.text
    assert 'value="every monday"' in answer.text
    assert fields(answer.text).items() >= {"/name": "daily", "/timezone": "Europe/Berlin"}.items()
    assert answered(await stand.viewer.get("/v1/digests"))["items"] == []


async def test_a_digest_to_owners_shows_each_share(stand: Stand) -> None:
    await furnished(stand)
    await stand.create("/receivers", {"name": "research", "channels": [{"kind": "console"}]})
    owned = {"member": f"workspace:{ENG.workspace}", "owner": "research"}
    answered(await stand.admin.patch("/v1/owners", json={"items": [owned]}))
    opened = await signed_in(stand, Role.ADMIN)
    form = FORM | {"/receiver": "owner", "/fallback": "finance", "/timezone": "UTC"}
    answer = await opened.post("/pages/digests/new", data=form)
    assert answer.status_code == 303, answer.text
    place = answer.headers["location"]
    page = (await opened.get(place)).text
    assert "the owners, each their share, and finance the rest" in page
    assert "what has no owner: $0.00" in page
    (share,) = re.findall(r'href="(\?share=[^"]*)#says">what research owns', page)
    page = (await opened.get(f"{place}{share}")).text
    assert "what research owns: $123" in page
    (drawn,) = re.findall(r'<img src="([^"]*)"', page)
    assert share.removeprefix("?share=") in drawn
    assert (await opened.get(drawn)).status_code == 200
    untouched = fields((await opened.get(f"{place}/edit")).text)
    assert (untouched["/receiver"], untouched["/fallback"]) == ("owner", "finance")
    run = answered(await stand.operator.post("/v1/digests/daily/send"), 202)
    await run_digest(stand.ports, run["id"])
    assert "research, The worker's log" in unescape((await opened.get(place)).text)
