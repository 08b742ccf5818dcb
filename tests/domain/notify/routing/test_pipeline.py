"""Each step of a ring's way, and what is written down of one that is held back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from service.domain.alerts.alert import Alert, AlertState, Reason
from service.domain.notify.channels.console import Console
from service.domain.notify.channels.email import Email
from service.domain.notify.channels.registry import ChannelConfig
from service.domain.notify.escalation import EscalationPolicy, EscalationStep
from service.domain.notify.notification import Action, NotificationCause, NotificationState
from service.domain.notify.planning import Address
from service.domain.notify.receivers import Receiver, channel_key
from service.domain.notify.routing.intervals import TimeInterval, TimeRange
from service.domain.notify.routing.labels import Labels
from service.domain.notify.routing.matchers import Matcher, Op
from service.domain.notify.routing.pipeline import (
    Escalation,
    Plan,
    enqueue,
    inhibit,
    route_alert,
)
from service.domain.notify.routing.routes import Route, RouteTable
from service.domain.notify.routing.silences import Silence
from service.domain.notify.routing.situation import ConfigurationSnapshot, Situation, Unreadable
from service.domain.values.periods import Window
from service.domain.values.resources import Resource
from service.domain.values.scopes import ScopeKey
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
) -> Situation:
    receivers: dict[str, tuple[ChannelConfig, ...]] = {"rcv_1": (CONSOLE,), "rcv_2": (MAIL,), "rcv_3": (CONSOLE, MAIL)}
    configuration = ConfigurationSnapshot(
        receivers={id: resource(id, Receiver(channels)) for id, channels in receivers.items()},
        routes=RouteTable(routes),
        silences={one.id: one for one in silences},
    )
    return Situation(OPENED, configuration, open_alerts)


NAMED = "'sil_1' (sil_1), until 2026-10-14 10:31 UTC"


def test_a_ring_goes_where_the_routes_lead() -> None:
    plan = route_alert(ALERT, around(Route("rcv_2", CRITICAL), Route("rcv_1")))
    assert plan == Plan(recipients=(TO_MAIL,))


def test_a_silence_holds_back_every_route() -> None:
    plan = route_alert(ALERT, around(Route("rcv_2", CRITICAL, continues=True), Route("rcv_1"), silences=(QUIET,)))
    assert plan == Plan(held_back=((TO_MAIL, Reason.SILENCED), (TO_CONSOLE, Reason.SILENCED)), silenced_by=NAMED)


def test_a_mute_time_holds_back_its_own_route_alone() -> None:
    muted = Route("rcv_2", CRITICAL, continues=True, mute_times=(ALWAYS,))
    plan = route_alert(ALERT, around(muted, Route("rcv_1")))
    assert plan == Plan(recipients=(TO_CONSOLE,), held_back=((TO_MAIL, Reason.MUTED_TIME),))


def test_a_channel_of_two_routes_is_rung_once_and_is_rung_where_one_of_them_is_free() -> None:
    muted = Route("rcv_3", CRITICAL, continues=True, mute_times=(ALWAYS,))
    assert route_alert(ALERT, around(replace(muted, mute_times=()), Route("rcv_1"))).recipients == (
        address("rcv_3", CONSOLE),
        address("rcv_3", MAIL),
    )
    plan = route_alert(ALERT, around(muted, Route("rcv_1")))
    assert (plan.recipients, plan.held_back) == ((TO_CONSOLE,), ((address("rcv_3", MAIL), Reason.MUTED_TIME),))


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
    assert route_alert(ALERT, around(policed)) == Plan(escalations=(Escalation("esc_1", ("rcv_1",)),))
    held = route_alert(ALERT, around(policed, silences=(QUIET,)))
    kept = ((Escalation("esc_1", ("rcv_1",)), Reason.SILENCED),)
    assert held == Plan(held_back=((TO_CONSOLE, Reason.SILENCED),), held_escalations=kept, silenced_by=NAMED)


def test_a_policy_is_held_back_where_its_receiver_is_notified_and_not_where_another_route_begins_it() -> None:
    free, policed = Route("rcv_1", continues=True), Route("rcv_1", escalation_policy_id="esc_1", mute_times=(ALWAYS,))
    plan = route_alert(ALERT, around(free, policed))
    assert (plan.recipients, plan.held_back) == ((TO_CONSOLE,), ())
    assert [(one.policy_id, why) for one, why in plan.held_escalations] == [("esc_1", Reason.MUTED_TIME)]
    _, held = enqueue(OPENED_EVENT, plan, unheard=())
    assert (held.channel, held.state, held.reason) == (
        "policy:esc_1",
        NotificationState.SUPPRESSED,
        Reason.MUTED_TIME,
    )
    also = Route("rcv_1", escalation_policy_id="esc_1", continues=True)
    assert route_alert(ALERT, around(also, policed)).held_escalations == ()


@pytest.mark.parametrize("unreadable", ["esc_1", "rota_1"])
def test_a_policy_that_cannot_be_read_leaves_the_ringing_to_its_route(unreadable: str) -> None:
    situation = around(Route("rcv_1", escalation_policy_id="esc_1"))
    policy = resource("esc_1", EscalationPolicy((EscalationStep(timedelta(), rota_id="rota_1"),)))
    configuration = replace(
        situation.configuration,
        policies={} if unreadable == "esc_1" else {"esc_1": policy},
        unreadable={unreadable: Unreadable("escalation policy", "DecodeError: list expected, int found")},
    )
    plan = route_alert(ALERT, replace(situation, configuration=configuration))
    assert (plan.recipients, plan.escalations) == ((TO_CONSOLE,), ())


def test_what_is_held_back_is_written_down_with_its_reason() -> None:
    rung, held = enqueue(OPENED_EVENT, Plan((TO_CONSOLE,), ((TO_MAIL, Reason.MUTED_TIME),)), unheard=())
    assert (rung.state, rung.reason, rung.cause) == (NotificationState.QUEUED, Reason.FIRST, NotificationCause.EVENT)
    assert (held.state, held.reason) == (NotificationState.SUPPRESSED, Reason.MUTED_TIME)
    assert held.cause is NotificationCause.HELD_BACK


def test_a_raise_opens_the_alert_for_a_channel_from_which_the_opening_was_kept() -> None:
    planned = enqueue(RAISED_EVENT, Plan((TO_CONSOLE, TO_MAIL)), unheard={TO_MAIL.key})
    assert {one.channel: one.action for one in planned} == {TO_CONSOLE.key: Action.RAISE, TO_MAIL.key: Action.OPEN}
