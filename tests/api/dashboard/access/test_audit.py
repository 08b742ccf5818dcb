"""The audit log, page by page."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

from service.domain.access import Role
from service.workflows.configuration.engine import Author, record
from tests.api.dashboard.browser import signed_in
from tests.api.stand import SOURCE, Stand, answered


async def test_older_events_are_on_the_next_page_and_a_change_shows_both_values(stand: Stand) -> None:
    source = await stand.create("/sources", SOURCE)
    async with stand.ports.uow() as uow:
        for number in range(50):
            stand.clock.advance(timedelta(seconds=1))
            await record(uow, Author("token:deploy", stand.clock()), "source.poll", source["id"], f"number {number}")
    answered(await stand.admin.patch(f"/v1/sources/{source['id']}", json={"poll_interval": "7m"}))
    opened = await signed_in(stand, Role.ADMIN)
    first = (await opened.get("/pages/audit")).text
    assert "poll_interval" in first
    assert "source: create" not in first
    (older,) = re.findall(r'href="(/pages/audit\?cursor=[^"]+)"', first)
    assert "source: create" in (await opened.get(unescape(older))).text
    assert "FAKE-production" not in (await opened.get(unescape(older))).text
