"""Dollars and shares in what people read: to the cent at most, whatever the figures behind them are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from service.domain.alerts.alert import Alert, AlertEvent, AlertState, Command, Reason
from service.domain.alerts.evidence import Evidence
from service.domain.messages.message import compose, describe
from service.domain.messages.parts import parts_tables
from service.domain.messages.summary import summarise
from service.domain.notify.notification import Action, Message
from service.domain.rules.wording import dollars
from service.domain.values.money import Money
from tests.sample_alerts import AHEAD, ALERT, DROP, EVIDENCE, PUBLIC_URL, RULE

HOUR = datetime(2026, 10, 14, 8, tzinfo=UTC)
HOURLY = replace(RULE, hour=HOUR, since=HOUR, unit="US dollars an hour", impact=Money.of("1700"))
ESTIMATE = replace(HOURLY, billed=Money.of("0.2"), calm_since=HOUR + timedelta(hours=3))
CASES = (EVIDENCE, AHEAD, replace(EVIDENCE, late=True, fired_on=Money.of("3")), RULE, DROP, HOURLY, ESTIMATE)
COMMANDS = (Command.OPEN, Command.RAISE, Command.AMEND, Command.ACKNOWLEDGE, Command.SNOOZE, Command.RESOLVE)
AMOUNTS = st.decimals("0.000000000001", "99999999", places=12).map(Money)

TOO_FINE = re.compile(r"\$[\d,]*\.(?:\d{3}|\d(?!\d))")
FRACTION = re.compile(r"[1-9]\d*\.\d+ ?%")
RAW = re.compile(r"Money\(|Decimal\(|api_key|None|\d[eE][-+]\d")


def with_amounts(value: Any, amounts: Iterator[Money]) -> Any:
    """The value with every amount in it replaced."""
    if isinstance(value, Money):
        return next(amounts)
    if isinstance(value, tuple):
        return tuple(with_amounts(one, amounts) for one in value)
    if is_dataclass(value) and not isinstance(value, type):
        new = {field.name: with_amounts(getattr(value, field.name), amounts) for field in fields(value)}
        return replace(value, **new)
    return value


def texts(message: Message) -> list[str]:
    facts = [text for fact in message.facts for text in fact]
    listed = [text for one in message.listed for text in (one.headline, one.standing)]
    return [message.one_line, message.headline, message.title, message.summary, message.change, *facts, *listed]


def said(evidence: Evidence, grown_to: Money, command: Command, reason: Reason) -> Iterator[str]:
    """All that is said of an alert with this evidence at a move."""
    alert = replace(ALERT, evidence=evidence, kind=evidence.kind, snoozed_above=grown_to)
    event = _event(alert, command, reason)
    yield from texts(compose(event, Action(command), PUBLIC_URL, (event,)))
    yield from texts(summarise("sum_1", [event], [event], PUBLIC_URL))
    yield describe(alert)
    yield from (text for table in parts_tables(evidence) for row in table.rows for text in row)


def _event(alert: Alert, command: Command, reason: Reason) -> AlertEvent:
    states = {Command.SNOOZE: AlertState.SNOOZED, Command.RESOLVE: AlertState.RESOLVED}
    until = alert.opened_at + timedelta(hours=1) if command is Command.SNOOZE else None
    moved = replace(alert, state=states.get(command, AlertState.FIRING), snoozed_until=until)
    return AlertEvent(moved, alert.opened_at, command, "ann", reason)


@given(
    evidence=st.sampled_from(CASES),
    amounts=st.lists(AMOUNTS, min_size=20, max_size=20),
    command=st.sampled_from(COMMANDS),
    reason=st.sampled_from(Reason),
)
def test_no_text_shows_more_than_cents(
    evidence: Evidence, amounts: list[Money], command: Command, reason: Reason
) -> None:
    odd = with_amounts(evidence, iter(amounts))
    for text in said(odd, amounts[-1], command, reason):
        assert TOO_FINE.search(text) is None, text
        assert FRACTION.search(text) is None, text
        assert RAW.search(text) is None, text


@given(st.floats(-1e9, 1e9))
def test_a_rules_sentence_and_a_message_round_alike(usd: float) -> None:
    assert dollars(usd) == Money(Decimal(f"{usd:.6f}")).display()
    assert TOO_FINE.search(dollars(usd)) is None


def test_the_page_and_the_message_show_the_same_dollars() -> None:
    """The page wrote $54.69 where the message had $54.70."""
    part = replace(RULE.contributions[1], amount=Money.of("54.699999999"))
    other = replace(RULE.contributions[2], amount=Money.of("5.5"))
    evidence = replace(RULE, actual=Money.of("80.3"), expected=Money.of("20.1"), contributions=(part, other))
    (table,) = parts_tables(evidence)
    assert table.rows == (("ci", "$54.70", "90%"), ("batch", "$5.50", "9%"))
    shown = dict(compose(_event(replace(ALERT, evidence=evidence), Command.OPEN, Reason.FIRST), Action.OPEN, "").facts)
    assert shown["Excess by API key"] == "ci $54.70\nbatch $5.50"


def test_parts_below_one_percent_are_dropped_and_shares_of_more_than_all_are_not_said() -> None:
    small = replace(RULE.contributions[1], amount=Money.of("0.40"))
    whole = replace(RULE.contributions[2], amount=Money.of("50"))
    evidence = replace(RULE, actual=Money.of("50"), expected=Money.of("5"), contributions=(whole, small))
    (table,) = parts_tables(evidence)
    assert (table.noun, table.rows) == ("API key", (("batch", "$50.00", ""),))
