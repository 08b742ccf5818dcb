"""Feedback that people give on a rule's alert, and take back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, timedelta
from decimal import Decimal

from service.domain.alerts.alert import Alert, Command
from service.domain.alerts.evidence import RuleEvidence
from service.domain.messages.kinds import words_of
from service.domain.messages.people import known_as
from service.domain.rules.feedback import Feedback, FeedbackKind, GivenFeedback, validate_feedback
from service.domain.rules.limits import LONGEST_WINDOW
from service.domain.slack.requests import name_in
from service.domain.values.errors import Conflict, Invalid
from service.domain.values.plain_values import plainly
from service.domain.values.resources import new_id
from service.domain.values.scopes import ScopeKey
from service.workflows.alerts.attend import move_alert
from service.workflows.configuration.engine import Author, Difference, record
from service.workflows.ports.unit_of_work import UnitOfWork

LONGEST = timedelta(days=LONGEST_WINDOW)
LARGE_PART = Decimal("0.1")
"""A part of this share of the excess would fire by itself on the next day, for the same dollars."""


@dataclass(frozen=True, slots=True)
class FeedbackAnswer:
    """`first_day` and `last_day` are UTC days, both included; None: those that the alert is about."""

    kind: FeedbackKind
    first_day: date | None = None
    last_day: date | None = None
    note: str = ""


async def give_feedback(uow: UnitOfWork, alert_id: str, answer: FeedbackAnswer, author: Author) -> list[GivenFeedback]:
    """Keeps the answer for the alert's scope and its large parts, resolves the alert, and queues an evaluation.

    Raises NotFound, Invalid, and Conflict for an alert of no rule or an answer that was given already.
    """
    alert = await uow.alerts.get(alert_id)
    evidence = _evidence(alert)
    first, last = _days(alert, await _judged_days(uow, alert, evidence), evidence, answer, author)
    await _refuse_twice(uow, alert, answer.kind, (first, last), author)
    given = [
        GivenFeedback(
            id=new_id("fb", author.at),
            source_id=alert.source_id,
            rule_id=evidence.rule_id,
            alert_id=alert.id,
            feedback=Feedback(scope, answer.kind, first, last, author.at),
            given_by=author.actor,
            note=answer.note,
        )
        for scope in _scopes(alert, evidence, answer.kind)
    ]
    for one in given:
        await uow.feedback.add(one)
    detail = f"{answer.kind}, {first} to {last}: {_named(given)}"
    await record(uow, author, "alert.feedback", alert.id, detail, Difference(after={"given": plainly(given)}))
    if alert.is_open:
        await move_alert(uow, alert.id, Command.RESOLVE, f"{answer.kind}: {answer.note}".removesuffix(": "), author)
    await uow.jobs.evaluate(alert.source_id)
    return given


async def withdraw_feedback(uow: UnitOfWork, feedback_id: str, author: Author) -> None:
    """Withdraws feedback: from now on it does not count. Past verdicts stay. Raises NotFound and Conflict."""
    given = await uow.feedback.get(feedback_id)
    await uow.feedback.withdraw(feedback_id, author.actor, author.at)
    withdrawn = replace(given, withdrawn_at=author.at, withdrawn_by=author.actor)
    detail = f"{given.feedback.kind} of {given.feedback.scope}"
    await record(uow, author, "feedback.withdraw", feedback_id, detail, Difference.of(given, withdrawn))
    await uow.jobs.evaluate(given.source_id)


async def withdraw_answer(uow: UnitOfWork, feedback_id: str, author: Author) -> None:
    """Withdraws feedback and what was said with it of other scopes. Raises NotFound and Conflict."""
    given = await uow.feedback.get(feedback_id)
    for one in await uow.feedback.of_alert(given.alert_id):
        if one.is_said_with(given):
            await withdraw_feedback(uow, one.id, author)


def _evidence(alert: Alert) -> RuleEvidence:
    if isinstance(alert.evidence, RuleEvidence):
        return alert.evidence
    instead = words_of(alert.evidence).remedy
    raise Conflict(f"Feedback teaches rules, and no rule fired here: {instead}, or resolve the alert")


async def _judged_days(uow: UnitOfWork, alert: Alert, evidence: RuleEvidence) -> list[date]:
    """The days from those that opened the alert to those that were judged last: its evidence may have one of them."""
    opened = (await uow.alerts.events(alert.id))[0].alert.evidence
    known = [one.days for one in (opened, evidence, alert.newest) if isinstance(one, RuleEvidence)]
    return sorted(day for days in known for day in days) or [alert.opened_at.astimezone(UTC).date()]


def _days(
    alert: Alert, days: Sequence[date], evidence: RuleEvidence, answer: FeedbackAnswer, author: Author
) -> tuple[date, date]:
    """The days that the answer is about, by all that the alert is about. Raises Invalid."""
    today = author.at.astimezone(UTC).date()
    last = answer.last_day or max(days[-1], answer.first_day or days[-1])
    began = evidence.since.astimezone(UTC).date() if evidence.since else days[0]
    began = min(began, evidence.level.since) if evidence.level else began
    first = answer.first_day or max(min(began, last), last - LONGEST)
    validate_feedback(Feedback(alert.scope, answer.kind, first, last, author.at))
    if last > today:
        raise Invalid("feedback is about days that have begun", "/last_day")
    if last - first > LONGEST:
        raise Invalid(f"feedback is about {LONGEST.days} days at most", "/first_day")
    return first, last


async def _refuse_twice(
    uow: UnitOfWork, alert: Alert, kind: FeedbackKind, days: tuple[date, date], author: Author
) -> None:
    """Raises Conflict for the same answer again: a second "noise" would count twice."""
    for one in await uow.feedback.of_alert(alert.id):
        said = one.feedback
        if one.holds(author.at) and (said.kind, said.first_day, said.last_day) == (kind, *days):
            by = known_as(one.given_by, name_in(one.given_by, one.note))
            raise Conflict(f"{by} has answered this: withdraw {one.id} to take it back")


def _scopes(alert: Alert, evidence: RuleEvidence, kind: FeedbackKind) -> list[ScopeKey]:
    """The alert's own scope, and the one that its evidence is about.

    Feedback that changes a baseline is kept for the large parts, too; else each fires alone next.
    """
    scopes = [alert.scope, evidence.about or alert.scope]
    if kind is not FeedbackKind.NOISE:
        needed = evidence.excess * LARGE_PART
        scopes += [part.scope for part in evidence.contributions if part.amount >= needed]
    return list(dict.fromkeys(scopes))


def _named(given: list[GivenFeedback]) -> str:
    return ", ".join(str(one.feedback.scope) for one in given)
