"""An alert is known by the ids and the names of what it is about."""

from __future__ import annotations

from dataclasses import replace

from service.domain.alerts.alert import Alert
from service.domain.notify.routing.labels import Origin, labels_of
from service.domain.values.names import Names
from service.domain.values.scopes import ORGANISATION, Dimension, Scope, ScopeKey
from tests.sample_alerts import AHEAD, ALERT, RULE_ALERT, STALE_ALERT

NAMES: Names = {
    ScopeKey(Dimension.WORKSPACE, "wrkspc_1"): "research",
    ScopeKey(Dimension.WORKSPACE, "wrkspc_2"): "eng",
    ScopeKey(Dimension.API_KEY, "apikey_1"): "ci",
}


def labels(alert: Alert, origin: Origin) -> dict[str, set[str]]:
    return {name: set(values) for name, values in labels_of(alert, "acme", origin, NAMES).items()}


def test_a_budget_alert_has_ids_and_names() -> None:
    assert labels(ALERT, Origin("eng monthly", {"team": "eng"})) == {
        "severity": {"critical"},
        "kind": {"budget"},
        "source": {"src_1", "acme"},
        "scope": {"workspace:wrkspc_1", "workspace:research"},
        "budget": {"bdg_1", "eng monthly"},
        "basis": {"actual"},
        "workspace": {"wrkspc_1", "research"},
        "team": {"eng"},
    }


def test_an_alert_about_where_spend_is_heading_is_told_apart() -> None:
    assert labels(replace(ALERT, evidence=AHEAD), Origin())["basis"] == {"forecast"}


def test_a_rule_alert_has_its_rule_and_kind() -> None:
    found = labels(RULE_ALERT, Origin("unusual spend"))
    assert (found["rule"], found["rule_kind"], found["kind"]) == ({"rul_1", "unusual spend"}, {"anomaly"}, {"rule"})


def test_the_filters_of_a_budget_count_where_its_alert_names_no_member() -> None:
    scope = Scope(workspaces=("wrkspc_1", "wrkspc_2"), models=("claude-opus-4-5",), api_keys=("apikey_1",))
    found = labels(replace(ALERT, scope=ORGANISATION), Origin(scope=scope))
    assert found["workspace"] == {"wrkspc_1", "research", "wrkspc_2", "eng"}
    assert (found["model"], found["api_key"]) == ({"claude-opus-4-5"}, {"apikey_1", "ci"})
    assert found["scope"] == {"org"}


def test_a_member_of_the_filters_counts_alone() -> None:
    found = labels(ALERT, Origin(scope=Scope(workspaces=("wrkspc_1", "wrkspc_2"))))
    assert found["workspace"] == {"wrkspc_1", "research"}


def test_a_blind_source_has_neither_budget_nor_rule() -> None:
    assert labels(STALE_ALERT, Origin()).keys() == {"severity", "kind", "source", "scope"}


def test_a_person_s_label_cannot_pass_for_a_built_in_one() -> None:
    found = labels(ALERT, Origin("eng monthly", {"severity": "info", "rule": "mine"}))
    assert (found["severity"], found["rule"]) == ({"critical"}, {"mine"})
