"""An alert as one message, before any channel's own markup. Its kind gives the words, this what all kinds share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from service.domain.alerts.alert import BY_A_PERSON, Alert, AlertEvent, AlertState, Command, Reason
from service.domain.messages.kinds import words_of
from service.domain.messages.kinds.undelivered import channel_name
from service.domain.messages.people import name_of_actor
from service.domain.messages.phrases import capital
from service.domain.messages.story import answer_of
from service.domain.messages.words import HEADLINE_NAME_LENGTH, Words
from service.domain.notify.notification import Action, Message, MessageType
from service.domain.notify.page_links import ALERT_PAGES, VALID_DAYS, LinkUse
from service.domain.slack.requests import name_in
from service.domain.values.plain_text import NOTE_LENGTH, clean, moment
from service.domain.values.resources import new_id
from service.domain.values.severity import Severity

ENDINGS = {
    Reason.BUDGET_GONE: "Resolved: the budget was deleted.",
    Reason.BUDGET_DISABLED: "Resolved: the budget was disabled.",
    Reason.BUDGET_EDITED: "Resolved: the budget was edited, and this alert no longer applies.",
    Reason.RULE_GONE: "Resolved: the rule was deleted.",
    Reason.RULE_DISABLED: "Resolved: the rule was disabled.",
    Reason.RULE_EDITED: "Resolved: the rule was edited, and this alert no longer applies.",
    Reason.NO_LONGER_KNOWN: "Resolved: no report says anything any more of what this alert is about.",
    Reason.SOURCE_GONE: "Resolved: the source was deleted.",
    Reason.SOURCE_DISABLED: "Resolved: the source was disabled.",
    Reason.CHANNEL_GONE: "Resolved: the channel is no longer part of its receiver.",
    Reason.INHIBITED: "Resolved: spend itself has crossed a threshold of this budget, and has its own alert.",
}
FULL_NAME_LENGTH = 200
"""The longest name that a resource may have."""
NOT_CONFIRMED = "Not confirmed by the bill"

TEST = "test"
"""The prefix of a test's id."""
SIMULATED = "SIMULATED: "
NEW_LINE = "\n"
OVER = {Reason.PERIOD_CLOSED: "Period closed"}
"""How an end of its own kind begins; others are just over."""


def compose(event: AlertEvent, action: Action, public_url: str, history: Sequence[AlertEvent] = ()) -> Message:
    """The message of one event. `public_url` is where people reach the API, `history` the alert's events up to it."""
    alert, evidence = event.alert, event.alert.evidence
    words = words_of(evidence, event.at if alert.is_open else None)
    base = public_url.rstrip("/")
    simulated = SIMULATED if evidence.simulated else ""
    happened = change(event, action, history)
    headline, next_step = f"{simulated}{words.headline()}", _next_step(event, action, f"{base}/v1")
    return Message(
        alert_id=alert.id,
        state=alert.state,
        severity=alert.severity,
        headline=headline,
        title="" if words.title() == words.headline() else f"{simulated}{words.title()}",
        notice=f"{simulated}{_notice(event, action, happened, words)}" if happened else "",
        summary=words_of(alert.newest, event.at).summary() if alert.is_open else "",
        change=happened,
        small_print=_small_print(event, words, history),
        facts=(*words.facts(), *words.parts(), *_in_full(words), ("Alert opened", moment(alert.opened_at))),
        next_step=next_step,
        page=words.page if words.page in next_step else "",
        link=f"{base}{ALERT_PAGES}/{alert.id}",
        simulated=evidence.simulated,
        version=alert.version,
        kind=alert.kind,
        has_figure=evidence.figure is not None,
        takes_feedback=evidence.takes_feedback,
        people=tuple({event.actor, alert.acknowledged_by or "", alert.resolved_by or ""} - {""}),
    )


def _in_full(words: Words) -> tuple[tuple[str, str], ...]:
    """The names that a headline cuts, once in full."""
    return tuple(
        (label, clean(name, FULL_NAME_LENGTH)) for label, name in words.names() if len(name) > HEADLINE_NAME_LENGTH
    )


def _small_print(event: AlertEvent, words: Words, history: Sequence[AlertEvent]) -> tuple[str, ...]:
    simulated = ("simulated: nobody spent this money",) if event.alert.evidence.simulated else ()
    return (standing_of(event, history), *words.small_print(), *simulated)


def _notice(event: AlertEvent, action: Action, happened: str, words: Words) -> str:
    """The one line of a moment. What is raised, corrected or over names its subject itself, mostly."""
    if event.reason is Reason.HANDED_ON and action in (Action.OPEN, Action.AMEND):
        to = "" if action is Action.OPEN else _to(event)
        return f"Handed on by {_who(event)}{to}: {words.headline()}"
    happened = happened.rstrip(".")
    is_whole = action is Action.RAISE or event.reason is Reason.CORRECTED
    if is_whole or (action is Action.RESOLVE and event.reason not in ENDINGS):
        return happened
    return f"{happened}: {words.headline()}"


def prefaced(message: Message, preface: str) -> Message:
    """The message with a sentence before what just happened; the same where there is nothing to say."""
    return replace(message, change=f"{preface} {message.change}".rstrip()) if preface else message


def sample(public_url: str, now: datetime) -> Message:
    """The message that a receiver's test sends."""
    return Message(
        alert_id=new_id(TEST, now),
        type=MessageType.TEST,
        state=AlertState.FIRING,
        severity=Severity.INFO,
        headline="This is a test from Tocsin",
        summary="Somebody asked Tocsin to test this receiver.",
        change="If you can read this, alerts will reach you here. Nothing is wrong.",
        facts=(("Sent", moment(now)),),
        next_step="",
        link=f"{public_url.rstrip('/')}/v1/receivers",
    )


def tested(receiver: str, channel: str, use: LinkUse, at: datetime) -> Message:
    """The page of a test that a channel of a receiver got: what an alert's link opens there."""
    answers = "Acknowledge and Snooze" if use is LinkUse.ANSWER else "none: links of this channel only show"
    return Message(
        alert_id="",
        type=MessageType.TEST,
        state=AlertState.FIRING,
        severity=Severity.INFO,
        headline="The test has arrived",
        summary=f"Somebody asked Tocsin at {moment(at)} to test {channel_name(receiver, channel)}. Nothing is wrong.",
        change="",
        facts=(
            ("An alert's link opens", "a page like this one: what happened, a chart, who spends, and what to do"),
            ("Buttons there", answers),
            ("Valid for", f"{VALID_DAYS} days from the message on, without a login"),
        ),
        next_step="There is nothing to do. To stop getting alerts here, change the receiver or the routes to it.",
        link="",
    )


def unlisted_words(message: Message) -> str:
    """The line below the listed alerts: "and 12 more"; empty where all are listed."""
    return f"and {message.unlisted} more" if message.unlisted else ""


def badge(message: Message) -> str:
    """State and severity in a word or two, for subjects and headings: "FIRING critical", "RESOLVED"."""
    if message.type in (MessageType.TEST, MessageType.DIGEST):
        return message.type.upper()
    if message.state is AlertState.FIRING:
        return f"FIRING {message.severity}"
    return message.state.upper()


def describe(alert: Alert) -> str:
    """The alert by now in one paragraph: the headline, and the lines below it."""
    words = words_of(alert.newest)
    simulated = SIMULATED if alert.newest.simulated else ""
    return f"{simulated}{words.headline()}. {' '.join(words.summary().split(NEW_LINE))}".rstrip()


def standing_of(event: AlertEvent, history: Sequence[AlertEvent] = ()) -> str:
    """Severity, state, who saw to it and who has it: "critical, acknowledged by ann, handed on to bob@example.com".

    `history` knows the names of ids.
    """
    alert = event.alert
    if alert.is_open:
        return f"{_open_standing(event, history)}{f', handed on{_to(event)}' if alert.holder else ''}"
    return f"resolved by {_who(event)}" if event.reason is Reason.PERSON else "resolved"


def _open_standing(event: AlertEvent, history: Sequence[AlertEvent]) -> str:
    alert = event.alert
    if alert.state is AlertState.ACKNOWLEDGED and alert.acknowledged_by:
        answers = [one for one in (*history, event) if one.actor == alert.acknowledged_by]
        note = next((one.note for one in reversed(answers) if name_in(one.actor, one.note)), "")
        return f"{alert.severity}, acknowledged by {name_of_actor(alert.acknowledged_by, note)}"
    if alert.state is AlertState.SNOOZED and alert.snoozed_until:
        return f"{alert.severity}, snoozed until {moment(alert.snoozed_until)}"
    return f"{alert.severity}, {alert.state}"


def _next_step(event: AlertEvent, action: Action, api: str) -> str:
    alert = event.alert
    if event.reason is Reason.HANDED_ON and action is Action.AMEND:
        return f"There is nothing to do here: {clean(alert.holder)} has it now."
    if alert.state is AlertState.RESOLVED:
        return words_of(alert.evidence).undo(f"{api}/alerts/{alert.id}")
    if alert.state is AlertState.ACKNOWLEDGED:
        return "Resolve it when it is dealt with."
    return words_of(alert.evidence).next_step(api)


def change(event: AlertEvent, action: Action, history: Sequence[AlertEvent] = ()) -> str:
    """The sentence that says what just happened, with the person's note where there is one; empty for an opening."""
    told_by_history = {Action.RESOLVE: _resolved, Action.SNOOZE: _snoozed}
    tell = told_by_history.get(action)
    sentence = tell(event, history) if tell else _CHANGES[action](event)
    note = "" if name_in(event.actor, event.note) else clean(event.note, NOTE_LENGTH)
    return f"{sentence} Note: {note}" if note and event.reason in BY_A_PERSON else sentence


def _who(event: AlertEvent) -> str:
    return name_of_actor(event.actor, event.note)


def _handed_on(event: AlertEvent) -> str:
    return f"Handed on by {_who(event)}{_to(event)}."


def _to(event: AlertEvent) -> str:
    return f" to {clean(event.alert.holder)}" if event.alert.holder else ""


def _opened(event: AlertEvent) -> str:
    if event.reason is Reason.HANDED_ON:
        return _handed_on(event)
    return words_of(event.alert.evidence).opening(event.reason)


def _raised(event: AlertEvent) -> str:
    alert = event.alert
    standing = words_of(alert.evidence, event.at).standing(event.reason)
    if event.command is Command.WAKE:
        return f"The snooze is over{_grown(event)}: {standing}."
    if event.command is Command.RAISE:
        return f"Now {alert.severity}: {standing}."
    # A channel that is notified again hears how things stand: the last move may have been one that notifies nobody.
    unanswered = "; nobody has acknowledged" if alert.state is AlertState.FIRING else ""
    handed = f"{_handed_on(event)} " if event.reason is Reason.HANDED_ON else ""
    return f"{handed}Still going on: {standing}{unanswered}."


def _grown(event: AlertEvent) -> str:
    figure = event.alert.evidence.figure
    return f", grown to {figure.brief()}" if event.reason is Reason.GREW and figure else ""


def _until(alert: Alert) -> str:
    """ " until 2026-10-14 09:31 UTC, or until it reaches $18.00"."""
    time = f"until {moment(alert.snoozed_until)}" if alert.snoozed_until else ""
    growth = f"until it reaches {alert.snoozed_above.brief()}" if alert.snoozed_above else ""
    said = ", or ".join(filter(None, (time, growth)))
    return f" {said}" if said else ""


def _amended(event: AlertEvent) -> str:
    if event.reason is Reason.HANDED_ON:
        return _handed_on(event)
    return f"{words_of(event.alert.evidence).amended(event.reason)}."


def _acknowledged(event: AlertEvent) -> str:
    return f"Acknowledged by {_who(event)}."


def _snoozed(event: AlertEvent, history: Sequence[AlertEvent]) -> str:
    """ "Snoozed by ann until 10:00 UTC"; "Snoozed again by bob, now until 12:00 UTC" where it slept already."""
    before = [one.alert.state for one in history if one.alert.version < event.alert.version]
    slept = bool(before) and before[-1] is AlertState.SNOOZED
    return f"Snoozed{' again' if slept else ''} by {_who(event)}{', now' if slept else ''}{_until(event.alert)}."


def _resolved(event: AlertEvent, history: Sequence[AlertEvent]) -> str:
    """How it ended, what it cost, and who answered: "Over: support-bot was back to normal at 19:00 UTC. $312 ..."."""
    words, answer = words_of(event.alert.evidence), answer_of(history)
    answered = answer.words(event.alert.evidence.figure) if answer else ""
    cost = "" if event.reason in {*ENDINGS, Reason.NOT_CONFIRMED} else words.cost()
    told = "; ".join(filter(None, (cost, answered)))
    return f"{_end(event, words)}{f' {capital(told)}.' if told else ''}"


def _end(event: AlertEvent, words: Words) -> str:
    if event.reason is Reason.PERSON:
        return f"Resolved by {_who(event)}: {words.title()}."
    own = words.ended(event.reason)
    if event.reason is Reason.NOT_CONFIRMED:
        return f"{NOT_CONFIRMED}{f': {own}' if own else ''}. Closed."
    return f"{OVER.get(event.reason, 'Over')}: {own}." if own else ENDINGS.get(event.reason, "Resolved.")


_CHANGES = {
    Action.OPEN: _opened,
    Action.RAISE: _raised,
    Action.AMEND: _amended,
    Action.ACKNOWLEDGE: _acknowledged,
}
