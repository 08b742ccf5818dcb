"""How the alert about a channel that takes no messages speaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from service.domain.alerts.alert import Reason
from service.domain.alerts.evidence import UndeliveredEvidence
from service.domain.messages.phrases import messages
from service.domain.messages.words import HEADLINE_NAME_LENGTH, Facts, Words
from service.domain.values.plain_text import NOTE_LENGTH, clean, minute


def channel_name(receiver: str, channel: str) -> str:
    """ "slack_bot of receiver eng-oncall": the key's digest means nothing to people."""
    return f"{clean(channel).partition(':')[0]} of receiver {clean(receiver, HEADLINE_NAME_LENGTH)}"


def not_delivered(receiver: str, channel: str, reason: str) -> str:
    """The sentence that a fallback puts before the message itself."""
    return f"This could not be delivered to {channel_name(receiver, channel)}: {clean(reason, NOTE_LENGTH)}."


@dataclass(frozen=True, slots=True)
class UndeliveredWords(Words):
    evidence: UndeliveredEvidence
    remedy: ClassVar[str] = "see to the source"

    def headline(self) -> str:
        return f"No messages reach {self._name}"

    def summary(self) -> str:
        since, count = minute(self.evidence.undelivered_since), messages(self.evidence.count)
        return f"Tocsin could not deliver {count} to {self._name} since {since}; whoever reads it there is not warned."

    def facts(self) -> Facts:
        evidence = self.evidence
        return (
            ("Receiver", clean(evidence.receiver_name)),
            ("Channel", clean(evidence.channel)),
            ("Undelivered", f"{messages(evidence.count)} since {minute(evidence.undelivered_since)}"),
            ("Last error", clean(evidence.channel_error, NOTE_LENGTH) or "none recorded"),
        )

    def opening(self, reason: Reason) -> str:
        return "Messages to this channel do not arrive."

    def standing(self, reason: Reason) -> str:
        return "the channel still takes no messages"

    def amended(self, reason: Reason) -> str:
        return f"Still undelivered: {messages(self.evidence.count)}."

    def ended(self, reason: Reason) -> str:
        return "no message waits for this channel any more" if reason is Reason.RECOVERED else ""

    def next_step(self, link: str) -> str:
        receivers = link.rpartition("/alerts/")[0] + "/receivers"
        return f"Fix the receiver, then test it: POST {receivers}/{self.evidence.receiver_id}/test"

    @property
    def _name(self) -> str:
        return channel_name(self.evidence.receiver_name, self.evidence.channel)
