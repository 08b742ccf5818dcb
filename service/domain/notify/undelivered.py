"""A channel that takes no messages is an alert like any other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from service.domain.alerts.alert import Alert, Reason
from service.domain.alerts.evidence import UndeliveredEvidence
from service.domain.alerts.findings import Condition, Finding, over
from service.domain.notify.channels.email import Email
from service.domain.notify.channels.slack import SlackBot
from service.domain.notify.circuits import FailingChannel
from service.domain.notify.receivers import Receiver, find_channel
from service.domain.values.resources import Resource
from service.domain.values.scopes import ORGANISATION
from service.domain.values.severity import Severity

PATIENCE = timedelta(minutes=15)
"""The time a message may wait for its channel before people are notified elsewhere."""
FIRE_AGAIN = timedelta(days=1)
"""How long a person's resolve silences a channel that goes on failing."""
NO_SOURCE = ""
"""The source of alerts that are about Tocsin's own channels."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """Messages that wait for one channel; the oldest was written at `since`."""

    receiver_id: str
    channel: str
    since: datetime
    count: int
    error: str


def assess_channels(
    failing: Sequence[FailingChannel],
    waiting: Sequence[Backlog],
    *,
    receivers: Mapping[str, Resource[Receiver]],
    open_alerts: Sequence[Alert],
    is_muted: Callable[[str], bool],
    now: datetime,
) -> list[Finding]:
    """One finding for every channel with undelivered messages, and an end for every other open alert.

    An open one goes on for as long as anything is refused or waits: a changed receiver is no proof that it is well.
    `receivers` are by id; `is_muted` says of which fingerprints nobody wants to hear just now.
    """
    about = {alert.fingerprint: alert.evidence for alert in open_alerts}
    known = {key: evidence for key, evidence in about.items() if isinstance(evidence, UndeliveredEvidence)}
    refusing = [one for one in failing if _is_trouble(one) or (one.refusals > 0 and _key(one) in known)]
    at_once = {*known, *map(_key, refusing)}
    late = [one for one in waiting if one.since <= now - PATIENCE or _key(one) in at_once]
    troubles = _troubles(refusing, late, receivers)
    found = [
        _finding(evidence, Condition.HOLDS if fingerprint in known else Condition.FIRES)
        for fingerprint, evidence in troubles.items()
        if fingerprint in known or not is_muted(fingerprint)
    ]
    return found + [
        over(alert, _why_over(known[alert.fingerprint], receivers))
        for alert in open_alerts
        if alert.fingerprint in known and alert.fingerprint not in troubles
    ]


def _why_over(evidence: UndeliveredEvidence, receivers: Mapping[str, Resource[Receiver]]) -> Reason:
    receiver = receivers.get(evidence.receiver_id)
    is_there = receiver is not None and find_channel(receiver.spec, evidence.channel) is not None
    return Reason.RECOVERED if is_there else Reason.CHANNEL_GONE


def _key(one: FailingChannel | Backlog) -> str:
    return fingerprint(one.receiver_id, one.channel)


def fingerprint(receiver_id: str, channel: str) -> str:
    return f"undelivered:{receiver_id}:{channel}"


def _is_trouble(failing: FailingChannel) -> bool:
    """Whether messages were given up, or a probe was refused as well: one refusal may be a restart."""
    return failing.dead > 0 or failing.refusals > 1


def _troubles(
    failing: Sequence[FailingChannel], waiting: Sequence[Backlog], receivers: Mapping[str, Resource[Receiver]]
) -> dict[str, UndeliveredEvidence]:
    troubles = {
        _key(one): UndeliveredEvidence(
            receiver_id=one.receiver_id,
            receiver_name=_name(receivers, one.receiver_id),
            channel=one.channel,
            channel_error=one.error,
            count=max(one.dead, 1),  # a digest that waits is no notification
            undelivered_since=one.failing_since,
            place=_place(receivers, one.receiver_id, one.channel),
        )
        for one in failing
    }
    given_up = {_key(one): one.dead for one in failing}
    for one in waiting:
        key = _key(one)
        dead = troubles.get(key)
        troubles[key] = UndeliveredEvidence(
            receiver_id=one.receiver_id,
            receiver_name=_name(receivers, one.receiver_id),
            channel=one.channel,
            # What waits was not tried: its own error only repeats the one that the channel rests for.
            channel_error=dead.channel_error if dead and dead.channel_error else one.error,
            count=one.count + given_up.get(key, 0),
            undelivered_since=min(one.since, dead.undelivered_since) if dead else one.since,
            place=_place(receivers, one.receiver_id, one.channel),
        )
    return troubles


def _name(receivers: Mapping[str, Resource[Receiver]], receiver_id: str) -> str:
    return receivers[receiver_id].name if receiver_id in receivers else receiver_id


def _place(receivers: Mapping[str, Resource[Receiver]], receiver_id: str, channel: str) -> str:
    """Returns the name that people know; empty where its address is a secret, or the receiver is gone."""
    match find_channel(receivers[receiver_id].spec, channel) if receiver_id in receivers else None:
        case SlackBot(channel=name):
            return name
        case Email(to=addresses):
            return ", ".join(addresses)
        case _:
            return ""


def _finding(evidence: UndeliveredEvidence, condition: Condition) -> Finding:
    return Finding(
        fingerprint=fingerprint(evidence.receiver_id, evidence.channel),
        source_id=NO_SOURCE,
        scope=ORGANISATION,
        severity=Severity.ERROR,
        condition=condition,
        reason=Reason.FIRST if condition is Condition.FIRES else Reason.NOTHING_NEW,
        evidence=evidence,
    )
