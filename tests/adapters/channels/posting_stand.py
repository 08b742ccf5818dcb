"""What the tests of the posting channels share: a way out that may reach 127.0.0.1, and hostile texts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx
import pytest

from service.adapters.egress.guard import Guard, parse_networks
from service.adapters.egress.httpx_transport import open_transport
from service.adapters.vault import FernetVault
from service.domain.notify.notification import Delivery, Message
from service.workflows.ports.channels import Channel, DeliveryError
from tests.sample_alerts import delivery, message

VAULT = FernetVault("FAKE key of the tests")
LOCAL = Guard(parse_networks("127.0.0.0/8"))

MARKUP = (
    "<script>alert(1)</script> **bold** [free](https://evil.example) <at>everyone</at> {{DATE(2026-01-01T00:00:00Z)}}"
)
HOSTILE = f"{MARKUP}\u202egnp.exe\u2066 \ud800 \x00 " + "𝔘" * 10_000
"""Markup of every kind, a right-to-left override, what UTF-8 cannot hold, and 10,000 characters of four bytes."""


@asynccontextmanager
async def way_out(guard: Guard = LOCAL) -> AsyncIterator[httpx.AsyncBaseTransport]:
    async with open_transport(guard, proxy=None) as transport:
        yield transport


def hostile() -> Message:
    """A message all of whose texts are hostile; nothing that was composed is as bad."""
    facts = tuple((f"{number} {HOSTILE}", HOSTILE) for number in range(40))
    return replace(message(), headline=HOSTILE, summary=HOSTILE, change=HOSTILE, facts=facts, next_step=HOSTILE)


async def failure_of(channel: Channel, sent: Delivery | None = None) -> DeliveryError:
    """How sending fails, of an opened alert if nothing else is sent."""
    with pytest.raises(DeliveryError) as caught:
        await channel.send(sent or delivery())
    return caught.value
