"""A usage report in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from service.domain.digests.amounts import SMALLEST_MOVE, signed
from service.domain.digests.digest import Digest, Movers
from service.domain.digests.usage import Freshness, ModelUsage, PaidFor, UsageReport
from service.domain.sources.commitment import PriorityUse
from service.domain.spend.tokens import TokenCounts
from service.domain.values.calendars import local_date, zone_of
from service.domain.values.money import ZERO, Money
from service.domain.values.plain_text import clean, moment, percentage, scaled, short_day
from service.domain.values.scopes import Dimension

MOST_MODELS = 4
"""Named in a field of a Slack message, which holds no more."""
MOST_NAMED = 3
NOUNS = {Dimension.WORKSPACE: "workspace", Dimension.MODEL: "model", Dimension.API_KEY: "API key"}

Facts = tuple[tuple[str, str], ...]


def usage_facts(digest: Digest, usage: UsageReport) -> Facts:
    """The report's own facts, after what was spent."""
    of_days = "" if usage.days == digest.window else ", by UTC days"
    facts = (
        ("Same weekday", _weekdays(digest, usage)),
        ("Models", _models(digest, usage.models)),
        ("Moved most", _moves(digest)),
        (f"Paid for{of_days}", _paid(usage.paid_for)),
        (f"Without an API key{of_days}", _paid(usage.keyless)),
        ("Priority Tier", _priority(usage.priority)),
        ("Without a price", ", ".join(_unpriced(one) for one in usage.unpriced[:MOST_MODELS])),
        ("Known", _known(usage.freshness)),
    )
    return tuple((label, value) for label, value in facts if value)


def _weekdays(digest: Digest, usage: UsageReport) -> str:
    """ "$410 on Sat 22 Nov, $395 on Sat 15 Nov; median $402: this day is 17% above"."""
    usual, zone = usage.usual, zone_of(digest.timezone)
    if usual is None:
        return ""
    days = ", ".join(f"{amount.brief()} on {short_day(local_date(day.start, zone))}" for day, amount in usage.weekdays)
    against = "" if digest.unknown_days else _against(digest.spent.total, usual)
    return f"{days}; median {usual.brief()}{against}"


def _against(spent: Money, usual: Money) -> str:
    if usual <= ZERO or spent == usual:
        return ""
    share = percentage(abs(spent - usual).ratio_to(usual) * 100)
    return f": this day is {share} {'above' if spent > usual else 'below'}"


def _models(digest: Digest, models: Sequence[ModelUsage]) -> str:
    lines = [_model(one, digest) for one in models[:MOST_MODELS]]
    left = len(models) - MOST_MODELS
    return "\n".join([*lines, f"and {left} more"] if left > 0 else lines)


def _model(one: ModelUsage, digest: Digest) -> str:
    total, change = digest.spent.total, _change(one.change) if digest.is_comparable else ""
    share = f" ({percentage(one.spent.ratio_to(total) * 100)}{change})" if total > ZERO else ""
    used = f": {tokens_words(one.tokens)}" if one.tokens.all else ""
    return f"{clean(one.model)} {one.spent.brief()}{share}{used}"


def _change(change: Money) -> str:
    return f", {signed(change)}" if abs(change) >= SMALLEST_MOVE else ""


def tokens_words(tokens: TokenCounts) -> str:
    """ "1.2B tokens (80% of input cached, 90.0M output)"."""
    said = [f"{percentage(Decimal(tokens.read * 100) / tokens.input)} of input cached"] if tokens.read else []
    said += [f"{scaled(tokens.output)} output"] if tokens.output else []
    said += [f"{scaled(tokens.priority)} Priority Tier"] if tokens.priority else []
    return f"{scaled(tokens.all)} tokens" + (f" ({', '.join(said)})" if said else "")


def _moves(digest: Digest) -> str:
    ways = (_moved(digest.movers, 1), _moved(digest.movers, -1)) if digest.is_comparable else ()
    return "\n".join(filter(None, ways))


def _moved(movers: Iterable[Movers], direction: int) -> str:
    """The largest changes one way, of workspaces and keys: a model's stand beside its tokens."""
    moved = [
        (one.change, f"{NOUNS[each.dimension]} {clean(one.name)} {signed(one.change)}")
        for each in movers
        if each.dimension is not Dimension.MODEL
        for one in (each.up if direction > 0 else each.down)
    ]
    moved.sort(key=lambda one: abs(one[0]), reverse=True)
    return ", ".join(said for _, said in moved[:MOST_NAMED])


def _paid(parts: Iterable[PaidFor]) -> str:
    return ", ".join(f"{one.name} {one.spent.brief()}" for one in parts)


def _priority(use: PriorityUse) -> str:
    """ "300M of the 500M tokens committed for November are used, 200M left"."""
    commitment, month = use.commitment, f"{use.month.start:%B}"
    if commitment is not None and commitment.tokens is not None:
        left = commitment.tokens - use.tokens
        said = f"{scaled(use.tokens)} of the {scaled(commitment.tokens)} tokens committed for {month} are used"
        return f"{said}, {f'{scaled(left)} left' if left >= 0 else f'{scaled(-left)} beyond'}"
    if commitment is not None and commitment.usd is not None:
        rest = commitment.usd - use.estimate
        said = f"{use.estimate.brief()} (estimated) of the {commitment.usd.brief()} committed for {month} are used"
        return f"{said}, {f'{rest.brief()} left' if rest >= ZERO else f'{abs(rest).brief()} beyond'}"
    if not use.tokens:
        return ""
    return f"{scaled(use.tokens)} tokens in {month}, {use.estimate.brief()} estimated; they are in no bill"


def _unpriced(one: ModelUsage) -> str:
    return f"{clean(one.model)} {scaled(one.tokens.unpriced)} tokens"


def _known(freshness: Freshness) -> str:
    parts = [
        f"billed until {moment(freshness.billed_until)}" if freshness.billed_until else "no bill yet",
        f"usage until {moment(freshness.estimated_until)}" if freshness.estimated_until else "no usage yet",
        *(f"{count} {'day' if count == 1 else 'days'} {state}" for state, count in freshness.lacking.items() if count),
    ]
    return "; ".join(parts)
