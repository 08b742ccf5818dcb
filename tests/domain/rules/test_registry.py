"""Every kind of rule has its entry, and refuses what cannot be kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from datetime import timedelta
from decimal import Decimal

import pytest

from service.domain.rules.kind import RuleKind
from service.domain.rules.kinds.anomaly.rule import Anomaly
from service.domain.rules.kinds.cache_collapse import CacheCollapse
from service.domain.rules.kinds.change import Change, Direction
from service.domain.rules.kinds.claude_code import ClaudeCodeCost
from service.domain.rules.kinds.dormant_woke import DormantWoke
from service.domain.rules.kinds.first_seen import FirstSeen
from service.domain.rules.kinds.model_shift import ModelShift
from service.domain.rules.kinds.priority_tier import PriorityTier
from service.domain.rules.planned import PlannedActivity
from service.domain.rules.registry import KINDS, kind_of, validate
from service.domain.rules.rule import Gates
from service.domain.spend.lateness import Patience
from service.domain.values.errors import Invalid
from service.domain.values.money import Money
from service.domain.values.scopes import Dimension
from tests.domain.rules.views import rule, view

EXAMPLES: dict[str, object] = {
    "anomaly": Anomaly(),
    "change": Change(),
    "first_seen": FirstSeen(),
    "dormant_woke": DormantWoke(),
    "model_shift": ModelShift(),
    "cache_collapse": CacheCollapse(),
    "priority_tier": PriorityTier(),
    "claude_code": ClaudeCodeCost(),
    "stale_source": Patience(),
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.title)
def test_every_kind_is_described_and_has_parameters_with_defaults(kind: RuleKind[object]) -> None:
    assert kind.title
    assert kind.description.endswith(".")
    params = kind.params()
    assert is_dataclass(params)
    assert all(field.default is not field.default_factory for field in fields(params))
    assert params == kind.params()


@pytest.mark.parametrize("kind", EXAMPLES)
def test_a_rule_with_its_kinds_own_defaults_is_accepted(kind: str) -> None:
    validate(rule(kind, EXAMPLES[kind]))


class Watched(tuple[PlannedActivity, ...]):
    """Notes whether anybody looks at the planned activities."""

    looks = 0

    def __len__(self) -> int:
        Watched.looks += 1
        return super().__len__()

    def __iter__(self) -> Iterator[PlannedActivity]:
        Watched.looks += 1
        return super().__iter__()


@pytest.mark.parametrize("kind", sorted(KINDS.keys() - {"stale_source"}))  # it judges no spend
def test_a_kind_says_whether_it_expects_planned_activities(kind: str) -> None:
    Watched.looks = 0
    KINDS[kind].observe(view([10.0] * 60, planned=Watched()), rule(kind, EXAMPLES[kind]), ())
    assert (Watched.looks > 0) is KINDS[kind].expects_planned


@pytest.mark.parametrize("kind", EXAMPLES)
def test_another_kinds_parameters_are_refused(kind: str) -> None:
    foreign = Change() if kind != "change" else FirstSeen()
    with pytest.raises(Invalid) as refusal:
        validate(rule(kind, foreign))
    assert refusal.value.pointer == "/params"
    with pytest.raises(TypeError):
        kind_of(rule(kind, foreign))


NAN, INFINITE = Decimal("NaN"), Decimal("Infinity")


@pytest.mark.parametrize(
    ("kind", "params", "pointer"),
    [
        ("change", Change(days=0), "/params/days"),
        ("change", Change(days=-1), "/params/days"),
        ("change", Change(days=401), "/params/days"),
        ("first_seen", FirstSeen(within_days=0), "/params/within_days"),
        ("first_seen", FirstSeen(within_days=401), "/params/within_days"),
        ("first_seen", FirstSeen(Dimension.ORGANISATION), "/params/dimension"),
        ("dormant_woke", DormantWoke(idle_days=0), "/params/idle_days"),
        ("dormant_woke", DormantWoke(idle_days=401), "/params/idle_days"),
        ("dormant_woke", DormantWoke(within_days=0), "/params/within_days"),
        ("model_shift", ModelShift(points=Decimal(0)), "/params/points"),
        ("model_shift", ModelShift(points=Decimal(-5)), "/params/points"),
        ("model_shift", ModelShift(points=Decimal(101)), "/params/points"),
        ("model_shift", ModelShift(points=NAN), "/params/points"),
        ("model_shift", ModelShift(days=401), "/params/days"),
        ("cache_collapse", CacheCollapse(points=None), "/params/points"),
        ("cache_collapse", CacheCollapse(points=INFINITE), "/params/points"),
        ("cache_collapse", CacheCollapse(below_percent=NAN), "/params/below_percent"),
        ("cache_collapse", CacheCollapse(days=0), "/params/days"),
        ("cache_collapse", CacheCollapse(min_input_tokens=0), "/params/min_input_tokens"),
        ("priority_tier", PriorityTier(amount=Money.of("0")), "/params/amount"),
        ("priority_tier", PriorityTier(amount=Money.of("-1")), "/params/amount"),
        ("priority_tier", PriorityTier(days=401), "/params/days"),
        ("stale_source", Patience(failures=0), "/params/failures"),
        ("stale_source", Patience(after=timedelta()), "/params/after"),
        ("stale_source", Patience(after=timedelta(days=8)), "/params/after"),
    ],
)
def test_parameters_that_mean_nothing_are_refused(kind: str, params: object, pointer: str) -> None:
    with pytest.raises(Invalid) as refusal:
        validate(rule(kind, params))
    assert refusal.value.pointer == pointer


@pytest.mark.parametrize(
    ("gates", "pointer"),
    [
        (Gates(min_amount=Money.of("-0.01")), "/gates/min_amount"),
        (Gates(min_percent=Decimal(-1)), "/gates/min_percent"),
        (Gates(min_percent=NAN), "/gates/min_percent"),
        (Gates(min_percent=INFINITE), "/gates/min_percent"),
        (Gates(min_active_days=-1), "/gates/min_active_days"),
        (Gates(min_active_days=401), "/gates/min_active_days"),
        (Gates(pending_for=timedelta(seconds=-1)), "/gates/pending_for"),
        (Gates(keep_firing_for=timedelta(days=31)), "/gates/keep_firing_for"),
        (Gates(resolve_percent=NAN), "/gates/resolve_percent"),
        (Gates(resolve_percent=Decimal(31)), "/gates/resolve_percent"),
    ],
)
def test_gates_that_mean_nothing_are_refused(gates: Gates, pointer: str) -> None:
    with pytest.raises(Invalid) as refusal:
        validate(rule("change", Change(), gates=gates))
    assert refusal.value.pointer == pointer


@pytest.mark.parametrize("params", [FirstSeen(within_days=2), DormantWoke(within_days=2)])
def test_a_rule_whose_wait_outlasts_what_it_waits_for_is_refused(params: FirstSeen | DormantWoke) -> None:
    kind = "first_seen" if isinstance(params, FirstSeen) else "dormant_woke"
    validate(rule(kind, params, gates=Gates(pending_for=timedelta(hours=47))))
    with pytest.raises(Invalid) as refusal:
        validate(rule(kind, params, gates=Gates(pending_for=timedelta(days=2))))
    assert refusal.value.pointer == "/gates/pending_for"
    assert "2 days alone, and it would wait 2d; give a shorter pending_for or more within_days" in str(refusal.value)


@pytest.mark.parametrize(
    ("kind", "params", "most", "too_much", "pointer"),
    [
        (
            "change",
            Change(direction=Direction.DOWN),
            Gates(min_percent=Decimal(100)),
            Gates(min_percent=Decimal(101)),
            "/gates/min_percent",
        ),
        (
            "claude_code",
            ClaudeCodeCost(),
            Gates(min_active_days=28),
            Gates(min_active_days=29),
            "/gates/min_active_days",
        ),
    ],
)
def test_gates_that_nothing_of_a_kind_can_pass_are_refused(
    kind: str, params: object, most: Gates, too_much: Gates, pointer: str
) -> None:
    validate(rule(kind, params, gates=most))
    with pytest.raises(Invalid) as refusal:
        validate(rule(kind, params, gates=too_much))
    assert refusal.value.pointer == pointer
    assert str(refusal.value).startswith("never fires")


def test_a_rule_that_may_also_fire_otherwise_keeps_such_gates() -> None:
    validate(rule("change", Change(direction=Direction.BOTH), gates=Gates(min_percent=Decimal(300))))
    for times in (None, Decimal(3)):
        by_limit = ClaudeCodeCost(Money.of("400"), times=times)
        validate(rule("claude_code", by_limit, gates=Gates(min_active_days=60)))


@pytest.mark.parametrize(
    ("kind", "for_each"),
    [
        ("first_seen", Dimension.WORKSPACE),
        ("model_shift", Dimension.MODEL),
        ("stale_source", Dimension.WORKSPACE),
        ("change", Dimension.ORGANISATION),
    ],
)
def test_a_kind_is_not_repeated_over_what_makes_no_sense_for_it(kind: str, for_each: Dimension) -> None:
    with pytest.raises(Invalid) as refusal:
        validate(rule(kind, EXAMPLES[kind], for_each=for_each))
    assert refusal.value.pointer == "/for_each"


def test_a_source_that_cannot_be_read_has_no_amount_to_ask_for() -> None:
    with pytest.raises(Invalid) as refusal:
        validate(replace(rule("stale_source", Patience()), gates=Gates()))
    assert refusal.value.pointer == "/gates"


def test_every_kind_has_an_entry_and_an_example() -> None:
    assert set(KINDS) == set(EXAMPLES)
