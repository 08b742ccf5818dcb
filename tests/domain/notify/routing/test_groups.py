"""Which alerts a route collects together, and when they leave."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from service.domain.notify.channels.alertmanager import Alertmanager
from service.domain.notify.channels.console import Console
from service.domain.notify.channels.email import Email
from service.domain.notify.channels.jsm import Jsm
from service.domain.notify.channels.pagerduty import PagerDuty
from service.domain.notify.channels.registry import ChannelConfig
from service.domain.notify.channels.slack import SlackBot, SlackWebhook
from service.domain.notify.channels.teams import Teams
from service.domain.notify.channels.webhook import Webhook
from service.domain.notify.receivers import Receiver, channel_key
from service.domain.notify.routing.groups import Group, group, next_departure
from service.domain.notify.routing.labels import Labels
from service.domain.notify.routing.matchers import Matcher, Op
from service.domain.notify.routing.pipeline import Plan, route_alert
from service.domain.notify.routing.routes import Route, RouteTable
from service.domain.notify.routing.situation import ConfigurationSnapshot, Situation
from tests.factories import SEALED, resource, utc
from tests.sample_alerts import ALERT, OPENED

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
NOW = utc("2026-11-16T12:00")
ROUTE = Route("rcv_1", group_by=("workspace",), group_wait=30 * SECOND, group_interval=5 * MINUTE)
ENG: Labels = {"workspace": frozenset({"wrkspc_1", "eng"}), "severity": frozenset({"critical"})}
PAGER, MAIL = PagerDuty(SEALED), Email(("finops@example.com",))


def key(route: Route = ROUTE, labels: Labels = ENG) -> str:
    found = group(route, labels)
    assert found is not None
    return found.key


# ------------------------------------------------------------------------------------------- groups


def test_a_route_without_timers_collects_nothing() -> None:
    assert group(replace(ROUTE, group_wait=timedelta(), group_interval=timedelta()), ENG) is None
    assert group(replace(ROUTE, group_wait=timedelta()), ENG) is not None
    assert group(replace(ROUTE, group_interval=timedelta()), ENG) is not None


def test_alerts_with_the_same_values_of_the_labels_are_one_group_whatever_else_they_have() -> None:
    assert key() == key(labels={**ENG, "severity": frozenset({"warning"})})
    assert key() != key(labels={**ENG, "workspace": frozenset({"wrkspc_2", "ops"})})


def test_every_value_of_a_label_counts() -> None:
    assert key() != key(labels={"workspace": frozenset({"wrkspc_1"})})


def test_alerts_without_the_label_are_a_group_of_their_own() -> None:
    assert key(labels={}) == key(labels={"workspace": frozenset()})
    assert key(labels={}) != key()


def test_without_labels_all_alerts_of_a_route_are_one_group() -> None:
    whole = replace(ROUTE, group_by=())
    assert key(whole) == key(whole, {})


def test_the_order_of_the_labels_does_not_matter_and_neither_do_the_timers() -> None:
    both, turned = (
        replace(ROUTE, group_by=("workspace", "severity")),
        replace(ROUTE, group_by=("severity", "workspace")),
    )
    assert key(both) == key(replace(turned, group_wait=MINUTE))


def test_routes_collect_apart() -> None:
    assert key() != key(replace(ROUTE, receiver_id="rcv_2"))
    assert key() != key(replace(ROUTE, matchers=(Matcher("severity", Op.EQUAL, "critical"),)))


def test_a_group_says_what_it_shares() -> None:
    found = group(ROUTE, ENG)
    assert found is not None
    assert found.by == {"workspace": ("eng", "wrkspc_1")}


# ------------------------------------------------------------------------------------------- departures


@pytest.mark.parametrize(
    ("last", "due"),
    [
        (None, NOW + 30 * SECOND),
        (NOW, NOW),
        (NOW + SECOND, NOW + SECOND),
        (NOW + 5 * MINUTE, NOW + 5 * MINUTE),
        (NOW + 5 * MINUTE + SECOND, NOW + 30 * SECOND),
        (NOW - SECOND, NOW + 5 * MINUTE - SECOND),
        (NOW - 5 * MINUTE + SECOND, NOW + SECOND),
        (NOW - 5 * MINUTE, NOW + 30 * SECOND),
        (NOW - 60 * MINUTE, NOW + 30 * SECOND),
    ],
)
def test_a_departure_is_joined_kept_apart_from_the_last_one_or_begun_anew(last: datetime | None, due: datetime) -> None:
    assert next_departure(last, Group("k", 30 * SECOND, 5 * MINUTE), NOW) == due


def test_without_a_wait_the_first_leaves_at_once_and_those_of_the_interval_after_it_leave_together() -> None:
    group = Group("k", timedelta(), 5 * MINUTE)
    first = next_departure(None, group, NOW)
    assert first == NOW == next_departure(first, group, NOW)
    second = next_departure(first, group, NOW + MINUTE)
    assert second == NOW + 5 * MINUTE == next_departure(second, group, NOW + 4 * MINUTE)


def test_without_an_interval_each_group_waits_anew() -> None:
    group = Group("k", 30 * SECOND, timedelta())
    assert next_departure(NOW - SECOND, group, NOW) == NOW + 30 * SECOND


# ------------------------------------------------------------------------------------------- channels


def plan(*routes: Route, channels: dict[str, list[ChannelConfig]]) -> Plan:
    receivers = {id: resource(id, Receiver(tuple(configs))) for id, configs in channels.items()}
    configuration = ConfigurationSnapshot(receivers=receivers, routes=RouteTable(routes))
    return route_alert(ALERT, Situation(OPENED, configuration, names={ALERT.scope: "eng"}))


def test_people_s_channels_collect_and_machines_and_pagers_get_each_alert() -> None:
    people: list[ChannelConfig] = [
        SlackBot(SEALED, "#spend"), SlackWebhook(SEALED), MAIL, Teams(SEALED), Console()
    ]  # fmt: skip
    machines: list[ChannelConfig] = [
        PAGER, Jsm(SEALED), Webhook("https://example.com", SEALED), Alertmanager(("https://example.com",))
    ]  # fmt: skip
    planned = plan(ROUTE, channels={"rcv_1": [*people, *machines]})
    assert len(planned.recipients) == 9
    assert set(planned.groups) == {channel_key(one) for one in people}


def test_a_channel_that_another_route_rings_at_once_does_not_wait() -> None:
    at_once = Route("rcv_2")
    both: dict[str, list[ChannelConfig]] = {"rcv_1": [MAIL], "rcv_2": [MAIL]}
    first = replace(ROUTE, continues=True)
    assert plan(first, at_once, channels=both).groups == {}
    assert plan(replace(at_once, continues=True), ROUTE, channels=both).groups == {}


def test_of_two_routes_that_collect_for_a_channel_the_first_one_s_group_counts() -> None:
    second = replace(ROUTE, receiver_id="rcv_2")
    planned = plan(replace(ROUTE, continues=True), second, channels={"rcv_1": [MAIL], "rcv_2": [MAIL]})
    assert {one.key for one in planned.groups.values()} == {key()}


def test_an_escalation_is_never_collected() -> None:
    assert plan(replace(ROUTE, escalation_policy_id="esc_1"), channels={"rcv_1": [MAIL]}).groups == {}
