"""An alert about a channel that takes no messages says which, since when, and what to do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from service.domain.alerts.alert import Command, Reason
from service.domain.messages.kinds import words_of
from service.domain.messages.message import compose, describe
from service.domain.notify.notification import Action
from service.domain.values.scopes import ORGANISATION
from service.domain.values.severity import Severity
from tests.sample_alerts import ALERT, EVIDENCE, PUBLIC_URL, STALE, UNDELIVERED, event

FAILING = replace(
    ALERT, kind="undelivered", source_id="", scope=ORGANISATION, severity=Severity.ERROR, evidence=UNDELIVERED
)


def test_whoever_gives_feedback_hears_what_to_see_to() -> None:
    remedies = [words_of(evidence).remedy for evidence in (UNDELIVERED, EVIDENCE, STALE)]
    assert remedies == ["see to the channel that takes no messages", "change the budget", "see to the source"]


NOT_REACHED = (
    "3 messages did not reach receiver eng-oncall: "
    "Slack channel #spend answers channel_not_found since 08:31 UTC, Wed 14 Oct"
)


@pytest.mark.parametrize(
    ("command", "reason", "action", "said"),
    [
        (Command.OPEN, Reason.FIRST, Action.OPEN, ""),
        (Command.RAISE, Reason.RAISED, Action.RAISE, f"Now error: {NOT_REACHED}."),
        (Command.AMEND, Reason.RESTATED, Action.RAISE, f"Still going on: {NOT_REACHED}; nobody has acknowledged."),
        (Command.AMEND, Reason.RESTATED, Action.AMEND, "Still undelivered: 3 messages."),
        (
            Command.RESOLVE,
            Reason.RECOVERED,
            Action.RESOLVE,
            "Over: Slack channel #spend of receiver eng-oncall takes messages again.",
        ),
    ],
)
def test_each_move_is_said(command: Command, reason: Reason, action: Action, said: str) -> None:
    assert compose(event(command, reason, alert=FAILING), action, PUBLIC_URL).change == said


def test_it_says_what_waits_and_what_to_do() -> None:
    message = compose(event(alert=FAILING), Action.OPEN, PUBLIC_URL)
    assert message.headline == NOT_REACHED
    assert describe(FAILING) == f"{NOT_REACHED}. Whoever reads that channel is not warned."
    assert message.facts[:2] == (("Channel", "Slack channel #spend"), ("Last error", "channel_not_found"))
    assert message.next_step == "Fix Slack channel #spend of receiver eng-oncall, then send the receiver a test."


@pytest.mark.parametrize(
    ("channel", "place", "said"),
    [
        ("slack_bot:1f2e", "#spend", "Slack channel #spend answers"),
        ("email:1f2e", "ops@example.com, ann@example.com", "mail to ops@example.com, ann@example.com: "),
        ("teams:1f2e", "", "Teams: "),
    ],
)
def test_a_channel_is_named_as_people_know_it(channel: str, place: str, said: str) -> None:
    assert said in words_of(replace(UNDELIVERED, channel=channel, place=place)).headline()


@pytest.mark.parametrize(
    ("channel", "error", "said"),
    [
        ("webhook:1f2e", "the webhook cannot be reached: ConnectError", "the webhook cannot be reached: ConnectError"),
        ("webhook:1f2e", "the webhook may not be called: 10.1.2.3 is private", "the webhook may not be called: 10.1"),
        ("webhook:1f2e", "the webhook's secret cannot sign: no key", "the webhook: the webhook's secret cannot sign"),
        ("slack_webhook:1f2e", "Slack: HTTP 404", "Slack's webhook answers HTTP 404 since"),
        ("slack_webhook:1f2e", "Slack cannot be reached: TimeoutError", "Slack's webhook cannot be reached: Timeout"),
        (
            "alertmanager:1f2e",
            "Alertmanager am-1:9093 cannot be reached: ConnectError",
            "Alertmanager am-1:9093 cannot",
        ),
        ("email:1f2e", "refused: 550 no such user", "mail: refused: 550 no such user"),
        ("teams:1f2e", "", "Teams takes none since"),
    ],
)
def test_what_gave_no_answer_is_not_said_to_answer(channel: str, error: str, said: str) -> None:
    headline = words_of(replace(UNDELIVERED, channel=channel, channel_error=error, place="")).headline()
    assert f": {said}" in headline


def test_a_channel_is_not_named_twice_where_its_error_begins_with_it() -> None:
    refused = replace(UNDELIVERED, channel="webhook:0123456789ab", channel_error="the webhook: HTTP 404", place="")
    message = compose(event(alert=replace(FAILING, evidence=refused)), Action.OPEN, PUBLIC_URL)
    assert ": the webhook answers HTTP 404 since " in message.headline
    assert dict(message.facts)["Last error"] == "HTTP 404"
