"""Outcomes of deliveries: sent, due again later, or dead."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from service.domain.notify.circuits import OPENING, Concern
from service.domain.notify.notification import (
    MOST_DEFECTS,
    Notification,
    NotificationState,
    Receipt,
    after_failure,
    after_part,
    after_refusal,
    after_rest,
    after_success,
)
from service.workflows.delivery.address import LAST_RESORT, ChannelGone
from service.workflows.delivery.batch import Batch
from service.workflows.notify.circuits import ChannelRests
from service.workflows.ports.channels import Defect, DeliveryError

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A batch's first notification as it is after an attempt, which the others of the batch share.

    `post` is the channel's reference to the message, `failure` why it was not taken, `refused` which addresses of the
    channel will never take one, `delayed` which may later. A remainder went to the addresses that were left, and says
    nothing of the others.
    """

    notification: Notification
    post: str | None = None
    failure: DeliveryError | None = None
    refused: str = ""
    delayed: str = ""
    is_remainder: bool = False

    @property
    def is_sent(self) -> bool:
        return self.notification.state is NotificationState.SENT

    @property
    def blames(self) -> DeliveryError | None:
        """The failure, where it says something about the health of the channel."""
        if isinstance(self.failure, ChannelGone | ChannelRests) or self.notification.channel == LAST_RESORT:
            return None
        return self.failure

    @property
    def needs_another(self) -> bool:
        """Whether somebody else is to get the message: it is given up, or has to wait for its channel's repair."""
        waits = self.failure is not None and (
            self.failure.concerns in OPENING or isinstance(self.failure, ChannelRests)
        )
        return self.notification.state is NotificationState.DEAD or waits


def sent(batch: Batch, receipt: Receipt, now: datetime) -> Outcome:
    notification = batch.head.notification
    _log("notification_sent", batch)
    record = after_part if receipt.left_to else after_success
    said = replace(record(notification, receipt, now), sent_with=batch.summary_id or notification.sent_with)
    return Outcome(
        said,
        receipt.post,
        refused=receipt.refused,
        delayed=receipt.delayed,
        is_remainder=bool(notification.left_to),
    )


def _log(event: str, batch: Batch) -> None:
    """A line for each notification that left with the message. What a channel said may hold addresses: it is stored."""
    for due in batch.notifications:
        one = due.notification
        log.info(event, notification_id=one.id, alert_id=one.alert_id, action=one.action.value, reason=one.reason.value)


def failed(batch: Batch, error: DeliveryError, now: datetime) -> Outcome:
    _log("notification_not_sent", batch)
    notification = batch.head.notification
    return Outcome(_tried(notification, error, now), None, error)


def _tried(notification: Notification, error: DeliveryError, now: datetime) -> Notification:
    if isinstance(error, ChannelRests):
        return after_rest(notification, reason=error.reason, until=error.until, now=now)
    if error.concerns in OPENING:
        return after_refusal(notification, reason=error.reason, now=now)
    given_up = error.concerns is Concern.MESSAGE or _is_hopeless(notification, error)
    return after_failure(notification, reason=error.reason, permanent=given_up, retry_after=error.retry_after, now=now)


def _is_hopeless(notification: Notification, error: DeliveryError) -> bool:
    return isinstance(error, Defect) and len(notification.attempts) + 1 >= MOST_DEFECTS
