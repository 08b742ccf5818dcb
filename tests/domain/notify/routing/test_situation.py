"""What a situation says of an alert: its labels, by ids and names of today, and the channels of a receiver."""

from __future__ import annotations

from dataclasses import replace

from service.domain.alerts.alert import Alert, AlertState
from service.domain.notify.channels.console import Console
from service.domain.notify.channels.email import Email
from service.domain.notify.receivers import Receiver
from service.domain.notify.routing.situation import ConfigurationSnapshot, Situation
from service.domain.rules.kinds.change import Against, Change
from service.domain.rules.rule import Rule
from service.domain.values.scopes import Dimension, Scope, ScopeKey
from tests.factories import budget, claude_source, resource
from tests.sample_alerts import ALERT, OPENED, OPENED_EVENT, RESOLVED_EVENT, RULE_ALERT, STALE_ALERT

KEY = ScopeKey(Dimension.API_KEY, "apikey_1")
RULE: Rule[object] = Rule("src_1", "change", Change(Against.PREVIOUS_DAY), Scope(models=("claude-opus-4-5",)))
CONFIGURATION = ConfigurationSnapshot(
    sources={"src_1": replace(resource("src_1", claude_source(), name="acme"), labels={"tier": "gold"})},
    budgets={"bdg_1": replace(resource("bdg_1", budget("10.00"), name="eng monthly"), labels={"team": "eng"})},
    rules={"rul_1": resource("rul_1", RULE, name="unusual spend")},
    receivers={"rcv_1": resource("rcv_1", Receiver((Console(), Email(("finops@example.com",)))))},
)
SITUATION = Situation(OPENED, CONFIGURATION, names={KEY: "ci"}, key_workspaces={"apikey_1": "wrkspc_2"})


def labels(alert: Alert, situation: Situation = SITUATION) -> dict[str, set[str]]:
    return {name: set(values) for name, values in situation.labels(alert).items()}


def test_an_alert_has_the_labels_of_its_budget_or_rule_as_they_are_now() -> None:
    assert labels(ALERT)["budget"] == {"bdg_1", "eng monthly"}
    assert labels(ALERT)["team"] == {"eng"}
    assert labels(RULE_ALERT)["rule"] == {"rul_1", "unusual spend"}
    assert labels(RULE_ALERT)["model"] == {"claude-opus-4-5"}


def test_an_alert_about_a_source_has_the_source_s_labels_and_one_of_a_budget_has_not() -> None:
    assert labels(STALE_ALERT)["tier"] == {"gold"}
    assert "tier" not in labels(ALERT)


def test_an_alert_about_a_key_is_found_by_the_workspace_of_the_key() -> None:
    found = labels(replace(ALERT, scope=KEY))
    assert (found["api_key"], found["workspace"]) == ({"apikey_1", "ci"}, {"wrkspc_2"})


def test_what_has_been_deleted_is_left_out() -> None:
    found = labels(ALERT, Situation(OPENED, ConfigurationSnapshot()))
    assert found["budget"] == {"bdg_1", "eng monthly"}, "the name that the alert remembers"
    assert found["source"] == {"src_1"}
    assert "team" not in found


def test_a_receiver_is_reached_by_its_channels_and_a_deleted_one_by_none() -> None:
    assert [one.channel.kind for one in SITUATION.addresses("rcv_1")] == ["console", "email"]
    assert SITUATION.addresses("rcv_2") == []


def test_a_move_takes_the_place_of_its_alert_and_a_resolved_alert_is_open_no_more() -> None:
    fired = SITUATION.after([OPENED_EVENT])
    assert fired.open_alerts == fired.open_in(ALERT.scope) == [ALERT]
    acknowledged = replace(ALERT, version=2, state=AlertState.ACKNOWLEDGED)
    assert fired.after([replace(OPENED_EVENT, alert=acknowledged)]).open_alerts == [acknowledged]
    assert fired.after([RESOLVED_EVENT]).open_alerts == []
