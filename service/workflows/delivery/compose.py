"""Composing a delivery: the message that a channel gets."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from service.domain.alerts.alert import AlertEvent
from service.domain.messages.message import compose, prefaced
from service.domain.messages.summary import summarise
from service.domain.notify.channels.registry import traits_of
from service.domain.notify.channels.traits import ChartUse
from service.domain.notify.notification import Action, Delivery, MessageForm
from service.workflows.charts.picture import run_picture
from service.workflows.delivery.address import Addressed
from service.workflows.delivery.batch import Batch
from service.workflows.notify.page_links import linked
from service.workflows.ports.notify import DueNotification
from service.workflows.ports.unit_of_work import Ports


async def run_compose(ports: Ports, addressed: Addressed) -> Delivery:
    """The delivery that the channel is to send."""
    now, batch = ports.clock(), addressed.batch.named(addressed.names) if addressed.names else addressed.batch
    due, channel = batch.head, addressed.channel
    receiver_id = due.notification.receiver_id
    if batch.summary_id is not None:
        delivery = _summary(batch, batch.summary_id, ports.public_url, now)
        return replace(delivery, message=linked(ports, delivery.message, receiver_id, channel))
    action = due.notification.action
    composed = compose(due.event, action, ports.public_url, addressed.history)
    message = prefaced(linked(ports, composed, receiver_id, channel), addressed.preface)
    delivery = Delivery(due.notification.id, action, message, _post(due), now, left_to=due.notification.left_to)
    if channel.traits.chart is ChartUse.FOLLOWING:
        return delivery
    return replace(delivery, picture=await run_picture(ports, due.event, action, channel.traits.chart))


async def run_illustrate(ports: Ports, addressed: Addressed, delivery: Delivery) -> Delivery:
    """The delivery with the picture that follows its text; the same where none does."""
    batch, use = addressed.batch, addressed.channel.traits.chart
    if use is not ChartUse.FOLLOWING or batch.summary_id is not None or delivery.form is MessageForm.PLAIN:
        return delivery
    return replace(delivery, picture=await run_picture(ports, batch.head.event, delivery.action, use))


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
