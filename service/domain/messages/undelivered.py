"""How an alert about a channel that takes no messages is said."""

from __future__ import annotations

from service.domain.alerts.evidence import UndeliveredEvidence
from service.domain.messages.phrases import messages
from service.domain.values.plain_text import NOTE_LENGTH, clean, minute

NAME_IN_HEADLINE = 40


def channel_name(receiver: str, channel: str) -> str:
    """ "slack_bot of receiver eng-oncall": the key's digest means nothing to people."""
    return f"{clean(channel).partition(':')[0]} of receiver {clean(receiver, NAME_IN_HEADLINE)}"


def not_delivered(receiver: str, channel: str, reason: str) -> str:
    """What a fallback says before the message itself."""
    return f"This could not be delivered to {channel_name(receiver, channel)}: {clean(reason, NOTE_LENGTH)}."


def undelivered_headline(evidence: UndeliveredEvidence) -> str:
    return f"No messages reach {channel_name(evidence.receiver_name, evidence.channel)}"


def describe_undelivered(evidence: UndeliveredEvidence) -> str:
    name = channel_name(evidence.receiver_name, evidence.channel)
    since, count = minute(evidence.undelivered_since), messages(evidence.count)
    return f"Tocsin could not deliver {count} to {name} since {since}; whoever reads it there is not warned."


def undelivered_facts(evidence: UndeliveredEvidence) -> tuple[tuple[str, str], ...]:
    return (
        ("Receiver", clean(evidence.receiver_name)),
        ("Channel", clean(evidence.channel)),
        ("Undelivered", f"{messages(evidence.count)} since {minute(evidence.undelivered_since)}"),
        ("Last error", clean(evidence.channel_error, NOTE_LENGTH) or "none recorded"),
    )
