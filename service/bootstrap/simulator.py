"""The local Claude Admin API, and where `tocsin up` serves it."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI

from service.adapters.prices import list_price_book
from service.simulator.app import create_app
from service.simulator.world.demo import create_world
from service.simulator.world.replay import load_replay
from service.workflows.ports.platform import Clock


def simulator(seed: int, clock: Clock, replay: Path | None) -> FastAPI:
    """Returns the local Claude Admin API, with its own world or with one that repeats a file of series."""
    prices = list_price_book()
    if replay is not None:
        return create_app(load_replay(replay, prices, clock()), clock)
    return create_app(create_world(seed, prices, clock()), clock)
