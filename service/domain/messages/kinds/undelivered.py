"""How the alert about a channel that takes no messages speaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from service.domain.alerts.alert import Reason
from service.domain.alerts.evidence import UndeliveredEvidence
from service.domain.messages.phrases import messages
from service.domain.messages.words import HEADLINE_NAME_LENGTH, Facts, Words
from service.domain.values.plain_text import NOTE_LENGTH, clean, moment

CAUSE_LENGTH = 80
KIND_NAMES = {
    "slack_bot": "Slack",
    "slack_webhook": "Slack's webhook",
    "email": "mail",
    "pagerduty": "PagerDuty",
    "jsm": "Jira Service Management",
    "teams": "Teams",
    "discord": "Discord",
    "webhook": "the webhook",
    "alertmanager": "Alertmanager",
}
PEERS = {"slack_webhook": "Slack"}
"""How errors call the other end, where that is not the kind's name."""
PLACES = {"slack_bot": "Slack channel", "email": "mail to"}
"""How a place is introduced by the kinds that have one which is no secret."""


def channel_name(receiver: str, channel: str) -> str:
    """ "Slack of receiver eng-oncall": the key's digest means nothing to people."""
    kind = channel.partition(":")[0]
    return f"{KIND_NAMES.get(kind, clean(kind))} of receiver {clean(receiver, HEADLINE_NAME_LENGTH)}"


def not_delivered(receiver: str, channel: str, reason: str) -> str:
    """The sentence that a fallback puts before the message itself."""
    return f"This could not be delivered to {channel_name(receiver, channel)}: {clean(reason, NOTE_LENGTH)}."


@dataclass(frozen=True, slots=True)
class UndeliveredWords(Words):
    evidence: UndeliveredEvidence
    remedy: ClassVar[str] = "see to the channel that takes no messages"

    def headline(self) -> str:
        """ "3 messages did not reach receiver eng: Slack channel #spend answers channel_not_found since ..."."""
        evidence, since = self.evidence, self.evidence.undelivered_since
        receiver = clean(evidence.receiver_name, HEADLINE_NAME_LENGTH)
        return f"{messages(evidence.count)} did not reach receiver {receiver}: {self._failure} since {moment(since)}"

    def summary(self) -> str:
        return "Whoever reads that channel is not warned."

    def facts(self) -> Facts:
        return (
            ("Channel", self._kind),
            ("Last error", clean(self._error, NOTE_LENGTH) or "none recorded"),
        )

    def names(self) -> Facts:
        return (("Name of the receiver", self.evidence.receiver_name), ("Place", self.evidence.place))

    def standing(self, reason: Reason) -> str:
        return self.headline()

    def amended(self, reason: Reason) -> str:
        return f"Still undelivered: {messages(self.evidence.count)}"

    def ended(self, reason: Reason) -> str:
        return f"{self._name} takes messages again" if reason is Reason.RECOVERED else ""

    def next_step(self, api: str) -> str:
        receiver = clean(self.evidence.receiver_name, HEADLINE_NAME_LENGTH)
        return f"Fix {self._kind} of receiver {receiver}, then send the receiver a test."

    @property
    def _error(self) -> str:
        """The error without the channel's own name before it: the sentence has that already."""
        return self.evidence.channel_error.removeprefix(f"{self._peer}: ")

    @property
    def _peer(self) -> str:
        """The name that errors begin with."""
        kind = self.evidence.channel.partition(":")[0]
        return PEERS.get(kind, KIND_NAMES.get(kind, kind))

    @property
    def _failure(self) -> str:
        """ "Slack channel #spend answers channel_not_found", "the webhook cannot be reached: ConnectError".

        An error is an answer where the channel's name and a colon are before it; else it says itself what failed.
        """
        error = self.evidence.channel_error
        forms = ((f"{self._peer}: ", "answers "), (f"{self._peer} ", ""))
        before, verb = next((form for form in forms if error.startswith(form[0])), ("", ""))
        said = clean(error.removeprefix(before), CAUSE_LENGTH)
        if not said:
            return f"{self._kind} takes none"
        return f"{self._kind} {verb}{said}" if before else f"{self._kind}: {said}"

    @property
    def _kind(self) -> str:
        kind = self.evidence.channel.partition(":")[0]
        place = clean(self.evidence.place, HEADLINE_NAME_LENGTH)
        name = KIND_NAMES.get(kind, clean(kind))
        return name if not place else f"{PLACES.get(kind, name)} {place}"

    @property
    def _name(self) -> str:
        return f"{self._kind} of receiver {clean(self.evidence.receiver_name, HEADLINE_NAME_LENGTH)}"
