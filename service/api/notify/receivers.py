"""`/v1/receivers`: named lists of channels."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from fastapi.responses import Response
from pydantic import BaseModel, Field

from service.api.http.configured import Document, ReadOnly, Shape, Shown, Written, configured_router, identity
from service.api.http.deps import IdOrName, PortsDep, admin
from service.api.http.idempotency import OnceOutsideDep
from service.api.notify.channel_documents import ChannelIn, ChannelOut, show_channel
from service.api.notify.channel_reading import read_channel
from service.domain.notify.circuits import Concern
from service.domain.notify.receivers import Receiver, doubts
from service.domain.values.resources import Resource
from service.workflows.configuration.notify import Receivers
from service.workflows.configuration.probe import run_test_receiver
from service.workflows.ports.unit_of_work import Ports, UnitOfWork


class ReceiverIn(Written):
    """A named list of channels; an alert goes to all of them."""

    channels: list[ChannelIn] = Field(min_length=1, max_length=50)
    status: ReadOnly = None
    doubts: ReadOnly = None


class FailingOut(BaseModel):
    """A channel that refuses messages, or whose last one was given up. It is forgotten once it takes one, or the
    receiver is edited.

    With a `next_try` it rests: then one message probes it. Nothing is sent before, unless it is the only channel of the
    default route. A good test ends the rest.
    """

    channel: str = Field(examples=["slack_bot:1f2e3d4c5b6a"])
    failing_since: datetime
    next_try: datetime | None
    concerns: Concern | None = Field(description="what the error is about: the `channel` itself, or its `credential`")
    error: str
    dead: int = Field(description="messages given up since then")


class StatusOut(BaseModel):
    failing: list[FailingOut]


class ReceiverOut(Shown):
    channels: list[ChannelOut]
    status: StatusOut
    doubts: list[str] = Field(
        description="credentials that are hardly what their vendors make, by channel; stored all the same",
        examples=[["channels/0: PagerDuty's integration keys have 32 letters and digits, this one has 20 characters"]],
    )


class ChannelTestOut(BaseModel):
    """The answer of one channel to a real sample."""

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
        failing = [one for one in await uow.channel_health.failing() if one.receiver_id == resource.id]
        return ReceiverOut(
            **identity(resource),
            channels=[show_channel(channel) for channel in resource.spec.channels],
            doubts=doubts(resource.spec),
            status=StatusOut(failing=[FailingOut.model_validate(one, from_attributes=True) for one in failing]),
        )


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
                    kind=one.kind,
                    channel=one.channel,
                    ok=one.error is None,
                    detail=one.error or one.detail,
                )
                for one in tests
            ],
        )
    )
