"""The chart of a digest: its period in pieces, each beside the same piece of the period before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise

from service.domain.charts.chart import DAY, SHORT, Chart, Point
from service.domain.digests.digest import Digest
from service.domain.digests.phrases import comparison, period
from service.domain.values.money import Money
from service.domain.values.periods import Window
from service.domain.values.plain_text import clean

HOUR, WEEK = timedelta(hours=1), timedelta(days=7)
LONG = timedelta(days=62)
"""Periods beyond this one are cut into weeks."""


def pieces(window: Window) -> list[Window]:
    """Equal parts of a period: about an hour, a day or a week each. So a clock change makes no sliver at the end."""
    length = window.end - window.start
    count = max(1, round(length / _bucket(length)))
    edges = [window.start + length * n / count for n in range(count)] + [window.end]
    return [Window(start, end) for start, end in pairwise(edges)]


def _bucket(length: timedelta) -> timedelta:
    return HOUR if length <= SHORT else DAY if length <= LONG else WEEK


def digest_chart(digest: Digest, now: Sequence[Money], before: Sequence[Money]) -> Chart:
    """`now` and `before` are US dollars of the pieces of the digest's period and of the one before, in order.

    A month of 31 days beside one of 30: what the shorter one lacks is left out.
    """
    own = pieces(digest.window)
    bucket = own[0].end - own[0].start
    simulated = "Simulated data. " if digest.simulated else ""
    when = period(digest.window, digest.timezone)
    compared = comparison(digest)
    axis = "" if digest.timezone == "UTC" else "; the axis is UTC"
    return Chart(
        title=f"{digest.spent.total.display()}, {compared}",
        subtitle=(clean(digest.name), f"{simulated}Spend from {when}{axis}"),
        alt=f"{simulated}Spend of {clean(digest.about)} from {when}: {digest.spent.total.display()}, {compared}.",
        actual=tuple(Point(piece.start, amount) for piece, amount in zip(own, now, strict=True)),
        bucket=bucket,
        before=tuple(Point(piece.start, amount) for piece, amount in zip(own, before, strict=False)),
        span=digest.window,
    )
