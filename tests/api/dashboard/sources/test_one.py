"""A source's page: how fresh and whole it is, and what may be asked of it."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

from service.domain.access import Role
from service.domain.sources.poll import Poll, PollKind, PollState
from service.domain.sources.source import ReportName
from service.domain.spend.rows import CostRow, Dimensions
from service.domain.values.money import Money
from service.domain.values.resources import new_id
from service.workflows.ports.sources import SourceError
from service.workflows.sources.ingest import run_ingest
from tests.api.dashboard.browser import signed_in
from tests.api.stand import SOURCE, TODAY, Stand, answered


async def polled(stand: Stand) -> str:
    source = await stand.create("/sources", SOURCE)
    poll = answered(await stand.admin.post(f"/v1/sources/{source['id']}/poll"), 202)
    await run_ingest(stand.ports, source["id"], poll["id"])
    return str(source["id"])


async def test_days_say_how_much_is_known_of_them(stand: Stand) -> None:
    row = CostRow(Dimensions(workspace="wrkspc_eng"), Money.of("12.34"))
    stand.source.bill(TODAY - timedelta(days=5), row)
    stand.source.lacks.add(TODAY - timedelta(days=4))
    id = await polled(stand)
    page = (await (await signed_in(stand, Role.VIEWER)).get(f"/pages/sources/{id}")).text
    assert "Wed 11 Nov: complete, $12.34" in page
    assert "Late: Thu 12 Nov." in page
    assert "Fresh." in page
    assert "Poll now" not in page, "a viewer asks nothing of a source"


async def test_a_refused_report_shows_its_error_as_text(stand: Stand) -> None:
    stand.source.refusals[ReportName.COST] = SourceError("<script>no</script>", retryable=True)
    id = await polled(stand)
    page = (await (await signed_in(stand)).get(f"/pages/sources/{id}")).text
    assert "bill: &lt;script&gt;no&lt;/script&gt;" in page
    assert "Never read." in page
    assert "<script>no" not in page


async def test_an_admin_polls_checks_and_reads_the_past(stand: Stand) -> None:
    id = await polled(stand)
    opened = await signed_in(stand, Role.ADMIN)
    assert (await opened.post(f"/pages/sources/{id}/poll")).status_code == 303
    checked = (await opened.post(f"/pages/sources/{id}/check")).text
    assert "The key works." in checked
    assert f'<meta name="left-as" content="/pages/sources/{id}">' in checked
    assert (await opened.post(f"/pages/sources/{id}/backfill", data={"/since": "2026-01-01"})).status_code == 303
    refused = await opened.post(f"/pages/sources/{id}/backfill", data={"/since": "2026-13-01"})
    assert (refused.status_code, "no such day" in refused.text) == (422, True)
    assert 'value="2026-13-01"' in refused.text
    actions = [event["action"] for event in answered(await stand.admin.get("/v1/audit-events"))["items"]]
    assert actions[:3] == ["source.backfill", "source.check", "source.poll"]


async def test_polls_before_the_last_ones_are_a_link_away(stand: Stand) -> None:
    id = await polled(stand)
    async with stand.ports.uow() as uow:
        for _ in range(20):
            stand.clock.advance(timedelta(minutes=5))
            at = stand.clock()
            await uow.polls.add(Poll(new_id("poll", at), id, PollKind.SCHEDULED, PollState.FAILED, at))
    opened = await signed_in(stand)
    first = (await opened.get(f"/pages/sources/{id}")).text
    (older,) = re.findall(r'rel="next" href="([^"]+)"', first)
    second = (await opened.get(unescape(older))).text
    assert (first.count("scheduled"), second.count("scheduled")) == (12, 8)


async def test_an_operator_asks_nothing_of_a_source(stand: Stand) -> None:
    id = await polled(stand)
    opened = await signed_in(stand, Role.OPERATOR)
    for act in ("poll", "check", "backfill", "edit", "delete"):
        assert (await opened.post(f"/pages/sources/{id}/{act}", data={"/since": "2026-01-01"})).status_code == 403, act
