"""An alert behind a signed link: what a caller without a token sees of it, and answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from service.domain.alerts.alert import AlertEvent, Command
from service.domain.alerts.snooze import SnoozeRequest
from service.domain.charts.chart import Chart
from service.domain.notify.alert_links import SNOOZES, AlertLink, LinkAnswer, LinkUse, actor_of, possible_answers
from service.domain.notify.channels.registry import traits_of
from service.domain.notify.receivers import channel_key
from service.domain.values.errors import NotFound
from service.workflows.alerts.attend import move_alert, snooze_alert
from service.workflows.charts.chart import chart_of
from service.workflows.configuration.engine import Author
from service.workflows.ports.unit_of_work import Ports, UnitOfWork

LONGEST_TOKEN = 300


class LinkForged(NotFound):
    """No link of ours."""


class LinkOver(NotFound):
    """The link has expired, or its alert, receiver or channel is gone."""


class OnlyShown(NotFound):
    """The link does not permit answers."""


@dataclass(frozen=True, slots=True)
class LinkedAlert:
    """An alert's events as a link shows them: `answers` are possible now, by `actor`."""

    events: list[AlertEvent]
    actor: str
    answers: tuple[LinkAnswer, ...]
    permitted: bool

    @property
    def newest(self) -> AlertEvent:
        return self.events[-1]


async def run_linked_alert(ports: Ports, token: str) -> tuple[LinkedAlert, Chart | None]:
    """Returns the alert of a link, and its chart. Raises LinkForged and LinkOver."""
    link = _read(ports, token)
    async with ports.uow() as uow:
        found = await _linked(uow, link)
        return found, await chart_of(uow, found.newest)


async def run_answer(ports: Ports, token: str, answer: LinkAnswer, now: datetime) -> None:
    """Moves the alert of a link; nothing where that is done already. Raises LinkForged, LinkOver and OnlyShown."""
    link = _read(ports, token)
    async with ports.uow() as uow:
        await uow.alerts.lock(link.alert_id)  # two presses at once are one after the other
        found = await _linked(uow, link)
        if not found.permitted:
            raise OnlyShown("this link only shows the alert")
        if answer in found.answers:
            await _move(uow, link.alert_id, answer, Author(found.actor, now))


async def _move(uow: UnitOfWork, alert_id: str, answer: LinkAnswer, author: Author) -> None:
    if answer is LinkAnswer.ACKNOWLEDGE:
        await move_alert(uow, alert_id, Command.ACKNOWLEDGE, "", author)
    else:
        await snooze_alert(uow, alert_id, SnoozeRequest(author.at + SNOOZES[answer]), "", author)


def _read(ports: Ports, token: str) -> AlertLink:
    """Returns what a token says, before anything is read from the database for it."""
    text, _, signature = token[:LONGEST_TOKEN].partition(".")
    link = AlertLink.parse(text)
    if link is None or not ports.signer.is_signed(text, signature):
        raise LinkForged("this link is not one of ours")
    if not link.holds(ports.clock()):
        raise LinkOver("this link is over")
    return link


async def _linked(uow: UnitOfWork, link: AlertLink) -> LinkedAlert:
    """Raises LinkOver when the link's channel is no longer part of its receiver."""
    receiver = next((one for one in await uow.receivers.all() if one.id == link.receiver_id), None)
    if receiver is None or link.channel not in map(channel_key, receiver.spec.channels):
        raise LinkOver("the channel of this link is gone")
    events = list(await uow.alerts.events(link.alert_id))
    if not events:
        raise LinkOver("the alert of this link is gone")
    permitted = link.use is LinkUse.ANSWER and traits_of(link.channel).link is LinkUse.ANSWER
    answers = possible_answers(events[-1].alert, events) if permitted else ()
    return LinkedAlert(events, actor_of(receiver.name, link.channel), answers, permitted)
