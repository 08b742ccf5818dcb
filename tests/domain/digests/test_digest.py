"""What a digest says."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from service.domain.alerts.alert import AlertEvent, Command
from service.domain.digests.alerts import Tally, concerns, tally
from service.domain.digests.digest import BudgetStand, Digest, DigestPlan, Figures, LoudRule, Occasion, build
from service.domain.digests.phrases import digest_message, duration
from service.domain.messages.message import badge
from service.domain.rules.feedback import Feedback, FeedbackKind, GivenFeedback
from service.domain.spend.best_known import Spend
from service.domain.values.money import Money
from service.domain.values.periods import Window
from service.domain.values.scopes import ORGANISATION, Cell, Dimension, Scope, ScopeKey
from tests.factories import utc
from tests.sample_alerts import ALERT, OPENED_EVENT

ENG, OPS = Cell("wrkspc_eng", "sonnet", "key_ci"), Cell("wrkspc_ops", "haiku", "key_ops")
NEW = Cell("wrkspc_new", "sonnet", "key_new")
NAMES = {ScopeKey(Dimension.WORKSPACE, "wrkspc_eng"): "Engineering"}
PLAN = DigestPlan("src_1", "rcv_1", "0 9 * * 1")
OCCASION = Occasion(
    "weekly spend",
    Window(utc("2026-11-09T09:00"), utc("2026-11-16T09:00")),
    Window(utc("2026-11-02T09:00"), utc("2026-11-09T09:00")),
    NAMES,
)
HOUR = timedelta(hours=1)


def spent(**dollars: str) -> dict[Cell, Spend]:
    cells = {"eng": ENG, "ops": OPS, "new": NEW}
    return {cells[name]: Spend(billed=Money.of(amount)) for name, amount in dollars.items()}


def digest(figures: Figures, *at_risk: BudgetStand, plan: DigestPlan = PLAN, counted: Tally | None = None) -> Digest:
    return build(plan, OCCASION, figures, at_risk, counted or Tally())


def facts(of: Digest) -> dict[str, str]:
    return dict(digest_message(of, "dgr_1", "https://tocsin.example.com").facts)


def test_the_change_is_against_the_period_before() -> None:
    of = digest(Figures(spent(eng="150.00", ops="50.00"), spent(eng="100.00", ops="60.00")))
    message = digest_message(of, "dgr_1", "https://tocsin.example.com")
    assert message.headline == ("9 Nov 09:00 to 16 Nov 09:00: $200, up 25% (+$40.00) vs 2 Nov 09:00 to 9 Nov 09:00")
    assert message.change == ""
    assert facts(of)["Digest"] == "weekly spend"
    assert facts(of)["Spent"] == "$200.00, billed; $160.00 in the period before"
    assert badge(message) == "DIGEST"


def test_nothing_before_gives_no_percentage_and_no_change_says_so() -> None:
    assert digest_message(digest(Figures(spent(eng="1.00"), {})), "dgr_1", "").headline.endswith(
        ": $1.00, up $1.00 vs 2 Nov 09:00 to 9 Nov 09:00"
    )
    same = Figures(spent(eng="1.00"), spent(eng="1.00"))
    assert digest_message(digest(same), "dgr_1", "").headline.endswith("the same as 2 Nov 09:00 to 9 Nov 09:00")


def test_the_subject_names_the_calendars_months() -> None:
    october = Window(utc("2026-10-01"), utc("2026-11-01"))
    occasion = replace(OCCASION, window=october, before=Window(utc("2026-09-01"), utc("2026-10-01")))
    figures = Figures(spent(eng="16324.40"), spent(eng="17159.10"))
    message = digest_message(build(PLAN, occasion, figures, (), Tally()), "dgr_1", "")
    assert message.headline == "October: $16,324, down 4% (-$834) vs September"
    part = replace(PLAN, scope=Scope(workspaces=("wrkspc_eng",)))
    message = digest_message(build(part, occasion, figures, (), Tally()), "dgr_1", "")
    assert message.headline == "October, workspace Engineering: $16,324, down 4% (-$834) vs September"


def test_members_have_their_amount_share_and_change() -> None:
    said = facts(digest(Figures(spent(eng="150.00", new="50.00"), spent(eng="100.00", ops="60.00"))))
    assert said["Workspaces"] == "Engineering $150 (75%, +$50.00)\nwrkspc_new $50.00 (25%, +$50.00)"
    assert said["Workspaces down"] == "wrkspc_ops -$60.00"
    assert "Workspaces up" not in said
    assert said["Models"] == "sonnet $200 (100%, +$100)"


def test_of_many_members_the_largest_are_named_and_the_others_added_up() -> None:
    many = {Cell(f"wrkspc_{n}", "sonnet", "key"): Spend(billed=Money.of(f"{n}.00")) for n in range(1, 10)}
    of = digest(Figures(many, {}))
    assert facts(of)["Workspaces"].splitlines()[-1] == "others $10.00"
    assert [one.name for one in of.movers[0].up] == ["wrkspc_9", "wrkspc_8", "wrkspc_7"]


def test_what_has_not_moved_says_nothing_of_a_change() -> None:
    said = facts(digest(Figures(spent(eng="1.00"), spent(eng="1.00"))))
    assert not [label for label in said if label.endswith(("up", "down"))]
    assert said["Workspaces"] == "Engineering $1.00 (100%)"


def test_spend_without_a_price_is_said_to_be_missing() -> None:
    of = digest(Figures({ENG: Spend(billed=Money.of("1.00"), unpriced_tokens=5_000_000)}, {}))
    assert facts(of)["Missing"] == "the cost of 5,000,000 tokens of models without a known price"


@pytest.mark.parametrize(
    ("days", "before", "headline", "said"),
    [
        (0, 25, "November: $200, October is not known in full", "the bill of 25 UTC days of October"),
        (3, 0, "November: $200, not known in full", "the bill of 3 UTC days of November"),
        (1, 2, "November: $200, not known in full", "the bill of 1 UTC day of November, and of 2 UTC days of October"),
    ],
)
def test_a_part_is_compared_with_nothing(days: int, before: int, headline: str, said: str) -> None:
    """A first month's report said "up 384%": most of the month before was never read."""
    november = Window(utc("2026-11-01"), utc("2026-12-01"))
    occasion = replace(OCCASION, window=november, before=Window(utc("2026-10-01"), november.start))
    figures = Figures(spent(eng="150.00", new="50.00"), spent(eng="10.00", ops="5.00"))
    built = build(PLAN, occasion, figures, (), Tally())
    of = replace(built, unknown_days=days, unknown_days_before=before)
    assert digest_message(of, "dgr_1", "").headline == headline
    found = facts(of)
    assert (found["Spent"], found["Not known"]) == ("$200.00, billed", f"{said}; what was not read counts as $0.00")
    assert found["Workspaces"] == "Engineering $150 (75%)\nwrkspc_new $50.00 (25%)"
    assert not [label for label in found if label.endswith(("up", "down"))]


def test_spend_outside_the_scope_is_left_out() -> None:
    plan = replace(PLAN, scope=Scope(workspaces=("wrkspc_ops",)))
    of = digest(Figures(spent(eng="150.00", ops="2.00"), spent(eng="100.00", ops="1.00")), plan=plan)
    assert (of.spent.total, of.spent_before) == (Money.of("2.00"), Money.of("1.00"))
    assert of.about == "workspace wrkspc_ops"
    assert [mover.name for mover in of.movers[0].up] == ["wrkspc_ops"]


def test_budgets_that_are_not_at_risk_are_known_too_the_fullest_first() -> None:
    calm = BudgetStand("data", "workspace data", Money.of("100.00"), Money.of("60.00"), Money.of("90.00"))
    over = BudgetStand("ops", "workspace ops", Money.of("10.00"), Money.of("90.00"), None)
    of = digest(Figures({}, {}), calm, over)
    assert (of.budgets, of.at_risk) == ((over, calm), (over,))


def test_budgets_at_risk_come_worst_first() -> None:
    heading = BudgetStand("eng", "workspace eng", Money.of("100.00"), Money.of("60.00"), Money.of("130.00"))
    over = BudgetStand("ops", "workspace ops", Money.of("10.00"), Money.of("90.00"), None)
    said = facts(digest(Figures({}, {}), heading, over))["Budgets at risk"]
    assert said == "ops (workspace ops): $90.00 of $10.00 spent\neng (workspace eng): heading for $130.00 of $100.00"


def test_simulated_spend_says_so() -> None:
    of = build(PLAN, replace(OCCASION, simulated=True), Figures({}, {}), (), Tally())
    message = digest_message(of, "dgr_1", "")
    assert message.headline.startswith("SIMULATED: ")
    assert message.facts[-1] == ("Data", "simulated: nobody spent this money")


# ------------------------------------------------------------------------------- alerts


def opened(number: int) -> AlertEvent:
    return replace(OPENED_EVENT, alert=replace(ALERT, id=f"alert_{number}", version=1), command=Command.OPEN)


def later(event: AlertEvent, command: Command, wait: timedelta) -> AlertEvent:
    return replace(event, alert=replace(event.alert, version=2), command=command, at=event.at + wait)


def answered(event: AlertEvent, kind: FeedbackKind) -> GivenFeedback:
    day = event.at.date()
    said = Feedback(ORGANISATION, kind, day, day, event.at)
    return GivenFeedback("fb_1", "src_1", "rule_1", event.alert.id, said, "ann")


def test_acknowledgements_count_for_alerts_that_were_opened_in_the_period() -> None:
    one, two, three = opened(1), opened(2), opened(3)
    counted = tally(
        [
            one,
            later(one, Command.ACKNOWLEDGE, HOUR),
            later(one, Command.ACKNOWLEDGE, 9 * HOUR),
            two,
            later(two, Command.ACKNOWLEDGE, 3 * HOUR),
            three,
            later(three, Command.RESOLVE, HOUR),
            later(opened(4), Command.ACKNOWLEDGE, HOUR),  # opened long before
        ],
        (),
    )
    assert (counted.opened, counted.resolved, counted.acknowledged) == (3, 1, 2)
    assert counted.acknowledged_after == 2 * HOUR
    assert counted.at_detection == Money.of("12.345678")


def test_dismissed_is_what_people_called_expected_or_noise() -> None:
    one, two, three = opened(1), opened(2), opened(3)
    withdrawn = replace(answered(three, FeedbackKind.NOISE), withdrawn_at=three.at)
    given = [
        answered(one, FeedbackKind.EXPECTED),
        answered(one, FeedbackKind.NOISE),
        answered(two, FeedbackKind.FIXED),
        withdrawn,
    ]
    assert tally([one, two, three], given).dismissed == 1


def test_the_quality_is_said_in_one_line() -> None:
    counted = Tally(4, 1, 3, 1, timedelta(minutes=65), Money.of("12.34"))
    said = facts(digest(Figures({}, {}), counted=counted))
    assert said["Alerts"] == "4 opened, 1 resolved"
    assert said["Alert quality"] == (
        "75% acknowledged, after 1 h 5 min (median); 1 dismissed as expected or noise; $12.34 at detection (median)"
    )
    assert "Alert quality" not in facts(digest(Figures({}, {})))


@pytest.mark.parametrize(
    ("minutes", "said"), [(0, "0 min"), (59, "59 min"), (60, "1 h 0 min"), (60 * 24 * 2 + 250, "2 d 4 h")]
)
def test_waits_are_told_as_people_say_them(minutes: int, said: str) -> None:
    assert duration(timedelta(minutes=minutes)) == said


@pytest.mark.parametrize(
    ("scope", "key", "origin", "concerned"),
    [
        (Scope(), ORGANISATION, Scope(), True),
        (Scope(workspaces=("a",)), ORGANISATION, Scope(), False),
        (Scope(workspaces=("a",)), ORGANISATION, Scope(workspaces=("a",)), True),
        (Scope(workspaces=("a",)), ORGANISATION, Scope(workspaces=("a", "b")), False),
        (Scope(workspaces=("a",)), ScopeKey(Dimension.WORKSPACE, "a"), Scope(), True),
        (Scope(workspaces=("a",)), ScopeKey(Dimension.WORKSPACE, "b"), Scope(), False),
        (Scope(workspaces=("a",)), ScopeKey(Dimension.MODEL, "m"), Scope(workspaces=("a",)), True),
        (Scope(workspaces=("a",), models=("m",)), ScopeKey(Dimension.MODEL, "m"), Scope(), False),
    ],
)
def test_an_alert_belongs_to_a_scope_that_all_its_spend_is_in(
    scope: Scope, key: ScopeKey, origin: Scope, concerned: bool
) -> None:
    assert concerns(scope, key, origin) is concerned


def test_rules_above_the_promise_have_a_line_each_and_others_none() -> None:
    quiet = digest(Figures(spent(eng="1.00"), {}))
    assert "Rules to adjust" not in facts(quiet)
    loud = (LoudRule("unusual spend", 11.0, 0.0, "sensitivity low"), LoudRule("hours", 3.0, 3.0, ""))
    assert facts(replace(quiet, loud_rules=loud))["Rules to adjust"] == (
        "unusual spend: up to 11 false alerts a quarter, 0 of them critical; sensitivity low would give fewer\n"
        "hours: up to 3 false alerts a quarter, 3 of them critical"
    )
