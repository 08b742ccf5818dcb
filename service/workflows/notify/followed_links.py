"""A signed link that somebody follows: what it says, and what its channel permits by now."""

from __future__ import annotations

from dataclasses import dataclass

from service.domain.notify.channels.registry import ChannelConfig
from service.domain.notify.page_links import LinkUse, PageLink
from service.domain.notify.receivers import Receiver, channel_key, reaches_all_of
from service.domain.values.errors import NotFound
from service.domain.values.resources import Resource
from service.workflows.ports.unit_of_work import Ports, UnitOfWork

LONGEST_TOKEN = 300
MOST_VERSIONS = 100
"""Versions of a receiver among which the channel that a link was sent to is looked for."""


class LinkForged(NotFound):
    """No link of ours."""


class LinkOver(NotFound):
    """The link has expired or was withdrawn, or what it leads to is gone."""


@dataclass(frozen=True, slots=True)
class LinkedChannel:
    """The channel that a link was sent to, as it is configured now. `use`: what the link still permits."""

    receiver: str
    channel: ChannelConfig
    use: LinkUse


def follow(ports: Ports, token: str) -> PageLink:
    """Returns what a token says, before anything is read from the database for it. Raises LinkForged and LinkOver."""
    text, _, signature = token[:LONGEST_TOKEN].partition(".")
    link = PageLink.parse(text)
    if link is None or not ports.signer.is_signed(text, signature):
        raise LinkForged("this link is not one of ours")
    if not link.holds(ports.clock()):
        raise LinkOver("this link is over")
    return link


async def opened(uow: UnitOfWork, link: PageLink) -> LinkedChannel:
    """Raises LinkOver where somebody whom it was sent to is no longer reached by its receiver, or its links permit
    nothing any more.
    """
    receiver = (await uow.receivers.some([link.receiver_id])).get(link.receiver_id)
    channel = await _channel_of(uow, link, receiver) if receiver else None
    if receiver is None or channel is None:
        raise LinkOver("the channel of this link is gone")
    use = link.permits(channel.link)
    if use is LinkUse.NONE:
        raise LinkOver("the links of this channel open nothing any more")
    return LinkedChannel(receiver.name, channel, use)


async def _channel_of(uow: UnitOfWork, link: PageLink, receiver: Resource[Receiver]) -> ChannelConfig | None:
    """The channel that a link was sent to, or the one that reaches all of its addresses by now."""
    channels = receiver.spec.channels
    same = next((one for one in channels if channel_key(one) == link.channel), None)
    if same is not None:
        return same
    versions = await uow.receivers.versions(receiver.id, most=MOST_VERSIONS)
    formers = (one for version in versions for one in version.spec.channels)
    former = next((one for one in formers if channel_key(one) == link.channel), None)
    return next((one for one in channels if former is not None and reaches_all_of(one, former)), None)
