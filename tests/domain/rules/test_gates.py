"""The gates between an objection and a message, and what keeps an open alert open."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from service.domain.rules.evaluation import still_held
from service.domain.rules.gates import endures, exceeds, judge
from service.domain.rules.rule import Gates, GateVerdict, Observation
from service.domain.rules.wording import percent
from service.domain.values.money import Money
from service.domain.values.scopes import ORGANISATION
from tests.domain.rules.views import ENG, NOON, observation

GATES = Gates(Money.of("20.00"), Decimal(30), 10)
HOUR = timedelta(hours=1)


def test_a_share_is_rounded_alike_in_a_rule_s_sentence_and_in_its_gate() -> None:
    below = judge(observation(97.87, 100), GATES, None, NOON)
    (gate,) = [gate for gate in below.gates if gate.gate == "min_percent"]
    assert (gate.found, percent(2.13)) == ("-2%", "2%")


def failed(seen: Observation, gates: Gates = GATES) -> list[str]:
    return [gate.gate for gate in judge(seen, gates, None, NOON).gates if not gate.passed]


@pytest.mark.parametrize(
    ("sentence", "seen", "stopped_by"),
    [
        ("passes all", observation(100, 50), []),
        ("is $20 above, exactly", observation(70, 50), []),
        ("is below the amount", observation(69.99, 50), ["min_amount"]),
        ("is 30% above, exactly", observation(130, 100), []),
        ("is below the percentage", observation(1029, 1000), ["min_percent"]),
        ("is above an expectation of nothing", observation(20, 0), []),
        ("has a short history", observation(100, 50, active_days=9), ["min_active_days"]),
        ("is missing $90 of $100", observation(10, 100, falls=True), []),
        ("is above where a fall is looked for", observation(200, 100, falls=True), ["min_amount", "min_percent"]),
        ("is not known", observation(math.nan, 100), ["min_amount", "min_percent"]),
        ("has nothing to compare with", observation(100, math.nan), ["min_amount", "min_percent"]),
        ("is off by the rounding of floats", observation(70.1, 50.1), []),
    ],
)
def test_an_observation_is_stopped_by_the_right_gates_when_it(
    sentence: str, seen: Observation, stopped_by: list[str]
) -> None:
    assert failed(seen) == stopped_by, sentence


def test_every_gate_answers_in_a_fixed_order_with_the_numbers_it_compared() -> None:
    assert judge(observation(65, 50, active_days=1), GATES, None, NOON).gates == (
        GateVerdict("min_amount", False, "$15.00", "at least $20.00"),
        GateVerdict("min_percent", True, "30%", "at least 30%"),
        GateVerdict("min_active_days", False, "1 day", "at least 10 days"),
        GateVerdict("pending_for", True, "0s", "at least 0s"),
    )


def test_what_the_rule_does_not_object_to_does_not_ring_though_all_gates_pass() -> None:
    found = judge(observation(100, 50, candidate=False), GATES, None, NOON)
    assert all(gate.passed for gate in found.gates)
    assert not found.fires


@pytest.mark.parametrize(
    ("held", "rings"), [(None, False), (HOUR - timedelta(seconds=1), False), (HOUR, True), (2 * HOUR, True)]
)
def test_it_rings_after_it_has_held_for_long_enough(held: timedelta | None, rings: bool) -> None:
    pending = replace(GATES, pending_for=HOUR)
    found = judge(observation(100, 50), pending, None if held is None else NOON - held, NOON)
    assert (found.fires, found.stands) == (rings, True)


def test_what_another_gate_stops_has_not_held() -> None:
    pending = replace(GATES, pending_for=HOUR)
    found = judge(observation(51, 50), pending, NOON - 5 * HOUR, NOON)
    assert found.gates[-1] == GateVerdict("pending_for", False, "0s", "at least 1h")


def test_how_long_something_has_held_is_carried_from_one_evaluation_to_the_next() -> None:
    holds, lapsed = judge(observation(100, 50), GATES, None, NOON), judge(observation(51, 50), GATES, None, NOON)
    earlier = NOON - HOUR
    assert still_held({ORGANISATION: holds, ENG: lapsed}, {ORGANISATION: earlier, ENG: earlier}, NOON) == {
        ORGANISATION: earlier
    }
    assert still_held({ORGANISATION: holds}, {}, NOON) == {ORGANISATION: NOON}


@pytest.mark.parametrize(
    ("sentence", "seen", "gates", "quiet", "holds", "reason"),
    [
        ("still exceeds", observation(100, 50), GATES, HOUR, True, "exceeds"),
        ("has fallen below its gates", observation(51, 50), GATES, HOUR, False, "keep_firing_for"),
        ("is not objected to any more", observation(100, 50, candidate=False), GATES, HOUR, False, "keep_firing_for"),
        ("is not known", observation(math.nan, 50, candidate=False), GATES, 99 * HOUR, True, "unknown"),
        (
            "is above the percentage at which it ends",
            observation(110, 100),
            replace(GATES, resolve_percent=Decimal(10)),
            HOUR,
            True,
            "resolve_percent",
        ),
        (
            "is below the percentage at which it ends",
            observation(109, 100),
            replace(GATES, resolve_percent=Decimal(10)),
            HOUR,
            False,
            "keep_firing_for",
        ),
        (
            "is kept for a while",
            observation(51, 50),
            replace(GATES, keep_firing_for=2 * HOUR),
            HOUR,
            True,
            "keep_firing_for",
        ),
        (
            "has been kept for long enough",
            observation(51, 50),
            replace(GATES, keep_firing_for=2 * HOUR),
            2 * HOUR,
            False,
            "keep_firing_for",
        ),
    ],
)
def test_an_open_alert_holds_or_ends_when_it(
    sentence: str, seen: Observation, gates: Gates, quiet: timedelta, holds: bool, reason: str
) -> None:
    found = endures(seen, gates, NOON - quiet, NOON)
    assert (found.passed, found.gate) == (holds, reason), sentence


def test_an_open_alert_does_not_end_because_the_history_is_short() -> None:
    assert endures(observation(100, 50, active_days=0), GATES, NOON, NOON).gate == "exceeds"


def test_a_measure_that_is_not_dollars_is_not_shown_as_dollars() -> None:
    seen = replace(observation(5, 0), unit="failed polls")
    assert judge(seen, replace(GATES, min_amount=Money.of("0")), None, NOON).gates[0].found == "5 failed polls"


def test_what_exceeds_is_a_candidate_of_size() -> None:
    assert exceeds(observation(100, 50), GATES)
    assert not exceeds(observation(100, 50, candidate=False), GATES)
    assert not exceeds(observation(60, 50), GATES)
