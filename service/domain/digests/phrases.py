"""A digest in words, before any channel's own markup."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from service.domain.alerts.alert import AlertState
from service.domain.digests.alerts import Tally
from service.domain.digests.amounts import SMALLEST_MOVE, signed
from service.domain.digests.caching import caching_words
from service.domain.digests.claude_code import claude_code_words
from service.domain.digests.digest import BudgetStand, Digest, LoudRule, Mover, Portion, Portions
from service.domain.digests.periods import name_window
from service.domain.digests.usage import UsageReport
from service.domain.digests.usage_phrases import usage_facts
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
    spent = digest.spent.total.display()
    verb = "cost" if digest.share else "spent"
    return Message(
        alert_id=run_id,
        type=MessageType.DIGEST,
        state=AlertState.FIRING,
        severity=Severity.INFO,
        headline=f"{'SIMULATED: ' if digest.simulated else ''}{subject(digest)}",
        summary=f"{_capital(clean(digest.about))} {verb} {spent} from {period(digest.window, digest.timezone)}.",
        change="",
        facts=_facts(digest),
        next_step=_next_step(digest),
        link=f"{public_url.rstrip('/')}/pages/spend",
        simulated=digest.simulated,
    )


def period(window: Window, timezone: str) -> str:
    """From when to when on a wall clock: "Mon 09 Nov 2026, 09:00 to Mon 16 Nov 2026, 09:00 Europe/Berlin"."""
    zone = zone_of(timezone)
    label = "UTC" if timezone == "UTC" else clean(timezone)
    return f"{_local(window.start, zone)} to {_local(window.end, zone)} {label}"


def _local(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%a %d %b %Y, %H:%M}"


def subject(digest: Digest) -> str:
    """The digest in one line: "October: $16,324, down 5% (-$835) vs September"."""
    about = f", {clean(digest.about)}" if digest.is_part else ""
    name = name_window(digest.window, digest.timezone)
    return f"{name}{about}: {digest.spent.total.brief()}, {comparison(digest)}"


def comparison(digest: Digest) -> str:
    """How the period compares with the one before, where both are known: "up 8% (+$12.00) vs September"."""
    change, before = digest.change, digest.spent_before
    earlier = name_window(digest.before, digest.timezone)
    if not digest.is_comparable:
        return "not known in full" if digest.unknown_days else f"{earlier} is not known in full"
    if not change:
        return f"the same as {earlier}"
    direction = "up" if change > ZERO else "down"
    if before <= ZERO:
        return f"{direction} {abs(change).brief()} vs {earlier}"
    percent = abs(change).ratio_to(before) * 100
    return f"{direction} {percentage(percent)} ({signed(change)}) vs {earlier}"


def _facts(digest: Digest) -> Facts:
    spent = f"{digest.spent.total.display()}, {BASES[digest.spent.basis]}"
    return (
        ("Spent", f"{spent}; {_before(digest)}" if digest.is_comparable else spent),
        *_not_known(digest),
        *(_of_spend(digest) if digest.usage is None else _of_usage(digest, digest.usage)),
        ("Digest", clean(digest.name)),
        *((("Data", "simulated: nobody spent this money"),) if digest.simulated else ()),
    )


def _before(digest: Digest) -> str:
    by_weekday = digest.usage is not None and digest.usage.weekdays
    earlier = f"on {name_window(digest.before, digest.timezone)}" if by_weekday else "in the period before"
    return f"{digest.spent_before.display()} {earlier}"


def _not_known(digest: Digest) -> Facts:
    counts = ((digest.window, digest.unknown_days), (digest.before, digest.unknown_days_before))
    gaps = [
        f"of {days} UTC {'day' if days == 1 else 'days'} of {name_window(window, digest.timezone)}"
        for window, days in counts
        if days
    ]
    return (("Not known", f"the bill {', and '.join(gaps)}; what was not read counts as $0.00"),) if gaps else ()


def _of_spend(digest: Digest) -> Facts:
    return (
        *_portions(digest),
        *_movers(digest),
        *_caching(digest),
        *_claude_code(digest),
        ("Budgets at risk", _risks(digest.at_risk)),
        ("Alerts", f"{digest.tally.opened} opened, {digest.tally.resolved} resolved"),
        *_quality(digest.tally),
        *_loud(digest.loud_rules),
        *_missing(digest),
    )


def _of_usage(digest: Digest, usage: UsageReport) -> Facts:
    at_risk = (("Budgets at risk", _risks(digest.at_risk)),) if digest.at_risk else ()
    return (*usage_facts(digest, usage), *at_risk)


def _caching(digest: Digest) -> Facts:
    words = caching_words(digest.caching) if digest.caching else ""
    return (("Caching", words),) if words else ()


def _claude_code(digest: Digest) -> Facts:
    words = claude_code_words(digest.claude_code) if digest.claude_code else ""
    return (("Claude Code", words),) if words else ()


def _portions(digest: Digest) -> Facts:
    """Who spent it: a line a member, with its share and its change."""
    return tuple(
        (NOUNS[portions.dimension], "\n".join([_portion(one, digest) for one in portions.largest] + _others(portions)))
        for portions in digest.portions
        if portions.largest
    )


def _portion(one: Portion, digest: Digest) -> str:
    share = percentage(one.spent.ratio_to(digest.spent.total) * 100)
    moved = digest.is_comparable and abs(one.change) >= SMALLEST_MOVE
    return f"{clean(one.name)} {one.spent.brief()} ({share}{f', {signed(one.change)}' if moved else ''})"


def _others(portions: Portions) -> list[str]:
    return [f"others {portions.others.brief()}"] if portions.others >= SMALLEST_MOVE else []


def _missing(digest: Digest) -> Facts:
    tokens = digest.spent.unpriced_tokens
    return (("Missing", f"the cost of {tokens:,} tokens of models without a known price"),) if tokens else ()


def _movers(digest: Digest) -> Facts:
    """The largest changes of members that are not named with theirs already."""
    if not digest.is_comparable:
        return ()
    named = {(portions.dimension, one.name) for portions in digest.portions for one in portions.largest}
    rest = [
        (f"{NOUNS[movers.dimension]} {direction}", [one for one in moved if (movers.dimension, one.name) not in named])
        for movers in digest.movers
        for direction, moved in (("up", movers.up), ("down", movers.down))
    ]
    return tuple((label, ", ".join(map(_mover, moved))) for label, moved in rest if moved)


def _mover(mover: Mover) -> str:
    return f"{clean(mover.name)} {signed(mover.change)}"


def _risks(at_risk: tuple[BudgetStand, ...]) -> str:
    if not at_risk:
        return "none"
    named = "\n".join(_risk(risk) for risk in at_risk[:MOST_AT_RISK])
    return named if len(at_risk) <= MOST_AT_RISK else f"{named}\nand {len(at_risk) - MOST_AT_RISK} more"


def _risk(risk: BudgetStand) -> str:
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


def _loud(rules: tuple[LoudRule, ...]) -> Facts:
    """The rules that fire for nothing too often: what each would, and what to set."""
    lines = [
        f"{clean(one.name)}: up to {one.false:g} false alerts a quarter, {one.critical:g} of them critical"
        + (f"; {one.proposal} would give fewer" if one.proposal else "")
        for one in rules
    ]
    return (("Rules to adjust", "\n".join(lines)),) if lines else ()


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
    if digest.usage is not None and digest.usage.unpriced:
        model = clean(digest.usage.unpriced[0].model)
        return clean(f"Set a price for {model}: what it costs is in no figure before its bill.", NOTE_LENGTH)
    if digest.at_risk:
        return clean(f"Look at {digest.at_risk[0].budget_name} first: raise it, or find what spends it.", NOTE_LENGTH)
    if digest.tally.acknowledged < digest.tally.opened:
        return "Some alerts were answered by nobody: acknowledge them, or tell their rules that they were expected."
    return "Nothing to do."


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
