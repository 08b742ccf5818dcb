"""A receiver's test behind the signed link of its message."""

from __future__ import annotations

from service.domain.messages.message import TEST, tested
from service.domain.notify.notification import Message
from service.domain.values.resources import made_at
from service.workflows.notify.followed_links import LinkOver, follow, opened
from service.workflows.ports.unit_of_work import Ports


async def run_linked_test(ports: Ports, token: str) -> Message:
    """Returns what the test was, for whoever follows its link. Raises LinkForged and LinkOver."""
    link = follow(ports, token)
    if not link.subject_id.startswith(TEST):
        raise LinkOver("this link leads to something else")
    async with ports.uow() as uow:
        channel = await opened(uow, link)
    return tested(channel.receiver, link.channel, channel.use, made_at(link.subject_id))
