"""Several alerts in one message: what it counts, what it lists, and what has happened since."""

from __future__ import annotations

from dataclasses import replace

from service.domain.alerts.alert import AlertEvent, AlertState, Command, Reason
from service.domain.messages.message import badge, unlisted_words
from service.domain.messages.summary import MOST_LISTED, summarise
from service.domain.notify.notification import Message
from service.domain.values.severity import Severity
from tests.sample_alerts import (
    ALERT,
    EVIDENCE,
    HOSTILE_NAMES,
    OPENED,
    PUBLIC_URL,
    event,
    hostile,
)


def opened(id: str, severity: Severity = Severity.WARNING) -> AlertEvent:
    return event(alert=replace(ALERT, id=id, severity=severity))


def acknowledged(id: str) -> AlertEvent:
    return event(Command.ACKNOWLEDGE, Reason.PERSON, alert=replace(ALERT, id=id), actor="slack:U0ADA")


def resolved(id: str) -> AlertEvent:
    return event(Command.RESOLVE, Reason.PERSON, alert=replace(ALERT, id=id), actor="ann")


def summary(*present: AlertEvent, news: tuple[AlertEvent, ...] = ()) -> Message:
    return summarise("ntf_1", present, news, PUBLIC_URL)


def test_a_summary_counts_by_severity_and_what_is_over() -> None:
    present = [opened("a", Severity.CRITICAL), opened("b"), opened("c"), resolved("d")]
    assert summary(*present).headline == "4 alerts: 1 critical, 2 warnings, 1 resolved"
    assert summary(opened("a", Severity.INFO), opened("b", Severity.INFO)).headline == "2 alerts: 2 info"


def test_the_worst_that_is_open_gives_the_colour_and_the_most_pressing_state_the_badge() -> None:
    assert badge(summary(opened("a"), resolved("b"), acknowledged("c"))) == "FIRING warning"
    assert badge(summary(acknowledged("a"), resolved("b"))) == "ACKNOWLEDGED"


def test_when_all_is_over_it_says_so_and_asks_for_nothing() -> None:
    message = summary(resolved("a"), resolved("b"))
    assert (message.headline, message.state) == ("2 alerts: all resolved", AlertState.RESOLVED)
    assert message.next_step == ""


def test_each_alert_is_listed_with_its_link_and_how_it_stands_the_worst_first() -> None:
    message = summary(resolved("a"), acknowledged("b"), opened("c"), opened("d", Severity.CRITICAL))
    assert [(one.link.rpartition("/")[2], one.standing) for one in message.listed] == [
        ("d", "critical, firing"),
        ("c", "warning, firing"),
        ("b", "critical, acknowledged by slack:U0ADA"),
        ("a", "resolved by ann"),
    ]
    assert message.people == ("ann", "slack:U0ADA", "tocsin")
    assert (message.kind, message.facts) == (None, ())


def test_what_is_too_much_is_counted() -> None:
    message = summary(*(opened(f"alrt_{n:02}") for n in range(MOST_LISTED + 48)))
    assert (len(message.listed), unlisted_words(message)) == (MOST_LISTED, "and 48 more")
    assert message.headline == "60 alerts: 60 warnings"
    assert unlisted_words(summary(opened("a"), opened("b"))) == ""


def test_an_edit_tells_what_has_just_happened_to_which_alert() -> None:
    fresh = summary(opened("a"), opened("b"))
    assert (fresh.change, fresh.summary) == ("", "Opened at 09:31 UTC, Wed 14 Oct.")
    said = summary(acknowledged("a"), opened("b"), news=(acknowledged("a"),)).change
    assert said.startswith("Acknowledged by slack:U0ADA: Budget eng monthly (workspace Research) exceeded")
    raised = event(Command.RAISE, Reason.RAISED)
    assert "Now critical: Budget eng monthly" in summary(raised, opened("b"), news=(raised,)).change


def test_much_news_at_once_is_cut() -> None:
    news = tuple(resolved(f"alrt_{n}") for n in range(8))
    said = summary(*news, news=news).change
    assert said.count("Resolved by ann: Budget") == 5
    assert said.endswith("And 3 more.")


def test_invented_spend_is_marked_where_all_of_it_is() -> None:
    invented = event(alert=replace(ALERT, id="a"), evidence=replace(EVIDENCE, simulated=True))
    assert summary(invented, invented).headline.startswith("SIMULATED: 2 alerts")
    mixed = summary(invented, opened("b"))
    assert (mixed.headline[:8], mixed.simulated) == ("2 alerts", False)
    assert sum(one.headline.startswith("SIMULATED") for one in mixed.listed) == 1


def test_names_from_outside_stay_on_one_line() -> None:
    for name in HOSTILE_NAMES:
        message = summary(event(evidence=hostile(name)), event(evidence=hostile(name)))
        assert all("\n" not in one.headline and len(one.headline) < 300 for one in message.listed)


def test_alerts_of_different_minutes_say_from_when_to_when() -> None:
    later = replace(opened("b"), alert=replace(ALERT, id="b", opened_at=OPENED.replace(hour=10)))
    assert summary(opened("a"), later).summary == "Opened from 09:31 UTC, Wed 14 Oct to 10:31 UTC, Wed 14 Oct."
