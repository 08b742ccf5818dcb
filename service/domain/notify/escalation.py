"""Escalation policies: who is called next while nobody answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from service.domain.alerts.alert import FIRING_COMMANDS, Alert, AlertEvent, AlertState
from service.domain.values.errors import Invalid
from service.domain.values.plain_text import minute

MOST_STEPS = 20
MOST_REPEATS = 5
SHORTEST_PAUSE = timedelta(minutes=5)
"""Between a round's last step and the next round's first."""
LONGEST_WAIT = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class EscalationStep:
    """Calls a receiver, or whoever is on call by a rota then. `after` counts from the chain's beginning.

    `to_owner`: whoever owns what the alert is about is called, and the receiver where nobody does.
    """

    after: timedelta
    receiver_id: str | None = None
    rota_id: str | None = None
    to_owner: bool = False


@dataclass(frozen=True, slots=True)
class EscalationPolicy:
    """Steps in their order, gone through once and then `repeat` times more."""

    steps: tuple[EscalationStep, ...]
    repeat: int = 0


@dataclass(frozen=True, slots=True)
class DueStep:
    """One call of a chain: `step` and `round` count from 0, `after` from the chain's beginning."""

    round: int
    step: int
    after: timedelta


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """A step as its job knows it. `chain` is the version of the alert's event that began the chain."""

    alert_id: str
    policy_id: str
    chain: int
    round: int
    step: int


def call_level(planned: PlannedStep) -> str:
    """Identifies the calls of one policy's chain: several policies of an alert have steps of the same numbers."""
    return f"{planned.chain}/{planned.policy_id}"


def is_call_of(chain: int, level: str) -> bool:
    """Whether a level is of the calls of any policy in this chain."""
    return level.startswith(f"{chain}/")


def validate_policy(policy: EscalationPolicy) -> None:
    """Raises Invalid."""
    if not 1 <= len(policy.steps) <= MOST_STEPS:
        raise Invalid(f"a policy has 1 to {MOST_STEPS} steps", "/steps")
    if not 0 <= policy.repeat <= MOST_REPEATS:
        raise Invalid(f"must be between 0 and {MOST_REPEATS}", "/repeat")
    for position, step in enumerate(policy.steps):
        if (step.receiver_id is None) == (step.rota_id is None):
            raise Invalid("give either a receiver or a rota", f"/steps/{position}")
    for position, (before, after) in enumerate(pairwise(policy.steps), 1):
        if after.after <= before.after:
            raise Invalid("must come later than the step before", f"/steps/{position}/after")
    if policy.steps[-1].after > LONGEST_WAIT:
        raise Invalid(f"must be {LONGEST_WAIT.days} days or less", f"/steps/{len(policy.steps) - 1}/after")


def timetable(policy: EscalationPolicy) -> list[DueStep]:
    """Every call of a chain that nobody stops, in order."""
    return [
        DueStep(round, step, round_length(policy) * round + one.after)
        for round in range(policy.repeat + 1)
        for step, one in enumerate(policy.steps)
    ]


def pause_after(policy: EscalationPolicy, earlier: tuple[int, int], later: tuple[int, int]) -> timedelta:
    """Returns the time between two calls, each by its round and step, as the policy plans it."""
    offsets = {(due.round, due.step): due.after for due in timetable(policy)}
    return max(offsets[later] - offsets[earlier], timedelta()) if earlier in offsets else timedelta()


def call_before(policy: EscalationPolicy, planned: PlannedStep) -> tuple[int, int] | None:
    """Returns the round and step of the call before one; None before the first."""
    calls = [(due.round, due.step) for due in timetable(policy)]
    position = calls.index((planned.round, planned.step))
    return calls[position - 1] if position else None


def round_length(policy: EscalationPolicy) -> timedelta:
    """From one round's beginning to the next one's: its last step is waited for as long as the one before was."""
    offsets = [timedelta(), *(step.after for step in policy.steps)]
    return offsets[-1] + max(offsets[-1] - offsets[-2], SHORTEST_PAUSE)


def running_chain(events: Sequence[AlertEvent]) -> AlertEvent | None:
    """The event that began the newest chain of an alert whose events are given in order."""
    calls = [event for event in events if event.command in FIRING_COMMANDS]
    return calls[-1] if calls else None


def is_stopped(alert: Alert, events: Sequence[AlertEvent], chain: int) -> bool:
    """Whether a chain's steps are not to be taken any more: somebody acted, it is over, or a newer chain runs."""
    running = running_chain(events)
    return alert.state is not AlertState.FIRING or running is None or running.alert.version != chain


def escalated(since: datetime, step: int, round: int) -> str:
    """Why somebody is called who was not called at first."""
    again = f", round {round + 1}" if round else ""
    return f"Nobody has acknowledged this since {minute(since)}: escalation step {step + 1}{again}."
