"""Each step of a ring's way, and what is written down of one that is held back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from service.domain.alerts.alert import Alert, AlertKind, AlertState, Command, Reason
from service.domain.notify.channels.console import Console
from service.domain.notify.channels.email import Email
from service.domain.notify.notification import Action, Notification, NotificationState
from service.domain.notify.planning import Address
from service.domain.notify.receivers import channel_key
from service.domain.notify.routing.again import REPEATED, chains, release, repeat, settled
from service.domain.notify.routing.intervals import TimeInterval, TimeRange
from service.domain.notify.routing.labels import Labels
from service.domain.notify.routing.matchers import Matcher, Op
from service.domain.notify.routing.pipeline import (
    HELD_BACK,
    Chain,
    Plan,
    Surroundings,
    enqueue,
    find_lanes,
    inhibit,
    plan_ring,
)
from service.domain.notify.routing.repeating import repeats_after
from service.domain.notify.routing.routes import Route, RouteTable
from service.domain.notify.routing.silences import Silence
from service.domain.values.periods import Window
from service.domain.values.resources import Resource
from service.domain.values.scopes import ScopeKey
from service.domain.values.severity import Severity
from tests.factories import resource
from tests.sample_alerts import AHEAD, ALERT, EVIDENCE, OCTOBER, OPENED, OPENED_EVENT, RAISED_EVENT

LABELS: Labels = {"severity": frozenset({"critical"})}
CRITICAL = (Matcher("severity", Op.EQUAL, "critical"),)
QUIET = resource("sil_1", Silence(CRITICAL, OPENED - timedelta(hours=1), OPENED + timedelta(hours=1)))
ALWAYS = TimeInterval((TimeRange(0, 24 * 60),))
CONSOLE, MAIL = Console(), Email(("finops@example.com",))
FORECAST = replace(ALERT, id="alrt_forecast", evidence=AHEAD)


def address(receiver: str, channel: Console | Email) -> Address:
    return Address(receiver, channel_key(channel), channel)


TO_CONSOLE, TO_MAIL = address("rcv_1", CONSOLE), address("rcv_2", MAIL)


def around(
    *routes: Route, silences: tuple[Resource[Silence], ...] = (), open_alerts: tuple[Alert, ...] = ()
) -> Surroundings:
    addresses = {"rcv_1": [TO_CONSOLE], "rcv_2": [TO_MAIL], "rcv_3": [address("rcv_3", CONSOLE), TO_MAIL]}
    return Surroundings(RouteTable(routes), silences, addresses, open_alerts, OPENED)


def test_a_ring_goes_where_the_routes_lead() -> None:
    plan = plan_ring(ALERT, LABELS, around(Route("rcv_2", CRITICAL), Route("rcv_1")))
    assert plan == Plan(ring=(TO_MAIL,))


def test_a_silence_holds_back_every_route() -> None:
    plan = plan_ring(ALERT, LABELS, around(Route("rcv_2", CRITICAL, continues=True), Route("rcv_1"), silences=(QUIET,)))
    assert plan == Plan(hold=((TO_MAIL, Reason.SILENCED), (TO_CONSOLE, Reason.SILENCED)))


def test_a_mute_time_holds_back_its_own_route_alone() -> None:
    muted = Route("rcv_2", CRITICAL, continues=True, mute_times=(ALWAYS,))
    plan = plan_ring(ALERT, LABELS, around(muted, Route("rcv_1")))
    assert plan == Plan(ring=(TO_CONSOLE,), hold=((TO_MAIL, Reason.MUTED_TIME),))


def test_a_channel_of_two_routes_is_rung_once_and_is_rung_where_one_of_them_is_free() -> None:
    muted = Route("rcv_3", CRITICAL, continues=True, mute_times=(ALWAYS,))
    assert plan_ring(ALERT, LABELS, around(replace(muted, mute_times=()), Route("rcv_1"))).ring == (
        address("rcv_3", CONSOLE),
        TO_MAIL,
    )
    plan = plan_ring(ALERT, LABELS, around(muted, Route("rcv_1")))
    assert (plan.ring, plan.hold) == ((TO_CONSOLE,), ((TO_MAIL, Reason.MUTED_TIME),))


def test_spend_that_has_crossed_keeps_the_forecast_of_its_budget_quiet() -> None:
    assert inhibit(FORECAST, [ALERT]) is Reason.INHIBITED
    assert inhibit(ALERT, [FORECAST]) is None
    assert inhibit(FORECAST, [FORECAST]) is None
    assert inhibit(FORECAST, [replace(ALERT, state=AlertState.RESOLVED)]) is None
    assert inhibit(FORECAST, [replace(ALERT, scope=ScopeKey())]) is None
    november = Window(OCTOBER.end, OCTOBER.end + timedelta(days=30))
    for other in (replace(EVIDENCE, budget_id="bdg_2"), replace(EVIDENCE, period=november)):
        assert inhibit(FORECAST, [replace(ALERT, evidence=other)]) is None


def test_an_escalation_policy_does_the_ringing_of_its_route() -> None:
    policed = Route("rcv_1", escalation_policy_id="esc_1")
    assert plan_ring(ALERT, LABELS, around(policed)) == Plan(policies=(Chain("esc_1", "rcv_1"),))
    held = plan_ring(ALERT, LABELS, around(policed, silences=(QUIET,)))
    assert held == Plan(hold=((TO_CONSOLE, Reason.SILENCED),))


def test_what_is_held_back_is_written_down_with_its_reason() -> None:
    rung, held = enqueue(OPENED_EVENT, Plan((TO_CONSOLE,), ((TO_MAIL, Reason.MUTED_TIME),)), unheard=())
    assert (rung.state, rung.reason, rung.step) == (NotificationState.QUEUED, Reason.FIRST, 0)
    assert (held.state, held.reason, held.step) == (NotificationState.SUPPRESSED, Reason.MUTED_TIME, HELD_BACK)


def test_a_raise_opens_the_alert_for_a_channel_from_which_the_opening_was_kept() -> None:
    planned = enqueue(RAISED_EVENT, Plan((TO_CONSOLE, TO_MAIL)), unheard={TO_MAIL.key})
    assert {one.channel: one.action for one in planned} == {TO_CONSOLE.key: Action.RAISE, TO_MAIL.key: Action.OPEN}


# ------------------------------------------------------------------------------------------- ringing again


def held_back(level: int, to: Address = TO_MAIL) -> Notification:
    event = replace(OPENED_EVENT, alert=replace(ALERT, version=level), command=Command.RAISE)
    (held,) = enqueue(event, Plan(hold=((to, Reason.SILENCED),)), unheard=())
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
    plan = Plan(hold=((TO_MAIL, Reason.MUTED_TIME),))
    assert release(RAISED_EVENT, plan, [held_back(1)], (), OPENED) == []
    assert settled(plan, [held_back(1)]) == set()


def rung(state: NotificationState, minutes_ago: int) -> Notification:
    (sent,) = enqueue(OPENED_EVENT, Plan((TO_CONSOLE,)), unheard=())
    return replace(sent, state=state, created_at=OPENED - timedelta(minutes=minutes_ago))


def repeated(last: Notification, *routes: Route) -> list[tuple[Action, int, int]]:
    surroundings = around(*routes)
    lanes = find_lanes(ALERT, LABELS, surroundings)
    planned = repeat(OPENED_EVENT, lanes, surroundings.addresses, {last.channel: last}, OPENED)
    assert all(one.reason is Reason.REPEAT_DUE and one.level == last.level for one in planned)
    return [(one.action, one.step, one.round) for one in planned]


def test_a_ring_is_repeated_when_its_interval_has_passed() -> None:
    hourly = Route("rcv_1", repeat_interval=timedelta(hours=1))
    assert repeated(rung(NotificationState.SENT, 59), hourly) == []
    assert repeated(rung(NotificationState.SENT, 60), hourly) == [(Action.RAISE, REPEATED, 1)]
    assert repeated(replace(rung(NotificationState.DEAD, 60), round=1), hourly) == [(Action.RAISE, REPEATED, 2)]


def test_what_is_not_sent_yet_muted_or_given_no_interval_is_not_repeated() -> None:
    hourly = Route("rcv_1", repeat_interval=timedelta(hours=1))
    assert repeated(rung(NotificationState.QUEUED, 60), hourly) == []
    assert repeated(rung(NotificationState.SENT, 60), Route("rcv_1")) == []
    assert repeated(rung(NotificationState.SENT, 60), replace(hourly, mute_times=(ALWAYS,))) == []
    assert repeated(rung(NotificationState.SENT, 60), replace(hourly, escalation_policy_id="esc_1")) == []


def test_without_an_interval_what_is_loud_of_a_rule_is_repeated_every_four_hours() -> None:
    route = Route("rcv_1")
    assert repeats_after(route, AlertKind.RULE, Severity.ERROR) == timedelta(hours=4)
    assert repeats_after(route, AlertKind.RULE, Severity.CRITICAL) == timedelta(hours=4)
    assert repeats_after(route, AlertKind.RULE, Severity.WARNING) is None
    assert repeats_after(route, AlertKind.BUDGET, Severity.CRITICAL) is None
    assert repeats_after(route, AlertKind.STALE_SOURCE, Severity.ERROR) is None


def test_an_interval_is_for_all_alerts_and_one_of_nothing_is_never() -> None:
    for kind in AlertKind:
        assert repeats_after(Route("rcv_1", repeat_interval=timedelta(minutes=5)), kind, "info") == timedelta(minutes=5)
        assert repeats_after(Route("rcv_1", repeat_interval=timedelta()), kind, "critical") is None
        assert repeats_after(Route("rcv_1", escalation_policy_id="esc_1"), kind, "critical") is None


def test_an_escalation_begins_where_its_own_beginning_was_held_back() -> None:
    plan = Plan(policies=(Chain("esc_1", "rcv_1"), Chain("esc_2", "rcv_2")))
    assert chains(plan, [held_back(1, TO_MAIL)]) == ["esc_2"]
    assert settled(plan, [held_back(1, TO_MAIL)]) == {TO_MAIL.key}
