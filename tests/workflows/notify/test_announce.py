"""Moves that are announced together: each is announced in the situation that all of them have led to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from service.domain.alerts.alert import Alert, Reason
from service.domain.notify.notification import NotificationState
from service.workflows.notify.announce import announce
from service.workflows.notify.situation import read_situation
from tests.sample_alerts import AHEAD, ALERT, OPENED_EVENT
from tests.workflows.yard import Yard

FORECAST = replace(ALERT, id="alrt_forecast", fingerprint="budget:bdg_1:forecast", evidence=AHEAD)
SENT, HELD = NotificationState.QUEUED, NotificationState.SUPPRESSED


@pytest.mark.parametrize(("alerts", "states"), [((ALERT, FORECAST), [SENT, HELD]), ((FORECAST, ALERT), [HELD, SENT])])
async def test_an_alert_inhibits_the_ones_that_fire_in_the_same_transaction_in_any_order(
    yard: Yard, alerts: tuple[Alert, ...], states: list[NotificationState]
) -> None:
    """What is spent already keeps quiet where spend is heading."""
    events = [replace(OPENED_EVENT, alert=alert, at=yard.clock()) for alert in alerts]
    async with yard.ports.uow() as uow:
        situation = await read_situation(uow, ALERT.source_id, yard.clock())
        for event in events:
            await uow.alerts.save(event)
        await announce(uow, situation.after(events), events)
    found = {one.alert_id: one for one in await yard.notifications()}
    assert [found[alert.id].state for alert in alerts] == states
    assert [one.reason for one in found.values() if one.state is HELD] == [Reason.INHIBITED] * states.count(HELD)
