"""Spend that begins (first_seen), or begins again (dormant_woke)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from service.domain.rules.evaluation import evaluate, view_for
from service.domain.rules.feedback import Feedback, FeedbackKind
from service.domain.rules.kinds.dormant_woke import DormantWoke, last_waking
from service.domain.rules.kinds.first_seen import FirstSeen
from service.domain.rules.planned import PlannedActivity
from service.domain.rules.rule import Verdict
from service.domain.values.money import Money
from service.domain.values.scopes import UNATTRIBUTED, Cell, Dimension, Scope, ScopeKey
from tests.domain.rules.views import CELL, Figures, day, instant, rule, view

OLD = replace(CELL, api_key="apikey_old")
CI = ScopeKey(Dimension.API_KEY, "apikey_ci")
NEW_KEY = rule("first_seen", FirstSeen())
WOKEN_KEY = rule("dormant_woke", DormantWoke(), for_each=Dimension.API_KEY)
IDLE = [0.0] * 14


def newcomer(row: Figures, others: Figures | None = None, **options: tuple[int, ...]) -> bool:
    """Whether ci's row rings beside an old key's, which has spent every day unless told otherwise."""
    seen = view({OLD: others or [5.0] * len(row), CELL: row}, unknown=options.get("unknown", ()))
    return evaluate(seen, NEW_KEY)[CI].fires


@pytest.mark.parametrize(
    ("sentence", "row", "rings"),
    [
        ("spends today for the first time", [0.0] * 20 + [25.0], True),
        ("spent first six days ago", [0.0] * 20 + [20.0] + [0.0] * 6, True),
        ("spent first a week ago and is not new any more", [0.0] * 20 + [25.0] + [0.0] * 7, False),
        ("passes the amount over several days", [0.0] * 20 + [7.0, 7.0, 7.0], True),
        ("has not spent the amount yet", [0.0] * 20 + [7.0, 7.0], False),
        ("comes while the data is younger than the gate on active days", [0.0] * 6 + [25.0], False),
        ("comes when the data has reached the gate on active days", [0.0] * 7 + [25.0], True),
        ("has spent before, long ago", [1.0] + [0.0] * 20 + [25.0], False),
    ],
)
def test_a_new_key_rings_when_it(sentence: str, row: Sequence[float], rings: bool) -> None:
    assert newcomer(row) is rings, sentence


@pytest.mark.parametrize(("within_days", "first", "late"), [(1, 1, None), (1, 3, 3), (2, 4, 5), (3, 7, 9)])
def test_what_began_before_its_first_day_was_read_is_new_once_it_is_read(
    within_days: int, first: int, late: int | None
) -> None:
    """Its days as a new one are over when it is seen first: the day's last minutes are enough for `within_days` 1."""
    row = [0.0] * 20 + [25.0] + [0.0] * first
    judged = rule("first_seen", FirstSeen(within_days=within_days))
    assert evaluate(view({OLD: [5.0] * len(row), CELL: row}, late=late), judged)[CI].fires
    woken = rule("dormant_woke", DormantWoke(within_days=within_days), for_each=Dimension.API_KEY)
    assert evaluate(view({CELL: [5.0, *row]}, late=late), woken)[CI].fires


def test_a_new_key_is_described_with_all_it_has_spent() -> None:
    seen = evaluate(view({OLD: [5.0] * 22, CELL: [0.0] * 20 + [100.0, 20.0]}), NEW_KEY)[CI].observation
    assert seen.cause == "API key ci has spent $120.00 since 20 November 2026; it had never spent before."
    assert (seen.actual, seen.expected, seen.days) == (120.0, 0.0, (day(1), day(0)))


def test_everything_is_new_on_the_first_day_of_the_data_and_nothing_rings() -> None:
    seen = evaluate(view({OLD: [500.0], CELL: [500.0]}), NEW_KEY)
    assert seen
    assert not any(verdict.fires for verdict in seen.values())


def test_days_that_nobody_has_read_are_no_history() -> None:
    assert newcomer([0.0] * 8 + [25.0])
    assert not newcomer([0.0] * 8 + [25.0], unknown=(1, 2, 3))


def test_a_key_that_has_not_spent_is_not_there() -> None:
    assert CI not in evaluate(view({OLD: [5.0] * 9, CELL: [0.0] * 9}), NEW_KEY)


def test_spend_that_no_key_can_be_named_for_is_nobody_new() -> None:
    nobody = replace(CELL, api_key=UNATTRIBUTED)
    seen = evaluate(view({OLD: [5.0] * 9, nobody: [0.0] * 8 + [900.0]}), NEW_KEY)
    assert set(seen) == {ScopeKey(Dimension.API_KEY, "apikey_old")}


@pytest.mark.parametrize(
    ("dimension", "cell"),
    [
        (Dimension.WORKSPACE, replace(CELL, workspace="wrkspc_new")),
        (Dimension.MODEL, replace(CELL, model="claude-opus-new")),
    ],
)
def test_a_new_workspace_and_a_new_model_ring_like_a_new_key(dimension: Dimension, cell: Cell) -> None:
    seen = evaluate(view({CELL: [5.0] * 9, cell: [0.0] * 8 + [900.0]}), rule("first_seen", FirstSeen(dimension)))
    assert [key.id for key, verdict in seen.items() if verdict.fires] == [cell.along(dimension)]


@pytest.mark.parametrize(("settled", "rings"), [(2, True), (1, True), (0, False)])
def test_a_new_person_is_new_until_the_bill_of_the_last_day_is_settled(settled: int, rings: bool) -> None:
    ada, old = (replace(CELL, actor=f"person_{name}") for name in ("ada", "old"))
    seen = view({old: [5.0] * 10, ada: [0.0] * 7 + [25.0, 0.0, 0.0]}, settled=settled)
    judged = evaluate(seen, rule("first_seen", FirstSeen(Dimension.ACTOR, within_days=1)))
    assert judged[ScopeKey(Dimension.ACTOR, ada.actor)].fires is rings


@pytest.mark.parametrize(("settled", "rings"), [(2, True), (1, True), (0, False)])
def test_a_woken_person_is_so_until_the_bill_of_the_last_day_is_settled(settled: int, rings: bool) -> None:
    seen = view({replace(CELL, actor="person_ada"): [1.0, *IDLE, 25.0, 0.0, 0.0]}, settled=settled)
    judged = evaluate(seen, rule("dormant_woke", DormantWoke(within_days=1), for_each=Dimension.ACTOR))
    assert judged[ScopeKey(Dimension.ACTOR, "person_ada")].fires is rings


def test_a_planned_newcomer_rings_only_above_its_plan() -> None:
    def judged(dollars: str) -> Verdict:
        activity = PlannedActivity("src_1", Scope(api_keys=("apikey_ci",)), instant(1), instant(-1), Money.of(dollars))
        seen = view({OLD: [5.0] * 20, CELL: [0.0] * 18 + [100.0, 100.0]}, planned=(activity,))
        return evaluate(seen, NEW_KEY)[CI]

    assert judged("180.00").fires
    assert not judged("180.01").fires
    assert judged("199.99").observation.candidate
    assert not judged("200.00").observation.candidate


def test_a_newcomer_that_somebody_called_expected_is_quiet() -> None:
    seen = view({OLD: [5.0] * 20, CELL: [0.0] * 18 + [100.0, 100.0]})
    said = Feedback(CI, FeedbackKind.EXPECTED, day(1), day(0), instant(0))
    assert not evaluate(seen, NEW_KEY, [said])[CI].fires
    assert evaluate(seen, NEW_KEY, [replace(said, scope=ScopeKey(Dimension.API_KEY, "apikey_old"))])[CI].fires


@pytest.mark.parametrize(
    ("sentence", "row", "rings"),
    [
        ("spends today after fourteen idle days", [1.0, *IDLE, 25.0], True),
        ("spends today after thirteen idle days", [1.0, *IDLE[:13], 25.0], False),
        ("woke six days ago", [1.0, *IDLE, 25.0, *[0.0] * 6], True),
        ("woke a week ago", [1.0, *IDLE, 25.0, *[0.0] * 7], False),
        ("woke slowly and has passed the amount by now", [1.0, *IDLE, 1.0, 1.0, 18.0], True),
        ("has not spent the amount since it woke", [1.0, *IDLE, 1.0, 1.0, 17.99], False),
        ("has never spent before: that is first_seen", [0.0, *IDLE, 25.0], False),
        ("sleeps on", [1.0, *IDLE, 0.0], False),
        ("got a credit in its sleep", [1.0, *IDLE[:7], -5.0, *IDLE[:7], 25.0], True),
    ],
)
def test_a_dormant_key_rings_when_it(sentence: str, row: Sequence[float], rings: bool) -> None:
    assert evaluate(view(row), WOKEN_KEY)[CI].fires is rings, sentence


def test_a_dormant_key_is_described_with_its_idle_days() -> None:
    seen = evaluate(view([1.0, *IDLE, *IDLE, 25.0]), WOKEN_KEY)[CI].observation
    assert seen.cause == ("API key ci has spent $25.00 since 21 November 2026; it had been idle for 28 days before.")


@pytest.mark.parametrize("idle_days", [138, 139, 200, 400])
def test_a_key_that_slept_for_months_rings_like_one_that_slept_for_weeks(idle_days: int) -> None:
    seen = view([1.0, *[0.0] * idle_days, 25.0])
    assert evaluate(view_for(WOKEN_KEY, seen), WOKEN_KEY)[CI].fires


def test_an_unknown_day_is_no_idle_day() -> None:
    row = [1.0, *IDLE, 25.0]
    assert last_waking(row, 14) == (15, 14)
    assert last_waking([value if place != 3 else float("nan") for place, value in enumerate(row)], 14) == (0, 0)


def test_a_key_that_slept_twice_is_judged_by_its_last_sleep() -> None:
    assert last_waking([1, 0, 0, 0, 1, 0, 0, 1, 1], 2) == (7, 2)
