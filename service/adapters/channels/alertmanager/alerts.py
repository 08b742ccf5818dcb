"""Our alerts as Alertmanager has them: what it is sent, and the webhook (version 4) that it sends itself.

There, the labels are an alert's identity: no amount and no time may be among them. Severity is one, since people
route by it; so a raise ends the alert of the old severity and begins one of the new.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from service.adapters.channels.posting import clipped, encoded, fitted
from service.domain.alerts.alert import AlertState
from service.domain.notify.notification import Delivery, Message, MessageType
from service.workflows.notify.resend import INTERVAL

ALERT_NAME = "ClaudeSpend"
FACTS = 4000
TEXT = 1000
MOST_WEBHOOK_BYTES = 64_000

HELD = 4 * INTERVAL
"""How long an alert counts as firing that nobody mentions again: three repetitions in a row may be lost."""
TEST_HELD = timedelta(minutes=5)
NEVER = "0001-01-01T00:00:00Z"
"""How a webhook of Alertmanager writes the end of what has not ended."""


@dataclass(frozen=True, slots=True)
class Standing:
    """An alert's labels and beginning there, which stay the same until a raise. Kept as a `post`."""

    labels: Mapping[str, str]
    began: str

    @classmethod
    def of(cls, delivery: Delivery) -> Standing:
        """Reads it off the message; from `post` where it was there before under the same labels."""
        labels, earlier = _labels(delivery.message), earlier_standing(delivery)
        ended = delivery.message.state is AlertState.RESOLVED
        if earlier is None or not (ended or earlier.labels == labels):
            return cls(labels, _instant(delivery.at))
        return earlier

    def __str__(self) -> str:
        return json.dumps({"labels": dict(self.labels), "began": self.began})


@dataclass(frozen=True, slots=True)
class PostableAlert:
    """One alert at one instant. `ends`: when it ended, or when it counts as ended unless it is sent again."""

    standing: Standing
    ends: str
    firing: bool


def earlier_standing(delivery: Delivery) -> Standing | None:
    if delivery.post is None:
        return None
    found = json.loads(delivery.post)
    return Standing(found["labels"], found["began"])


def postable(delivery: Delivery) -> list[PostableAlert]:
    """Returns the alert as it stands, last; before it the one that it replaces, ended."""
    now, current, earlier = _instant(delivery.at), Standing.of(delivery), earlier_standing(delivery)
    firing = delivery.message.state is not AlertState.RESOLVED
    held = TEST_HELD if delivery.message.type is MessageType.TEST else HELD
    replaced = [PostableAlert(earlier, now, firing=False)] if earlier is not None and earlier != current else []
    return [*replaced, PostableAlert(current, _instant(delivery.at + held) if firing else now, firing)]


def texts(message: Message) -> dict[str, str]:
    """Returns what may change while the labels stay: all texts."""
    return {
        "summary": clipped(message.one_line, TEXT),
        "description": clipped(message.summary, TEXT),
        "change": clipped(message.change, TEXT),
        "facts": clipped("\n".join(f"{label}: {value}" for label, value in message.facts), FACTS),
        "next_step": clipped(message.next_step, TEXT),
    }


def api_body(delivery: Delivery) -> bytes:
    """Returns the body of `POST /api/v2/alerts`."""
    return encoded(
        [
            {
                "labels": dict(one.standing.labels),
                "annotations": texts(delivery.message),
                "startsAt": one.standing.began,
                "endsAt": one.ends,
                "generatorURL": delivery.message.link,
            }
            for one in postable(delivery)
        ]
    )


def webhook_body(delivery: Delivery) -> tuple[bytes, str]:
    """Returns what Alertmanager would post to a webhook, and what has to be remembered of it."""

    def build(message: Message) -> bytes:
        return encoded(_group(replace(delivery, message=message)))

    return fitted(build, delivery.message, MOST_WEBHOOK_BYTES), str(Standing.of(delivery))


def _group(delivery: Delivery) -> dict[str, object]:
    alerts, notes = postable(delivery), texts(delivery.message)
    grouped = {name: alerts[-1].standing.labels[name] for name in ("alert_id", "alertname")}
    shared = dict(alerts[0].standing.labels.items() & alerts[-1].standing.labels.items())
    key = ",".join(f'{name}="{value}"' for name, value in grouped.items())
    return {
        "version": "4",
        "groupKey": f"{{}}:{{{key}}}",
        "truncatedAlerts": 0,
        "status": "firing" if alerts[-1].firing else "resolved",
        "receiver": "tocsin",
        "groupLabels": grouped,
        "commonLabels": shared,
        "commonAnnotations": notes,
        "externalURL": delivery.message.link,
        "alerts": [
            {
                "status": "firing" if one.firing else "resolved",
                "labels": dict(one.standing.labels),
                "annotations": notes,
                "startsAt": one.standing.began,
                "endsAt": NEVER if one.firing else one.ends,
                "generatorURL": delivery.message.link,
                "fingerprint": _fingerprint(one.standing.labels),
            }
            for one in alerts
        ],
    }


def _labels(message: Message) -> dict[str, str]:
    labels = {"alertname": ALERT_NAME, "alert_id": message.alert_id, "severity": message.severity.value}
    return labels | {"simulated": "true"} if message.simulated else labels


def _fingerprint(labels: Mapping[str, str]) -> str:
    return hashlib.sha256(encoded(sorted(labels.items()))).hexdigest()[:16]


def _instant(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
