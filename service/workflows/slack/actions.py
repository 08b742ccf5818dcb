"""A button pressed under an alert in Slack: it does what the REST API does, as far as the person may."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from service.domain.alerts.alert import AlertEvent, Command, Reason
from service.domain.alerts.snooze import SnoozeRequest
from service.domain.messages.people import name_of_actor
from service.domain.rules.feedback import FeedbackKind
from service.domain.slack.hand_on import HolderQuestion
from service.domain.slack.requests import (
    GROWTH,
    SNOOZES,
    Deed,
    Press,
    SlackRole,
    SlackUser,
    button_value,
    escaped,
    tomorrow_morning,
    who,
)
from service.domain.values.errors import DomainError, NotFound
from service.domain.values.plain_text import clean
from service.workflows.access.refusals import SLACK_REFUSED
from service.workflows.alerts import feedback
from service.workflows.alerts.attend import move_alert, snooze_alert
from service.workflows.alerts.hand_on import hand_alert_on, possible_holders
from service.workflows.configuration.engine import Author, record
from service.workflows.configuration.notify import slack_user
from service.workflows.ports.channels import SlackReplies
from service.workflows.ports.unit_of_work import Ports, UnitOfWork
from service.workflows.slack.people import author_of

UNCHANGED = "Nothing was changed; the message shows how it stands."
_MOVES = {Deed.ACKNOWLEDGE: Command.ACKNOWLEDGE, Deed.RESOLVE: Command.RESOLVE}
_ANSWERS = {Deed.EXPECTED: FeedbackKind.EXPECTED, Deed.NOT_USEFUL: FeedbackKind.NOISE}
_HOURS = {Deed.SNOOZE_1H: timedelta(hours=1), Deed.SNOOZE_4H: timedelta(hours=4)}


@dataclass(frozen=True, slots=True)
class PressReply:
    """The outcome of a press. `text` is Slack's mrkdwn, for the person alone; empty where the message says it all.

    `question`: what has to be asked first, None where nothing has.
    """

    done: bool
    text: str = ""
    question: HolderQuestion | None = None


async def reply_to(replies: SlackReplies, press: Press, reply: PressReply) -> None:
    """Shows the person what became of a press, where there is something to show."""
    if reply.question is not None:
        await replies.ask(press.response_url, reply.question)
    elif press.to:
        await replies.settle(press.response_url, reply.text)
    elif not reply.done:
        await replies.tell(press.response_url, reply.text)


async def run_slack_action(ports: Ports, press: Press, default_role: SlackRole) -> PressReply:
    """Carries the press out once, or says why not. Whoever is second is shown who moved the alert first."""
    try:
        return await _run_attempt(ports, press, default_role)
    except DomainError:  # somebody was faster, or the alert does not allow it: the next attempt sees which
        return await _run_last_attempt(ports, press, default_role)


async def _run_last_attempt(ports: Ports, press: Press, default_role: SlackRole) -> PressReply:
    try:
        return await _run_attempt(ports, press, default_role)
    except DomainError as error:
        return await _run_refusal(ports, press, str(error))


async def _run_attempt(ports: Ports, press: Press, default_role: SlackRole) -> PressReply:
    author = author_of(press.person, ports.clock())
    async with ports.uow() as uow:
        user = await slack_user(uow, press.person, default_role)
        refusal = _missing_role(user, press.deed) or await _moved_since(uow, press)
        if refusal is not None:
            return await _refuse(uow, press, refusal, author)
        if press.deed is Deed.HAND_ON:
            return await _hand_on(uow, press, author)
        await _carry_out(uow, press, user, author)
    return PressReply(done=True)


async def _run_refusal(ports: Ports, press: Press, why: str) -> PressReply:
    async with ports.uow() as uow:
        return await _refuse(uow, press, escaped(why), author_of(press.person, ports.clock()))


async def _refuse(uow: UnitOfWork, press: Press, text: str, author: Author) -> PressReply:
    await record(
        uow, author, SLACK_REFUSED, press.alert_id, f"{press.deed} by {press.person.note or author.actor}: {text}"
    )
    return PressReply(done=False, text=text)


def _missing_role(user: SlackUser, deed: Deed) -> str | None:
    if user.role.allows(deed.needs):
        return None
    return f"This needs the role {deed.needs} in Tocsin, and yours is {user.role}. An admin can change that."


async def _moved_since(uow: UnitOfWork, press: Press) -> str | None:
    """Says how the alert has moved since the message was written; None where at most its figures changed.

    Nobody moves it from here on: who answers at the same moment is seen.
    """
    try:
        await uow.alerts.lock(press.alert_id)
    except NotFound:
        return "There is no such alert any more."
    events = await uow.alerts.events(press.alert_id)
    answers = [e for e in events if e.command is not Command.AMEND or e.reason is Reason.HANDED_ON]
    since = [e for e in answers if e.alert.version > press.version]
    return f"{_describe(since[-1])} {UNCHANGED}" if since else None


def _describe(event: AlertEvent) -> str:
    by = who(name_of_actor(event.actor))
    match event.command:
        case Command.RESOLVE:
            return f"Already resolved by {by}."
        case Command.ACKNOWLEDGE:
            return f"Already acknowledged by {by}."
        case Command.SNOOZE:
            return f"Already snoozed by {by}."
        case Command.AMEND:
            return f"Already handed on by {by} to {escaped(clean(event.alert.holder))}."
        case Command.WAKE:
            return "Its snooze is over, and it fires again."
        case _:
            return f"It has been raised to {event.alert.severity} since."


async def _hand_on(uow: UnitOfWork, press: Press, author: Author) -> PressReply:
    """Asks to whom, and does it once that is said."""
    if press.to:
        event = await hand_alert_on(uow, press.alert_id, press.to, press.person.note, author)
        return PressReply(done=True, text=f"Handed on to {escaped(clean(event.alert.holder))}.")
    holders = await possible_holders(uow, await uow.alerts.get(press.alert_id), author.at)
    if not holders:
        return PressReply(done=False, text="There is no other receiver that it could be handed on to.")
    options = (
        (
            f"{clean(one.name)}{', who owns it' if one.owns else ''}",
            button_value(press.deed, press.alert_id, press.version, one.receiver_id),
        )
        for one in holders
    )
    return PressReply(done=False, question=HolderQuestion(tuple(options)))


async def _carry_out(uow: UnitOfWork, press: Press, user: SlackUser, author: Author) -> None:
    note = press.person.note
    if press.deed in _MOVES:
        await move_alert(uow, press.alert_id, _MOVES[press.deed], note, author)
    elif press.deed in SNOOZES:
        await snooze_alert(uow, press.alert_id, _snooze(press.deed, user, author), note, author)
    else:
        answer = feedback.FeedbackAnswer(_ANSWERS[press.deed], note=note)
        await feedback.give_feedback(uow, press.alert_id, answer, author)


def _snooze(deed: Deed, user: SlackUser, author: Author) -> SnoozeRequest:
    if deed is Deed.SNOOZE_GROWTH:
        return SnoozeRequest(growth_percent=GROWTH)
    if deed is Deed.SNOOZE_TOMORROW:
        return SnoozeRequest(until=tomorrow_morning(author.at, user.timezone))
    return SnoozeRequest(until=author.at + _HOURS[deed])
