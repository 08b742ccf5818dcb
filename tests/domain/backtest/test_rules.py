from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from service.domain.backtest.backtest import Result
from service.domain.backtest.history import Announced, Recorded, steps
from service.domain.backtest.ledger import tally_of
from service.domain.backtest.rule_replay import RuleReplay
from service.domain.backtest.rules import replay_rule
from service.domain.rules.evaluation import days_needed
from service.domain.rules.kinds.anomaly.rule import Anomaly, AnomalyGranularity
from service.domain.rules.kinds.cache_collapse import CacheCollapse
from service.domain.rules.kinds.change import Against, Change, Direction
from service.domain.rules.kinds.priority_tier import PriorityTier
from service.domain.rules.planned import PlannedActivity
from service.domain.rules.registry import KINDS
from service.domain.rules.rule import Gates, Rule
from service.domain.spend.best_known import DayVersion, EstimatedDay, Spend, SpendDay
from service.domain.values.money import Money
from service.domain.values.resources import Resource
from service.domain.values.scopes import ORGANISATION, Cell, Dimension, Scope
from service.domain.values.utc import midnight
from tests.domain.backtest.pasts import CELL, day, past, rule, settings_of, version

DAYS = 60


def replayed(recorded: Recorded, subject: Resource[Rule[object]] | None = None) -> Result:
    return replay_rule(subject or rule(), recorded, day(1), day(DAYS), lambda progress: None)


def found(result: Result) -> list[tuple[int, int, bool]]:
    """Of each firing the number of the day whose end found it, of the day it is about, and whether it was late."""
    return [((one.at.date() - day(1)).days, (one.day - day(1)).days + 1, one.late) for one in result.firings]


@pytest.mark.parametrize("subject", [rule(), rule(Anomaly(AnomalyGranularity.DAYS), "anomaly")])
def test_a_tripled_day_fires_once_at_its_own_end(subject: Resource[Rule[object]]) -> None:
    result = replayed(past(DAYS, special={40: "150.00"}), subject)
    assert found(result) == [(40, 40, False)]
    (fired,) = result.firings
    assert (fired.scope, fired.actual) == (ORGANISATION, Money.of("150.00"))
    assert fired.impact == fired.excess == Money.of("100.00")
    assert fired.resolved_at is not None
    assert (result.tally.alerts, result.tally.dollars, result.steps) == (1, Money.of("100.00"), DAYS)
    assert result.tally.alerts_per_month == round(30.44 / DAYS, 2)


def test_a_usual_past_fires_nothing() -> None:
    assert replayed(past(DAYS)).tally.firings == 0


def test_a_day_that_became_dear_two_days_later_fires_then_and_is_called_late() -> None:
    same_weekday = rule(Anomaly(AnomalyGranularity.DAYS), "anomaly")
    result = replayed(past(DAYS, version(40, "150.00", known=42)), same_weekday)
    assert found(result) == [(42, 40, True)]
    assert result.tally.late == 1


def test_a_dear_day_that_was_put_right_later_has_fired_all_the_same() -> None:
    restated = version(40, "50.00", known=41)
    result = replayed(past(DAYS, restated, special={40: "150.00"}))
    assert found(result) == [(40, 40, False)]
    assert result.firings[0].actual == Money.of("150.00")
    assert result.firings[0].resolved_at == midnight(day(42))


def test_backfilled_history_is_all_assumed() -> None:
    backfilled = [version(number, "50.00", known=number + 1, assumed=True) for number in range(1, DAYS + 1)]
    result = replayed(Recorded("src_1", backfilled, {}))
    assert result.assumed_share == 1.0
    assert any("Backfilled" in sentence for sentence in result.assumptions)
    assert replayed(past(DAYS)).assumed_share == 0.0


def test_a_backfilled_day_is_not_called_late() -> None:
    backfilled = [
        version(number, "150.00" if number == 40 else "50.00", known=number + 1, assumed=True)
        for number in range(1, DAYS + 1)
    ]
    result = replayed(Recorded("src_1", backfilled, {}), rule(Anomaly(AnomalyGranularity.DAYS), "anomaly"))
    assert found(result) == [(41, 40, False)]


def test_a_planned_activity_counts_from_when_it_was_announced() -> None:
    recorded = past(DAYS, special={40: "150.00"})
    extra = PlannedActivity("src_1", Scope(), midnight(day(40)), midnight(day(41)), Money.of("100.00"))
    in_time = replace(recorded, planned=[Announced(midnight(day(39)), extra)])
    too_late = replace(recorded, planned=[Announced(midnight(day(50)), extra)])
    assert [replayed(one).tally.alerts for one in (in_time, too_late)] == [0, 1]


def test_the_sweep_goes_from_more_alerts_to_fewer_and_holds_the_rules_own_setting() -> None:
    result = replayed(past(DAYS, special={30: "76.00", 40: "90.00", 50: "150.00"}))
    alerts = [row.tally.alerts for row in result.sweep]
    assert [row.setting for row in result.sweep] == [f"min_percent {level}" for level in (15, 30, 45, 60)]
    assert alerts == sorted(alerts, reverse=True)
    assert len(set(alerts)) > 1
    assert [row.tally for row in result.sweep if row.configured] == [result.tally]


def test_an_anomaly_rule_is_swept_by_its_sensitivity() -> None:
    result = replayed(past(DAYS, special={40: "150.00"}), rule(Anomaly(AnomalyGranularity.BOTH), "anomaly"))
    assert [row.setting.split()[1] for row in result.sweep] == ["high", "normal", "low"]
    assert result.assumptions[0].startswith("One step at the end of every UTC day")


def test_a_kind_without_gates_of_size_is_swept_by_its_own_amount() -> None:
    settings = settings_of(rule(PriorityTier(), "priority_tier").spec)
    assert [setting.name for setting in settings] == [f"amount ${dollars}.00" for dollars in (5, 10, 15, 20)]


def test_progress_only_grows_and_ends_at_one() -> None:
    told: list[float] = []
    replay_rule(rule(), past(DAYS), day(1), day(DAYS), told.append)
    assert told == sorted(told)
    assert (len(told), told[-1]) == (DAYS, 1.0)


CELLS = [Cell(f"wrkspc_{n % 3}", f"model_{n % 2}", f"apikey_{n}") for n in range(12)]


def wild(seed: int) -> Recorded:
    """Noisy days with incidents, most of them restated two days later."""
    drawn = random.Random(seed)
    versions = []
    for number in range(1, DAYS + 1):
        usual = {cell: 40 * drawn.lognormvariate(0, 0.25) * (4 if drawn.random() < 0.02 else 1) for cell in CELLS}
        restated = {cell: dollars * drawn.choice((1, 1, 1, 1.5)) for cell, dollars in usual.items()}
        for known, amounts in ((number, usual), (number + 2, restated)):
            cells = {cell: SpendDay(Spend(billed=Money(Decimal(f"{usd:.4f}")))) for cell, usd in amounts.items()}
            versions.append(DayVersion(day(number), day(known), assumed=False, settled=known > number, cells=cells))
    return Recorded("src_1", sorted(versions, key=lambda one: (one.known_on, one.day)), {})


WATCHES: list[tuple[str, object, Dimension | None, timedelta]] = [
    ("change", Change(Against.TRAILING_MEDIAN, direction=Direction.BOTH), Dimension.API_KEY, timedelta()),
    ("change", Change(Against.SAME_WEEKDAY), Dimension.WORKSPACE, timedelta(days=1)),
    ("anomaly", Anomaly(AnomalyGranularity.DAYS), None, timedelta()),
    ("anomaly", Anomaly(AnomalyGranularity.DAYS), Dimension.API_KEY, timedelta(days=1)),
]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, pytest.param(2, marks=pytest.mark.fuzz)])
@pytest.mark.parametrize(("kind", "params", "for_each", "pending"), WATCHES)
def test_the_short_cuts_find_what_a_full_look_at_every_step_finds(
    kind: str, params: object, for_each: Dimension | None, pending: timedelta, seed: int
) -> None:
    gates = replace(KINDS[kind].gates, pending_for=pending)
    subject = rule(params, kind)
    subject = replace(subject, spec=replace(subject.spec, for_each=for_each, gates=gates))
    recorded = wild(seed)
    result = replayed(recorded, subject)
    for setting, row in zip(settings_of(subject.spec), result.sweep, strict=True):
        full = RuleReplay(replace(subject, spec=setting.rule))
        for step in steps(recorded, day(1), day(DAYS), days_needed(setting.rule)):
            full.take(step, step.view)
        assert tally_of(full.ledger.firings(), day(1), day(DAYS)) == row.tally
        if setting.configured:
            assert tuple(full.ledger.firings()) == result.firings
    assert result.sweep[0].tally.alerts > 0


def test_a_lost_cache_is_priced_by_each_model_as_it_is_live() -> None:
    """Opus stops reading its cache at $5 a million; a cheap model beside it uses as many tokens, never cached."""
    opus, haiku = (replace(CELL, model=model) for model in ("opus", "haiku"))
    cheap = used_for("2.00", 20_000_000, 0)
    cached, broken = used_for("28.00", 20_000_000, 16_000_000), used_for("100.00", 20_000_000, 0)
    versions = [
        DayVersion(
            day(number),
            day(number),
            assumed=False,
            settled=False,
            cells={opus: broken if number == 40 else cached, haiku: cheap},
        )
        for number in range(1, DAYS + 1)
    ]
    (firing,) = replayed(Recorded("src_1", versions, {}), rule(CacheCollapse(), "cache_collapse")).firings
    assert (firing.day, firing.excess) == (day(40), Money.of("72.00"))  # 16M tokens at $4.50 a million


def used_for(dollars: str, tokens: int, reads: int) -> SpendDay:
    return SpendDay(Spend(Money.of(dollars)), EstimatedDay(input_tokens=tokens, cache_read_tokens=reads))


def test_a_rule_of_one_workspace_is_replayed_on_that_workspace_alone() -> None:
    loud = {
        cell: SpendDay(Spend(billed=Money.of("300.00" if cell.workspace == "wrkspc_1" else "50.00"))) for cell in CELLS
    }
    usual = dict.fromkeys(CELLS, SpendDay(Spend(billed=Money.of("50.00"))))
    versions = [
        DayVersion(day(number), day(number), assumed=False, settled=False, cells=loud if number == 40 else usual)
        for number in range(1, DAYS + 1)
    ]
    recorded = Recorded("src_1", versions, {})
    for workspace, firings in (("wrkspc_1", 1), ("wrkspc_2", 0)):
        subject = rule()
        subject = replace(subject, spec=replace(subject.spec, scope=Scope(workspaces=(workspace,))))
        assert len(replayed(recorded, subject).firings) == firings


def test_a_cell_that_is_gone_is_in_no_view() -> None:
    recorded = past(10, version(5, "0", known=6))
    views = [dict(step.view.cells.get(CELL, {})) for step in steps(recorded, day(5), day(6), 20)]
    assert [day(5) in one for one in views] == [True, False]


def test_days_without_a_version_are_unknown() -> None:
    (step,) = steps(past(10), day(3), day(3), 5)
    assert step.view.unknown_days == {day(0), day(4)}
    assert step.view.as_of == midnight(day(4))


def test_gates_that_ask_for_nothing_are_not_swept() -> None:
    plain = rule()
    free = replace(plain.spec, gates=Gates(min_amount=Money.of("0"), min_percent=Decimal(0)))
    assert settings_of(free) == ()
    assert replayed(past(DAYS), replace(plain, spec=free)).sweep == ()
