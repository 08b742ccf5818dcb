"""How much is used in an hour, and in each of its minutes."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from typing import Protocol

from service.simulator.world.chance import chance
from service.simulator.world.records import Quantities, Stream


class Volume(Protocol):
    """How much a stream uses, before anything goes wrong."""

    def hour(self, stream: Stream, hour: datetime) -> Quantities: ...

    def mean_hour(self, stream: Stream) -> Quantities:
        """The long-run hourly mean, which incidents are measured by."""


def split(whole: Quantities, seed: int, stream: Stream, hour: datetime) -> list[Quantities]:
    """Sixty uneven minutes that add up to the hour exactly."""
    drawn = chance(seed, "minutes", stream, hour)
    weights = [0.5 + (drawn * 997 + index * 0.618034) % 1 for index in range(60)]
    shares, running = [0.0], 0.0
    for weight in weights:
        running += weight
        shares.append(running)
    marks = [share / running for share in shares[:-1]] + [1.0]
    return [
        Quantities(*(int(count * after) - int(count * before) for count in whole)) for before, after in pairwise(marks)
    ]
