"""Whoever asks hears the product's time, not the machine's: a clock that is set may stand anywhere."""

from __future__ import annotations

from datetime import datetime

from tests.api.stand import Stand, answered


async def test_the_clock_is_the_product_s(stand: Stand) -> None:
    shown = answered(await stand.viewer.get("/v1/clock"))
    assert datetime.fromisoformat(shown["now"]) == stand.clock()
    assert (await stand.stranger.get("/v1/clock")).status_code == 401
