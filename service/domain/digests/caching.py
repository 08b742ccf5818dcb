"""The saving by prompt caching in a digest's period, beside that of the period before."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from service.domain.spend.caching import CacheFigure
from service.domain.values.money import ZERO, Money
from service.domain.values.periods import Window
from service.domain.values.plain_text import percentage
from service.domain.values.utc import DAY, day_start

SMALLEST_LOSS = Money.of("0.01")


@dataclass(frozen=True, slots=True)
class CacheCompared:
    """Input of the period's whole UTC days, and of those of the period before."""

    now: CacheFigure
    before: CacheFigure


def whole_days(window: Window) -> Window | None:
    """The UTC days that lie wholly in a window; None where there is none. Caching is known by the UTC day."""
    start, end = day_start(window.start), day_start(window.end)
    start = start if start == window.start else start + DAY
    return Window(start, end) if start < end else None


def caching_words(caching: CacheCompared) -> str:
    """The caches in one line; empty where nothing was written to one or read from one."""
    now, share = caching.now, caching.now.hit_share
    if share is None or not (now.read or now.written_5m or now.written_1h):
        return ""
    before = caching.before.hit_share
    parts = [
        f"{percentage(share * Decimal(100))} of the input came from a cache"
        + (f" ({percentage(before * Decimal(100))} in the period before)" if before is not None else ""),
        f"{now.saved.display()} saved" if now.saved >= ZERO else f"{abs(now.saved).display()} more than without caches",
    ]
    lost = now.unread_5m + now.unread_1h
    if lost >= SMALLEST_LOSS:
        parts.append(f"at least {lost.display()} paid for writes that nobody read")
    return "; ".join(parts)
