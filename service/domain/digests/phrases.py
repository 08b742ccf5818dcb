"""A digest in words, before any channel's own markup."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from service.domain.alerts.alert import AlertState
from service.domain.digests.alerts import Tally
from service.domain.digests.digest import AtRisk, Digest, Mover
from service.domain.messages.phrases import BASES
from service.domain.notify.notification import Message, MessageType
from service.domain.values.calendars import zone_of
from service.domain.values.money import ZERO
from service.domain.values.periods import Window
from service.domain.values.plain_text import NOTE_LENGTH, clean, percentage
from service.domain.values.scopes import Dimension
from service.domain.values.severity import Severity

MOST_AT_RISK = 5
NOUNS = {Dimension.WORKSPACE: "Workspaces", Dimension.MODEL: "Models", Dimension.API_KEY: "API keys"}

Facts = tuple[tuple[str, str], ...]


def digest_message(digest: Digest, run_id: str, public_url: str) -> Message:
    """The message of one run."""
    name = clean(digest.name)
    spent = digest.spent.total.display()
    return Message(
        alert_id=run_id,
        type=MessageType.DIGEST,
        state=AlertState.FIRING,
        severity=Severity.INFO,
        headline=f"{'SIMULATED: ' if digest.simulated else ''}{name}: {spent}, {comparison(digest)}",
        summary=f"{_capital(clean(digest.about))} spent {spent} from {period(digest.window, digest.timezone)}.",
        change=f"{spent} from {period(digest.window, digest.timezone)}: {comparison(digest)} on the period before",
        facts=_facts(digest),
        next_step=_next_step(digest),
        link=f"{public_url.rstrip('/')}/v1/spend/breakdown",
        simulated=digest.simulated,
    )


def period(window: Window, timezone: str) -> str:
    """From when to when on a wall clock: "Mon 09 Nov 2026, 09:00 to Mon 16 Nov 2026, 09:00 Europe/Berlin"."""
    zone = zone_of(timezone)
    label = "UTC" if timezone == "UTC" else clean(timezone)
    return f"{_local(window.start, zone)} to {_local(window.end, zone)} {label}"


def _local(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%a %d %b %Y, %H:%M}"


def comparison(digest: Digest) -> str:
    """How the period compares with the one before: "up $12.00 (8.0 %)"."""
    change, before = digest.change, digest.spent_before
    if not change:
        return "as much as before"
    direction = "up" if change > ZERO else "down"
    percent = f" ({percentage(abs(change).ratio_to(before) * 100)})" if before > ZERO else ""
    return f"{direction} {abs(change).display()}{percent}"


def _facts(digest: Digest) -> Facts:
    spent, before = digest.spent, digest.spent_before.display()
    return (
        ("Spent", f"{spent.total.display()}, {BASES[spent.basis]}; {before} in the period before"),
        *_movers(digest),
        ("Budgets at risk", _risks(digest.at_risk)),
        ("Alerts", f"{digest.tally.opened} opened, {digest.tally.resolved} resolved"),
        *_quality(digest.tally),
        *((("Data", "simulated: nobody spent this money"),) if digest.simulated else ()),
    )


def _movers(digest: Digest) -> Facts:
    return tuple(
        (f"{NOUNS[movers.dimension]} {direction}", ", ".join(map(_mover, moved)))
        for movers in digest.movers
        for direction, moved in (("up", movers.up), ("down", movers.down))
        if moved
    )


def _mover(mover: Mover) -> str:
    sign = "+" if mover.change > ZERO else "−"
    return f"{clean(mover.name)} {sign}{abs(mover.change).display()}"


def _risks(at_risk: tuple[AtRisk, ...]) -> str:
    if not at_risk:
        return "none"
    named = "\n".join(_risk(risk) for risk in at_risk[:MOST_AT_RISK])
    return named if len(at_risk) <= MOST_AT_RISK else f"{named}\nand {len(at_risk) - MOST_AT_RISK} more"


def _risk(risk: AtRisk) -> str:
    """A budget in one line."""
    heading = f"{clean(risk.budget_name)} ({clean(risk.scope_name)})"
    if risk.forecast is not None and risk.spent <= risk.amount:
        return f"{heading}: heading for {risk.forecast.display()} of {risk.amount.display()}"
    return f"{heading}: {risk.spent.display()} of {risk.amount.display()} spent"


def _quality(tally: Tally) -> Facts:
    if not tally.opened:
        return ()
    after = f", after {duration(tally.acknowledged_after)} (median)" if tally.acknowledged_after is not None else ""
    parts = [
        f"{_share(tally.acknowledged, tally.opened)} acknowledged{after}",
        f"{tally.dismissed} dismissed as expected or noise",
        *([f"{tally.at_detection.display()} at detection (median)"] if tally.at_detection is not None else []),
    ]
    return (("Alert quality", "; ".join(parts)),)


def _share(part: int, whole: int) -> str:
    return percentage(Decimal(part * 100) / whole)


def duration(wait: timedelta) -> str:
    """To the minute, or to the hour from a day on: "12 min", "3 h 5 min", "2 d 4 h"."""
    minutes = int(wait / timedelta(minutes=1))
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def _next_step(digest: Digest) -> str:
    if digest.at_risk:
        return clean(f"Look at {digest.at_risk[0].budget_name} first: raise it, or find what spends it.", NOTE_LENGTH)
    if digest.tally.acknowledged < digest.tally.opened:
        return "Some alerts were answered by nobody: acknowledge them, or tell their rules that they were expected."
    return "Nothing to do."


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
