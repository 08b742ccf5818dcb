"""Answers that somebody may give to an alert on its page, and what each of them does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from service.domain.alerts.alert import Alert, AlertState, Command
from service.domain.alerts.evidence import RuleEvidence
from service.domain.alerts.snooze import SnoozeRequest
from service.domain.messages.people import known_as
from service.domain.rules.feedback import FeedbackKind, GivenFeedback
from service.domain.slack.requests import name_in
from service.domain.values.plain_text import moment
from service.workflows.alerts.attend import move_alert, snooze_alert
from service.workflows.alerts.feedback import FeedbackAnswer, give_feedback
from service.workflows.configuration.engine import Author
from service.workflows.ports.unit_of_work import UnitOfWork

ATTENDING: Mapping[str, str] = {
    "acknowledge": "Acknowledge",
    "snooze-1h": "Snooze 1 hour",
    "snooze-24h": "Snooze 24 hours",
    "resolve": "Resolve",
}
TEACHING: Mapping[str, str] = {
    "expected": "Expected: so from now on",
    "fixed": "Real, and fixed",
    "noise": "Noise: fire later",
}
"""Answers to a rule's alert that the rule learns from; each resolves it."""
_SNOOZES = {"snooze-1h": timedelta(hours=1), "snooze-24h": timedelta(hours=24)}
_COMMANDS = {"acknowledge": Command.ACKNOWLEDGE, "resolve": Command.RESOLVE}


def possible(alert: Alert) -> dict[str, str]:
    """Returns the answers that would move the alert, and their words."""
    if not alert.is_open:
        return {}
    done = {AlertState.ACKNOWLEDGED: {"acknowledge"}, AlertState.SNOOZED: set(_SNOOZES)}.get(alert.state, set())
    return {answer: words for answer, words in ATTENDING.items() if answer not in done}


def teaching(alert: Alert, given: Sequence[GivenFeedback]) -> dict[str, str]:
    """Returns the answers that would teach the alert's rule something, and their words."""
    if not isinstance(alert.evidence, RuleEvidence):
        return {}
    said = {one.feedback.kind.value for one in given if one.withdrawn_at is None}
    return {answer: words for answer, words in TEACHING.items() if answer not in said}


async def answer_with(uow: UnitOfWork, alert: Alert, answer: str, note: str, author: Author) -> None:
    """Carries an answer out; one that would change nothing is left as it is. Raises Conflict, Invalid."""
    if answer in TEACHING:
        if answer in teaching(alert, await uow.feedback.of_alert(alert.id)):
            await give_feedback(uow, alert.id, FeedbackAnswer(FeedbackKind(answer), None, None, note), author)
    elif answer in possible(alert):
        await _move(uow, alert.id, answer, note, author)


async def _move(uow: UnitOfWork, id: str, answer: str, note: str, author: Author) -> None:
    if answer in _SNOOZES:
        await snooze_alert(uow, id, SnoozeRequest(author.at + _SNOOZES[answer]), note, author)
    else:
        await move_alert(uow, id, _COMMANDS[answer], note, author)


@dataclass(frozen=True, slots=True)
class GivenLine:
    """Somebody's answer to an alert. `id` is of the feedback that may be taken back, empty where it was."""

    at: str
    words: str
    note: str
    id: str


def given_lines(given: Sequence[GivenFeedback]) -> list[GivenLine]:
    """Returns what was said when by whom, one line an answer; an answer about several scopes is one."""
    firsts = [one for place, one in enumerate(given) if not any(one.is_said_with(other) for other in given[:place])]
    return [_given_line(one) for one in firsts]


def _given_line(one: GivenFeedback) -> GivenLine:
    said, is_withdrawn = one.feedback, one.withdrawn_at is not None
    who = known_as(one.given_by, name_in(one.given_by, one.note))
    words = f"{TEACHING[said.kind]}, said {who}{', withdrawn' if is_withdrawn else ''}"
    return GivenLine(moment(said.given_at), words, one.note, "" if is_withdrawn else one.id)
