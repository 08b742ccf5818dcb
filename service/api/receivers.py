"""`/v1/receivers`: named lists of channels."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from fastapi.responses import Response
from pydantic import BaseModel, Field

from service.api.channel_documents import ChannelIn, ChannelOut, show_channel
from service.api.channel_reading import read_channel
from service.api.configured import Document, Shape, Shown, Written, configured_router, identity
from service.api.deps import IdOrName, PortsDep, admin
from service.api.once import OnceOutsideDep
from service.domain.receivers import Receiver
from service.domain.resources import Resource
from service.workflows.administer import Receivers
from service.workflows.ports import Ports, UnitOfWork
from service.workflows.probe import run_test_receiver


class ReceiverIn(Written):
    """A named list of channels; an alert goes to all of them."""

    channels: list[ChannelIn] = Field(min_length=1, max_length=50)


class ReceiverOut(Shown):
    channels: list[ChannelOut]


class ChannelTestOut(BaseModel):
    """What one channel answered to a real sample."""

    kind: str
    channel: str
    ok: bool
    detail: str


class ReceiverTestOut(BaseModel):
    ok: bool
    channels: list[ChannelTestOut]


class ReceiverShape(Shape[Receiver, ReceiverIn, ReceiverOut]):
    written, shown = ReceiverIn, ReceiverOut
    example: ClassVar[Document] = {
        "name": "eng-oncall",
        "channels": [
            {"kind": "slack", "token": "xoxb-FAKE", "channel": "#claude-spend"},
            {"kind": "email", "to": ["finops@example.com"]},
        ],
    }
    patch_example: ClassVar[Document] = {"channels": [{"kind": "console"}]}

    async def read(self, ports: Ports, uow: UnitOfWork, document: ReceiverIn, stored: Receiver | None) -> Receiver:
        known = stored.channels if stored else ()
        channels = tuple(
            read_channel(ports, channel, known, f"/channels/{position}")
            for position, channel in enumerate(document.channels)
        )
        return Receiver(channels)

    async def show(self, uow: UnitOfWork, resource: Resource[Receiver], now: datetime) -> ReceiverOut:
        return ReceiverOut(**identity(resource), channels=[show_channel(channel) for channel in resource.spec.channels])


router = configured_router("/receivers", Receivers(), ReceiverShape(), "Receivers")


@router.post(
    "/{id}/test",
    summary="Send a real sample through every channel",
    response_model=ReceiverTestOut,
    responses={404: {}},
    dependencies=[admin],
)
async def test(id: IdOrName, ports: PortsDep, once: OnceOutsideDep) -> Response:
    tests = await run_test_receiver(ports, id, once.author)
    return await once.answer(
        ReceiverTestOut(
            ok=all(one.error is None for one in tests),
            channels=[
                ChannelTestOut(
                    kind="slack" if one.kind.startswith("slack") else one.kind,
                    channel=one.channel,
                    ok=one.error is None,
                    detail=one.error or one.detail,
                )
                for one in tests
            ],
        )
    )
