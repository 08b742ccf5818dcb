"""Domain values as JSON and back: every type that is stored, exactly."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.adapters.postgres.codec import DecodeError, decode, encode
from service.domain.access import KeptAnswer
from service.domain.alerts.alert import Alert, AlertEvent
from service.domain.alerts.evidence import ALERT_KINDS, Evidence
from service.domain.budgets.budget import Budget
from service.domain.notify.channels.registry import ChannelConfig
from service.domain.notify.escalation import EscalationPolicy, EscalationStep
from service.domain.notify.notification import Attempt
from service.domain.notify.receivers import Receiver
from service.domain.notify.rotas import Rota
from service.domain.notify.routing.routes import RouteTable
from service.domain.notify.routing.silences import Silence
from service.domain.sources.ownership import Ownership
from service.domain.sources.poll import ReportOutcome
from service.domain.sources.pricing import Measure, PriceOverride
from service.domain.sources.source import Source
from service.domain.values.money import Money
from tests.sample_alerts import ALERT, EVIDENCE, OPENED_EVENT, RULE, SILENCE_ENDS, STALE, STALE_ALERT, UNDELIVERED

STORED: tuple[Any, ...] = (
    *(Source, Ownership, Budget, Receiver, RouteTable, Silence, PriceOverride, EscalationPolicy, Rota),
    *(Alert, AlertEvent, ReportOutcome, Attempt, KeptAnswer),
)

decimals = st.decimals(allow_nan=False, allow_infinity=False)
st.register_type_strategy(Decimal, decimals)
st.register_type_strategy(
    Money, st.decimals(min_value=-(10**9), max_value=10**9, places=12, allow_nan=False).map(Money)
)
st.register_type_strategy(datetime, st.datetimes(timezones=st.just(UTC)))
st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))
st.register_type_strategy(Evidence, st.one_of(*map(st.from_type, ALERT_KINDS.values())))


@pytest.mark.parametrize("stored", STORED, ids=lambda stored: stored.__name__)
def test_every_stored_type_comes_back_as_it_was(stored: type[Any]) -> None:
    @given(st.from_type(stored))
    def comes_back(value: object) -> None:
        as_text = json.dumps(encode(value), allow_nan=False)
        assert decode(stored, json.loads(as_text)) == value

    comes_back()


def test_money_is_a_plain_decimal_string_whatever_its_exponent() -> None:
    assert encode(Money(Decimal("5E+3"))) == "5000"
    assert encode(Money.of("0.000000000001")) == "0.000000000001"


def test_decimals_keep_all_their_digits() -> None:
    exact = Decimal("80.00000000000000000000000000000000000001")
    assert decode(Decimal, encode(exact)) == exact


def test_instants_are_stored_in_utc() -> None:
    berlin = timezone(timedelta(hours=1))
    assert encode(datetime(2026, 11, 1, 1, tzinfo=berlin)) == "2026-11-01T00:00:00+00:00"


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(TypeError, match="without a time zone"):
        encode(datetime(2026, 11, 1))  # noqa: DTZ001 - the point of the test


@pytest.mark.parametrize(
    "evidence", [EVIDENCE, RULE, SILENCE_ENDS, STALE, UNDELIVERED], ids=lambda evidence: evidence.kind
)
def test_evidence_is_known_by_its_kind_or_without_one_by_its_fields(evidence: Evidence) -> None:
    """Earlier releases stored it without its kind."""
    stored = encode(evidence)
    assert isinstance(stored, dict)
    assert decode(Evidence, stored) == evidence
    assert decode(Evidence, {name: value for name, value in stored.items() if name != "kind"}) == evidence


def test_evidence_of_another_kind_is_not_taken_for_one_that_has_the_same_fields() -> None:
    stored = encode(STALE)
    assert isinstance(stored, dict)
    with pytest.raises(DecodeError, match="none of"):
        decode(Evidence, stored | {"kind": "blackout"})


def test_an_alert_comes_back_with_its_evidence() -> None:
    assert decode(Alert, encode(STALE_ALERT)) == STALE_ALERT


def test_a_channel_is_known_by_its_kind() -> None:
    with pytest.raises(DecodeError, match="none of"):
        decode(ChannelConfig, {"kind": "pigeon", "to": ["loft"]})


def test_mapping_keys_become_enum_members_again() -> None:
    prices: Mapping[Measure, Decimal] = {Measure.OUTPUT: Decimal("25")}
    assert decode(Mapping[Measure, Decimal], encode(prices)) == prices


def test_a_field_of_a_newer_release_is_ignored_and_a_missing_one_takes_its_default() -> None:
    stored = encode(OPENED_EVENT)
    assert isinstance(stored, dict)
    del stored["note"]
    stored["mood"] = "grim"
    assert decode(AlertEvent, stored) == replace(OPENED_EVENT, note="")


def test_a_policy_stored_before_there_were_rotas_is_read() -> None:
    stored: Any = {"steps": [{"after": 0, "receiver_id": "rcv_1"}], "repeat": 1}
    assert decode(EscalationPolicy, stored) == EscalationPolicy((EscalationStep(timedelta(), "rcv_1"),), 1)


@pytest.mark.parametrize(
    ("hint", "stored"),
    [
        (int, True),
        (int, "1"),
        (bool, 1),
        (str, 5),
        (Decimal, 0.1),
        (Decimal, "ten"),
        (Money, "1e400"),
        (timedelta, "5m"),
        (tuple[str, ...], "abc"),
        (tuple[tuple[str, str], ...], [["only one"]]),
        (Alert, {"id": "alrt_1"}),
    ],
)
def test_what_does_not_fit_is_refused_and_never_converted(hint: object, stored: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - DecodeError, or the domain's own refusal
        decode(hint, stored)


def test_a_type_that_it_does_not_know_is_refused_both_ways() -> None:
    with pytest.raises(TypeError):
        encode(object())
    with pytest.raises(TypeError):
        decode(set[str], ["a"])


@dataclass(frozen=True)
class Matcher:
    """A value that holds values of its own type."""

    label: str
    inner: tuple[Matcher, ...] = ()


def test_a_type_that_contains_itself_comes_back() -> None:
    tree = Matcher("a", (Matcher("b"), Matcher("c", (Matcher("d"),))))
    assert decode(Matcher, encode(tree)) == tree


def test_an_alert_is_stored_field_by_field_under_its_own_names() -> None:
    stored = encode(ALERT)
    assert isinstance(stored, dict)
    assert stored["scope"] == {"dimension": "workspace", "id": "wrkspc_1"}
    assert stored["severity"] == "critical"
