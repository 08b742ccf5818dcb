"""An alert behind a signed link: what a caller without a token sees of it, and answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from service.domain.alerts.alert import AlertEvent, Command
from service.domain.alerts.snooze import SnoozeRequest
from service.domain.charts.chart import Chart
from service.domain.notify.link_answers import SNOOZES, LinkAnswer, actor_of, possible_answers
from service.domain.notify.page_links import LinkUse, PageLink
from service.domain.values.errors import NotFound
from service.workflows.alerts.attend import move_alert, snooze_alert
from service.workflows.charts.chart import chart_of
from service.workflows.configuration.engine import Author
from service.workflows.notify.followed_links import LinkOver, follow, opened
from service.workflows.ports.unit_of_work import Ports, UnitOfWork


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
    link = follow(ports, token)
    async with ports.uow() as uow:
        found = await _linked(uow, link)
        return found, await chart_of(uow, found.newest)


async def run_answer(ports: Ports, token: str, answer: LinkAnswer, now: datetime) -> None:
    """Moves the alert of a link; nothing where that is done already. Raises LinkForged, LinkOver and OnlyShown."""
    link = follow(ports, token)
    async with ports.uow() as uow:
        await uow.alerts.lock(link.subject_id)  # two presses at once are one after the other
        found = await _linked(uow, link)
        if not found.permitted:
            raise OnlyShown("this link only shows the alert")
        if answer in found.answers:
            await _move(uow, link.subject_id, answer, Author(found.actor, now))


async def _move(uow: UnitOfWork, alert_id: str, answer: LinkAnswer, author: Author) -> None:
    if answer is LinkAnswer.ACKNOWLEDGE:
        await move_alert(uow, alert_id, Command.ACKNOWLEDGE, "", author)
    else:
        await snooze_alert(uow, alert_id, SnoozeRequest(author.at + SNOOZES[answer]), "", author)


async def _linked(uow: UnitOfWork, link: PageLink) -> LinkedAlert:
    """Raises LinkOver."""
    channel = await opened(uow, link)
    events = list(await uow.alerts.events(link.subject_id))
    if not events:
        raise LinkOver("the alert of this link is gone")
    permitted = channel.use is LinkUse.ANSWER
    answers = possible_answers(events[-1].alert, events) if permitted else ()
    return LinkedAlert(events, actor_of(channel.receiver, link.channel), answers, permitted)
