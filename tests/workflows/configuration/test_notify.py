"""What a receiver may hold, beside what it holds already."""

from __future__ import annotations

import pytest

from service.domain.notify.channels.console import Console
from service.domain.notify.channels.email import Email
from service.domain.notify.receivers import Receiver
from service.domain.values.errors import Invalid
from service.workflows.configuration.notify import Receivers
from service.workflows.ports.unit_of_work import UowFactory
from tests.factories import resource

ANN, CAPITALS = Email(("ann@example.com",)), Email(("ANN@example.com",))


async def test_one_address_in_other_capitals_stays_where_it_is_stored_and_is_refused_where_it_is_new(
    uow: UowFactory,
) -> None:
    stored = resource("rcv_1", Receiver((ANN, CAPITALS)))
    async with uow() as unit:
        await Receivers().validate(unit, Receiver((ANN, CAPITALS, Console())), stored)
        for former in (None, resource("rcv_1", Receiver((ANN,)))):
            with pytest.raises(Invalid, match="has this channel already"):
                await Receivers().validate(unit, Receiver((ANN, CAPITALS)), former)
        with pytest.raises(Invalid, match="has this channel already"):
            await Receivers().validate(unit, Receiver((ANN, CAPITALS, ANN)), stored)
