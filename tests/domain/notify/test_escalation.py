"""Who is called when, while nobody answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from service.domain.alerts.alert import AlertEvent, AlertState, Command
from service.domain.notify.escalation import (
    EscalationPolicy,
    EscalationStep,
    is_stopped,
    round_length,
    running_chain,
    timetable,
    validate_policy,
)
from service.domain.values.errors import Invalid
from tests.sample_alerts import ALERT, OPENED_EVENT

MINUTE = timedelta(minutes=1)


def policy(*minutes: int, repeat: int = 0) -> EscalationPolicy:
    steps = tuple(EscalationStep(after * MINUTE, f"rcv_{number}") for number, after in enumerate(minutes))
    return EscalationPolicy(steps, repeat)


def planned(one: EscalationPolicy) -> list[tuple[int, int, int]]:
    """Round, step and minutes."""
    return [(due.round, due.step, due.after // MINUTE) for due in timetable(one)]


def then(command: Command, version: int, state: AlertState = AlertState.FIRING) -> AlertEvent:
    return replace(OPENED_EVENT, command=command, alert=replace(ALERT, version=version, state=state))


def test_each_step_comes_at_its_time() -> None:
    assert planned(policy(0, 15, 45)) == [(0, 0, 0), (0, 1, 15), (0, 2, 45)]


def test_a_round_waits_for_its_last_step_as_long_as_for_the_one_before() -> None:
    assert round_length(policy(0, 15, 45)) == 75 * MINUTE
    assert planned(policy(0, 10, repeat=2)) == [(0, 0, 0), (0, 1, 10), (1, 0, 20), (1, 1, 30), (2, 0, 40), (2, 1, 50)]


def test_rounds_of_a_single_step_keep_a_pause() -> None:
    assert planned(policy(0, repeat=2)) == [(0, 0, 0), (1, 0, 5), (2, 0, 10)]
    assert planned(policy(10, repeat=1)) == [(0, 0, 10), (1, 0, 30)]


@pytest.mark.parametrize(
    ("bad", "pointer"),
    [
        pytest.param(policy(), "/steps", id="no step"),
        pytest.param(policy(*range(21)), "/steps", id="too many"),
        pytest.param(policy(0, 15, 15), "/steps/2/after", id="at the same time"),
        pytest.param(policy(10, 5), "/steps/1/after", id="descending"),
        pytest.param(policy(0, 8 * 24 * 60), "/steps/1/after", id="next week"),
        pytest.param(policy(0, repeat=6), "/repeat", id="too often"),
        pytest.param(EscalationPolicy((EscalationStep(MINUTE),)), "/steps/0", id="calls nobody"),
        pytest.param(EscalationPolicy((EscalationStep(MINUTE, "rcv_0", "rota_0"),)), "/steps/0", id="calls two"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(bad: EscalationPolicy, pointer: str) -> None:
    with pytest.raises(Invalid) as raised:
        validate_policy(bad)
    assert raised.value.pointer == pointer


def test_the_longest_policy_is_taken() -> None:
    validate_policy(policy(*range(20), repeat=5))


def test_the_newest_call_is_the_running_chain() -> None:
    events = [then(Command.OPEN, 1), then(Command.RAISE, 2), then(Command.AMEND, 3)]
    chain = running_chain(events)
    assert chain is not None
    assert chain.alert.version == 2
    assert running_chain([]) is None


@pytest.mark.parametrize("state", [AlertState.ACKNOWLEDGED, AlertState.SNOOZED, AlertState.RESOLVED])
def test_whoever_acts_stops_the_chain(state: AlertState) -> None:
    assert is_stopped(replace(ALERT, state=state), [then(Command.OPEN, 1)], chain=1)


def test_a_newer_chain_stops_the_older_one_alone() -> None:
    events = [then(Command.OPEN, 1), then(Command.RAISE, 2)]
    assert is_stopped(ALERT, events, chain=1)
    assert not is_stopped(ALERT, events, chain=2)


def test_an_amendment_stops_nothing() -> None:
    assert not is_stopped(ALERT, [then(Command.OPEN, 1), then(Command.AMEND, 2)], chain=1)
