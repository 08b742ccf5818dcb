"""Notifications without a move: what was held back is released, or a repetition is due."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from service.domain.alerts.alert import Command, Reason
from service.domain.alerts.evidence import ALERT_KINDS
from service.domain.notify.notification import Action, Notification, NotificationCause, NotificationState
from service.domain.notify.planning import Address
from service.domain.notify.routing.pipeline import Escalation, Plan, enqueue, match_routes
from service.domain.notify.routing.repeats import (
    Latest,
    release,
    released_policies,
    repeat,
    repeats_after,
    settled,
)
from service.domain.notify.routing.routes import Route
from service.domain.values.severity import Severity
from tests.domain.notify.routing.test_pipeline import ALWAYS, LABELS, TO_CONSOLE, TO_MAIL, around
from tests.sample_alerts import ALERT, OPENED, OPENED_EVENT, RAISED_EVENT


def held_back(level: int, to: Address = TO_MAIL) -> Notification:
    event = replace(OPENED_EVENT, alert=replace(ALERT, version=level), command=Command.RAISE)
    (held,) = enqueue(event, Plan(held_back=((to, Reason.SILENCED),)), unheard=())
    return held


def test_the_highest_level_that_was_held_back_rings_once() -> None:
    held = [held_back(2), held_back(10), held_back(9)]
    (rung,) = release(RAISED_EVENT, Plan((TO_MAIL, TO_CONSOLE)), held, {TO_CONSOLE.key}, OPENED)
    assert (rung.channel, rung.action, rung.level) == (TO_MAIL.key, Action.OPEN, "10")
    assert (rung.reason, rung.alert_version) == (Reason.HOLD_OVER, RAISED_EVENT.alert.version)
    (raised,) = release(RAISED_EVENT, Plan((TO_MAIL,)), held, {TO_MAIL.key}, OPENED)
    assert raised.action is Action.RAISE


def test_where_nobody_was_told_and_the_routes_have_moved_the_new_ones_ring() -> None:
    (rung,) = release(RAISED_EVENT, Plan((TO_CONSOLE,)), [held_back(1)], (), OPENED)
    assert rung.channel == TO_CONSOLE.key
    assert settled(Plan((TO_CONSOLE,)), [held_back(1)]) == {TO_MAIL.key}


def test_what_something_else_holds_back_by_now_goes_on_waiting() -> None:
    plan = Plan(held_back=((TO_MAIL, Reason.MUTED_TIME),))
    assert release(RAISED_EVENT, plan, [held_back(1)], (), OPENED) == []
    assert settled(plan, [held_back(1)]) == set()


def rung(state: NotificationState, minutes_ago: int) -> Notification:
    (sent,) = enqueue(OPENED_EVENT, Plan((TO_CONSOLE,)), unheard=())
    return replace(sent, state=state, created_at=OPENED - timedelta(minutes=minutes_ago))


def repeated(last: Notification, *routes: Route, repeats: int = 0) -> list[tuple[Action, NotificationCause, int]]:
    situation = around(*routes)
    matched = match_routes(ALERT, LABELS, situation)
    planned = repeat(OPENED_EVENT, situation, matched, {last.channel: Latest(last, repeats)})
    assert all(one.reason is Reason.REPEAT_DUE and one.level == last.level for one in planned)
    return [(one.action, one.cause, one.round) for one in planned]


def test_a_ring_is_repeated_when_its_interval_has_passed() -> None:
    hourly = Route("rcv_1", repeat_interval=timedelta(hours=1))
    assert repeated(rung(NotificationState.SENT, 59), hourly) == []
    assert repeated(rung(NotificationState.SENT, 60), hourly) == [(Action.RAISE, NotificationCause.REPEAT, 1)]
    once_more = replace(rung(NotificationState.DEAD, 60), round=1)
    assert repeated(once_more, hourly, repeats=1) == [(Action.RAISE, NotificationCause.REPEAT, 2)]


def test_a_call_of_a_policy_in_between_does_not_begin_the_count_of_repeats_again() -> None:
    called = replace(rung(NotificationState.SENT, 60), cause=NotificationCause.ESCALATION, round=1)
    hourly = Route("rcv_1", repeat_interval=timedelta(hours=1))
    assert repeated(called, hourly, repeats=5) == [(Action.RAISE, NotificationCause.REPEAT, 6)]


def test_what_is_not_sent_yet_muted_or_given_no_interval_is_not_repeated() -> None:
    hourly = Route("rcv_1", repeat_interval=timedelta(hours=1))
    assert repeated(rung(NotificationState.QUEUED, 60), hourly) == []
    assert repeated(rung(NotificationState.SENT, 60), Route("rcv_1")) == []
    assert repeated(rung(NotificationState.SENT, 60), replace(hourly, mute_times=(ALWAYS,))) == []
    assert repeated(rung(NotificationState.SENT, 60), replace(hourly, escalation_policy_id="esc_1")) == []


def test_without_an_interval_what_is_loud_of_a_rule_is_repeated_every_four_hours() -> None:
    route = Route("rcv_1")
    assert repeats_after(route, "rule", Severity.ERROR) == timedelta(hours=4)
    assert repeats_after(route, "rule", Severity.CRITICAL) == timedelta(hours=4)
    assert repeats_after(route, "rule", Severity.WARNING) is None
    assert repeats_after(route, "budget", Severity.CRITICAL) is None
    assert repeats_after(route, "stale_source", Severity.ERROR) is None


def test_an_interval_is_for_all_alerts_and_one_of_nothing_is_never() -> None:
    for kind in ALERT_KINDS:
        assert repeats_after(Route("rcv_1", repeat_interval=timedelta(minutes=5)), kind, "info") == timedelta(minutes=5)
        assert repeats_after(Route("rcv_1", repeat_interval=timedelta()), kind, "critical") is None
        assert repeats_after(Route("rcv_1", escalation_policy_id="esc_1"), kind, "critical") is None


def test_of_two_policies_of_one_receiver_the_one_that_was_held_back_begins() -> None:
    one, other = Escalation("esc_1", ("rcv_1",)), Escalation("esc_2", ("rcv_1",))
    _, held = enqueue(OPENED_EVENT, Plan((TO_CONSOLE,), held_escalations=((one, Reason.MUTED_TIME),)), unheard=())
    assert released_policies(Plan(escalations=(one, other)), [held], {TO_CONSOLE.key}) == ["esc_1"]
    assert settled(Plan(escalations=(one, other)), [held]) == {held.channel}
    assert settled(Plan((TO_CONSOLE,), held_escalations=((one, Reason.SILENCED),)), [held]) == set()


def test_an_escalation_that_the_previous_release_held_back_is_known_by_its_receiver() -> None:
    plan = Plan(escalations=(Escalation("esc_1", ("rcv_1",)), Escalation("esc_2", ("rcv_2",))))
    assert released_policies(plan, [held_back(1, TO_MAIL)], {TO_CONSOLE.key}) == ["esc_2"]
    assert settled(plan, [held_back(1, TO_MAIL)]) == {TO_MAIL.key}


def test_a_policy_of_today_takes_the_place_of_one_that_was_held_back() -> None:
    former, policy = Escalation("esc_1", ("rcv_1",)), Escalation("esc_2", ("rcv_1",))
    _, held = enqueue(OPENED_EVENT, Plan((TO_CONSOLE,), held_escalations=((former, Reason.MUTED_TIME),)), unheard=())
    assert released_policies(Plan(escalations=(policy,)), [held], {TO_CONSOLE.key}) == ["esc_2"]
    assert settled(Plan(escalations=(policy,)), [held]) == {held.channel}
    assert settled(Plan((TO_CONSOLE,), held_escalations=((policy, Reason.MUTED_TIME),)), [held]) == set()


def test_where_nobody_was_notified_the_policies_of_today_begin_whoever_their_receiver_is() -> None:
    plan = Plan(escalations=(Escalation("esc_1", ("rcv_1",)),))
    assert released_policies(plan, [held_back(1, TO_MAIL)], ()) == ["esc_1"]
    assert released_policies(plan, [held_back(1, TO_MAIL)], {TO_MAIL.key}) == []
