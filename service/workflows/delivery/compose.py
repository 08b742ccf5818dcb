"""Composing a delivery: the channel as it is configured now, and the message that it gets."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from service.domain.alerts.alert import AlertEvent, Reason
from service.domain.messages.kinds.undelivered import not_delivered
from service.domain.messages.message import compose, prefaced
from service.domain.messages.summary import summarise
from service.domain.notify.channels.console import Console
from service.domain.notify.channels.registry import ChannelConfig, traits_of
from service.domain.notify.circuits import Concern
from service.domain.notify.escalation import escalated, running_chain
from service.domain.notify.notification import Action, Delivery, Notification
from service.domain.notify.receivers import Receiver, find_channel
from service.domain.values.errors import NotFound
from service.workflows.charts.picture import run_picture
from service.workflows.delivery.batch import Batch
from service.workflows.notify.circuits import enter
from service.workflows.notify.page_links import linked
from service.workflows.ports.channels import DeliveryError
from service.workflows.ports.notify import DueNotification
from service.workflows.ports.unit_of_work import Ports, UnitOfWork

LAST_RESORT = "console:last_resort"
"""The worker's own output: a channel without a receiver, for calls that no other channel takes."""


class ChannelGone(DeliveryError):
    """The receiver was deleted, or has lost the channel."""

    def __init__(self) -> None:
        super().__init__("the channel is no longer part of its receiver", Concern.MESSAGE)


async def run_compose(ports: Ports, batch: Batch) -> tuple[ChannelConfig, Delivery]:
    """The channel and what it is to send. Raises ChannelGone and ChannelRests."""
    now, due = ports.clock(), batch.head
    receiver_id = due.notification.receiver_id
    async with ports.uow() as uow:
        channel = await _channel(uow, due.notification)
        if not batch.is_taken and due.notification.channel != LAST_RESORT:
            await enter(uow, receiver_id, due.notification.channel, now)
        preface = await _preface(uow, due.notification)
        history = await uow.alerts.events(due.event.alert.id) if due.notification.action is Action.RESOLVE else []
    if batch.summary_id is not None:
        delivery = _summary(batch, batch.summary_id, ports.public_url, now)
        return channel, replace(delivery, message=linked(ports, delivery.message, receiver_id, channel))
    action = due.notification.action
    message = linked(ports, compose(due.event, action, ports.public_url, history), receiver_id, channel)
    message = prefaced(message, preface)
    delivery = Delivery(due.notification.id, action, message, _post(due), now, left_to=due.notification.left_to)
    return channel, replace(delivery, picture=await run_picture(ports, due.event, action, channel.traits.chart))


async def _channel(uow: UnitOfWork, notification: Notification) -> ChannelConfig:
    if notification.channel == LAST_RESORT:
        return Console()
    receiver = await _receiver(uow, notification.receiver_id)
    channel = find_channel(receiver, notification.channel) if receiver else None
    if channel is None:
        raise ChannelGone
    return channel


async def _receiver(uow: UnitOfWork, receiver_id: str) -> Receiver | None:
    try:
        return (await uow.receivers.get(receiver_id)).spec
    except NotFound:
        return None


async def _preface(uow: UnitOfWork, notification: Notification) -> str:
    """Why this channel is notified, where that is not plain: as a fallback, or by an escalation step."""
    if notification.fallback_for is not None:
        failed = await uow.notifications.get(notification.fallback_for)
        names = {receiver.id: receiver.name for receiver in await uow.receivers.all()}
        reason = failed.attempts[-1].detail if failed.attempts else ""
        return not_delivered(names.get(failed.receiver_id, failed.receiver_id), failed.channel, reason)
    if notification.reason is Reason.ESCALATED:
        chain = running_chain(await uow.alerts.events(notification.alert_id))
        if chain is not None:
            return escalated(chain.at, notification.step, notification.round)
    return ""


def _post(due: DueNotification) -> str | None:
    """The post that the message follows: the alert's own, else the summary's.

    Channels that cannot edit go on in the summary's thread; the others post what has no post of its own.
    """
    if due.post is None and due.summary is not None and not traits_of(due.notification.channel).kept_current:
        return due.summary.post
    return due.post


def _summary(batch: Batch, summary_id: str, public_url: str, now: datetime) -> Delivery:
    """A message about several alerts, or the update of one that was posted before."""
    notifications = [one.notification for one in batch.notifications]
    if batch.edits is None:
        # The post is there already where its sender died before all was added to it.
        action, news, post = Action.OPEN, [], batch.head.summary.post if batch.is_taken and batch.head.summary else None
    else:
        ends = any(one.action is Action.RESOLVE for one in notifications)
        action, news, post = Action.RESOLVE if ends else Action.AMEND, _news(batch), batch.edits.post
    message, head = summarise(summary_id, batch.present, news, public_url), notifications[0]
    return Delivery(head.id, action, message, post, now, left_to=head.left_to)


def _news(batch: Batch) -> list[AlertEvent]:
    """One event an alert: a summary's update may be asked for twice."""
    events = sorted((one.event for one in batch.notifications), key=lambda event: event.alert.version)
    return list({event.alert.id: event for event in events}.values())
