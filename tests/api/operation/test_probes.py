from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.api.stand import SOURCE, Stand, answered


async def readiness(stand: Stand) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a viewer and a stranger are answered."""
    return answered(await stand.viewer.get("/readyz")), answered(await stand.stranger.get("/readyz"))


async def test_what_is_late_is_shown_and_takes_no_process_out_of_service(stand: Stand) -> None:
    source = await stand.create("/sources", SOURCE)
    stand.clock.advance(timedelta(minutes=12))
    viewer, stranger = await readiness(stand)
    assert viewer["status"] == stranger["status"] == "late"
    polls, evaluations = viewer["late"]
    assert (polls["work"], evaluations["work"]) == ("polls", "evaluations")
    assert polls["first"] == [{"name": "production", "since": source["status"]["next_poll_at"]}]
    assert (polls["count"], polls["limit"]) == (1, "5m")
    assert "worker" in polls["next_step"]


async def test_a_stranger_reads_no_names(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    stand.clock.advance(timedelta(minutes=12))
    viewer, stranger = await readiness(stand)
    assert stranger["late"] == [{**one, "first": []} for one in viewer["late"]]
    assert "production" not in str(stranger)


async def test_a_disabled_source_waits_for_nobody(stand: Stand) -> None:
    await stand.create("/sources", {**SOURCE, "enabled": False})
    stand.clock.advance(timedelta(hours=1))
    assert (await readiness(stand))[1] == {"status": "ok", "late": []}
