"""A worker's process that is killed while Slack answers it: another one ends with one post and one chart."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from aiohttp import web

from service.workflows.delivery.deliver import run_delivery
from tests.fakes.slack import FakeSlack
from tests.workflows.delivery.doomed_sender import start
from tests.workflows.delivery.sending import SENT, SLACK, let_leases_run_out, open_alert
from tests.workflows.delivery.test_deliver_kills import RealSlack
from tests.workflows.yard import MINUTE, Yard

PATIENCE = 30
"""Seconds after which a worker that should have ended has not."""


@pytest.mark.parametrize(
    ("place", "posts", "charts"),
    [
        pytest.param("chat.postMessage asked", 1, 1, id="before the post"),
        pytest.param("chat.postMessage done", 2, 1, id="the post is out and nobody knows"),
        pytest.param("files.getUploadURLExternal asked", 1, 1, id="the receipt is stored"),
        pytest.param("files.completeUploadExternal asked", 1, 1, id="before the chart"),
        pytest.param("files.completeUploadExternal done", 1, 2, id="the chart is out and nobody knows"),
    ],
)
async def test_a_process_killed_beside_slack_leaves_one_post_and_one_chart(
    yard: Yard, database_url: str, place: str, posts: int, charts: int
) -> None:
    """Two only of what Slack did without our having its answer."""
    await yard.receive_with(SLACK)
    async with FakeSlack() as slack:
        yard.ports = replace(yard.ports, channels=RealSlack(slack))
        await open_alert(yard)
        worker, killed = start(database_url, yard.clock(), slack.api_url), asyncio.Event()
        try:

            async def kill(method: str, moment: str) -> None:
                if f"{method} {moment}" == place and not killed.is_set():
                    killed.set()
                    worker.kill()
                    if moment == "asked":
                        raise web.HTTPServiceUnavailable

            slack.meanwhile = kill
            await asyncio.to_thread(worker.join, PATIENCE)
        finally:
            worker.kill()
            worker.join(PATIENCE)
        assert worker.exitcode == -9
        yard.clock.advance(MINUTE)
        await let_leases_run_out(yard)
        await run_delivery(yard.ports)
        assert len(slack.messages("claude-spend")) == posts
        assert len([file for file in slack.files.values() if file.thread_ts]) == charts
    assert {one.state for one in await yard.notifications()} == {SENT}
