"""Receivers: named lists of channels."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields

from service.domain.notify.channels.email import Email
from service.domain.notify.channels.registry import ChannelConfig
from service.domain.values.mail_addresses import person_of
from service.domain.values.resources import Sealed


@dataclass(frozen=True, slots=True)
class Receiver:
    channels: tuple[ChannelConfig, ...]


def channel_key(channel: ChannelConfig) -> str:
    """Returns what stays the same when a receiver's other channels change: the kind, and a digest of the identity."""
    digest = hashlib.sha256(channel.identity.encode()).hexdigest()[:12]
    return f"{channel.kind}:{digest}"


def place(channel: ChannelConfig) -> tuple[str, ...]:
    """Returns the same for channels that reach the same place, however its mail addresses are capitalised."""
    addresses = channel.to if isinstance(channel, Email) else (channel.identity,)
    return (channel.kind, *map(person_of, addresses))


def doubts(receiver: Receiver) -> list[str]:
    """Returns a sentence for each credential that is hardly what its vendor makes: "channels/0: ..."."""
    return [
        f"channels/{position}: {value.doubt}"
        for position, channel in enumerate(receiver.channels)
        for value in (getattr(channel, field.name) for field in fields(channel))
        if isinstance(value, Sealed) and value.doubt
    ]


def find_channel(receiver: Receiver, key: str) -> ChannelConfig | None:
    """Returns the channel of a key. One whose address was changed since is known by being the only one of its kind."""
    by_key = {channel_key(channel): channel for channel in receiver.channels}
    alike = [channel for channel in receiver.channels if channel.kind == key.partition(":")[0]]
    return by_key.get(key) or (alike[0] if len(alike) == 1 else None)


def reaches_all_of(channel: ChannelConfig, former: ChannelConfig) -> bool:
    """Whether everybody who got the messages of `former` gets those of `channel`: at the same address, or by mail among
    others.
    """
    if isinstance(channel, Email) and isinstance(former, Email):
        return set(former.to) <= set(channel.to)
    return channel_key(channel) == channel_key(former)
