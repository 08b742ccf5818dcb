"""Writers of the configuration take turns, so that no reference outlives what it refers to."""

from __future__ import annotations

import asyncio

import pytest

from service.domain.notify.channels.console import Console
from service.domain.notify.receivers import Receiver
from service.domain.notify.routing.routes import Route, RouteTable
from service.domain.values.errors import Conflict, Invalid
from service.domain.values.resources import Resource
from service.workflows.configuration.engine import Author, Draft, create, delete
from service.workflows.configuration.notify import Receivers, put_routes
from service.workflows.ports.unit_of_work import UowFactory
from tests.fakes.clock import FakeClock

AUTHOR = Author("token:ann", FakeClock()())


async def _receiver(uow: UowFactory, name: str) -> Resource[Receiver]:
    async with uow() as work:
        return await create(work, Receivers(), Draft(name, {}, Receiver((Console(),))), AUTHOR)


async def _route_to(uow: UowFactory, receiver: Resource[Receiver]) -> None:
    async with uow() as work:
        await put_routes(work, RouteTable((Route(receiver.id),)), AUTHOR)


async def _delete(uow: UowFactory, receiver: Resource[Receiver]) -> None:
    async with uow() as work:
        await delete(work, Receivers(), receiver, AUTHOR)


async def test_a_receiver_cannot_be_routed_to_and_deleted_at_once(uow: UowFactory) -> None:
    await _route_to(uow, await _receiver(uow, "first"))
    for attempt in range(10):
        receiver = await _receiver(uow, f"wanted {attempt}")
        results = await asyncio.gather(_route_to(uow, receiver), _delete(uow, receiver), return_exceptions=True)
        refused = [result for result in results if result is not None]
        assert len(refused) == 1
        assert isinstance(refused[0], Conflict | Invalid)


async def test_a_route_to_a_deleted_receiver_names_the_field(uow: UowFactory) -> None:
    receiver = await _receiver(uow, "gone")
    await _delete(uow, receiver)
    with pytest.raises(Invalid) as refusal:
        await _route_to(uow, receiver)
    assert refusal.value.pointer == "/items/0/receiver"
