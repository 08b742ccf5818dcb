"""A drill that is ended while it begins knows what it has begun, and takes it back."""

from __future__ import annotations

import os
import signal
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import cast

import pytest

from service.cli.remote.drill.ending import cleaning_up_when_ended, postponed
from service.cli.remote.drill.incident import IncidentRehearsal
from service.cli.remote.drill.plan import IncidentPlan
from service.cli.remote.drill.simulator import PlayedIncident, SimulatedWorkspace, Simulator
from service.cli.remote.drill.stopwatch import Stopwatch
from service.client.tocsin import TocsinClient

NOON = datetime(2026, 11, 16, 12, tzinfo=UTC)
ENDINGS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


class EndedSimulator:
    """While it is asked the person ends the command, each time anew."""

    def __init__(self, ending: signal.Signals) -> None:
        self._ending = ending
        self.plays: set[int] = set()

    def play(self, _: SimulatedWorkspace) -> PlayedIncident:
        self.plays.add(1)
        os.kill(os.getpid(), self._ending)
        return PlayedIncident(number=1, starts_at=NOON, ends_at=NOON + timedelta(hours=4), reported_at=NOON)

    def take_back(self, incident: PlayedIncident) -> PlayedIncident:
        os.kill(os.getpid(), self._ending)
        self.plays.remove(incident.number)
        return incident


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_incident_that_is_ended_while_the_simulator_is_asked_is_taken_back(ending: signal.Signals) -> None:
    simulator = EndedSimulator(ending)
    plan = SimpleNamespace(spender=SimulatedWorkspace("wrkspc_p", "production", ()), source=SimpleNamespace(name="s"))
    tocsin = SimpleNamespace(alerts=SimpleNamespace(list=lambda **_: []))
    watch = Stopwatch(lambda: 0.0, lambda _: None)
    rehearsal = IncidentRehearsal(
        cast("TocsinClient", tocsin), cast("Simulator", simulator), cast("IncidentPlan", plan), watch, lambda _: None
    )
    with cleaning_up_when_ended(), pytest.raises(KeyboardInterrupt):
        rehearsal.run()
    assert simulator.plays == set()


def test_a_drill_under_nohup_goes_on_when_the_terminal_closes() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with cleaning_up_when_ended(), postponed() as end_if_asked:
            os.kill(os.getpid(), signal.SIGHUP)
            end_if_asked()
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_handlers_are_as_before_whatever_happened() -> None:
    before = [signal.getsignal(one) for one in ENDINGS]
    with pytest.raises(ValueError, match="refused"), cleaning_up_when_ended(), postponed():
        raise ValueError("refused")
    assert [signal.getsignal(one) for one in ENDINGS] == before
