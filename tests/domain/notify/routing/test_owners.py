"""Whom an alert belongs to, and where a route to its owner leads."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from service.domain.alerts.alert import Alert, NewHolder
from service.domain.alerts.evidence import Contribution
from service.domain.notify.channels.console import Console
from service.domain.notify.channels.email import Email
from service.domain.notify.escalation import EscalationPolicy, EscalationStep
from service.domain.notify.receivers import Receiver
from service.domain.notify.routing.pipeline import route_alert
from service.domain.notify.routing.routes import Route, RouteTable
from service.domain.notify.routing.situation import ConfigurationSnapshot, Situation
from service.domain.sources.ownership import OwnedMember, Ownership
from service.domain.values.money import Money
from service.domain.values.scopes import ORGANISATION, Dimension, Scope, ScopeKey
from tests.factories import budget, claude_source, resource
from tests.sample_alerts import ALERT, EVIDENCE, OPENED

ENG, OPS, CI = (
    ScopeKey(Dimension.WORKSPACE, "wrkspc_eng"),
    ScopeKey(Dimension.WORKSPACE, "wrkspc_ops"),
    ScopeKey(Dimension.API_KEY, "apikey_ci"),
)
RECEIVERS = {
    "rcv_finops": resource("rcv_finops", Receiver((Console(),)), name="finops"),
    **{
        f"rcv_{who}": resource(f"rcv_{who}", Receiver((Email((f"{who}@example.com",)),)), name=who)
        for who in ("ann", "bob")
    },
}
OWNED = (OwnedMember("src_1", ENG, "rcv_ann", {"team": "eng"}), OwnedMember("src_1", OPS, "rcv_bob", {"team": "ops"}))


def situation(*owned: OwnedMember, scope: Scope = Scope()) -> Situation:
    configuration = ConfigurationSnapshot(
        sources={"src_1": resource("src_1", claude_source(), name="acme")},
        budgets={"bdg_1": replace(resource("bdg_1", budget("10.00", scope=scope)), labels={"team": "platform"})},
        receivers=RECEIVERS,
        routes=RouteTable((Route("rcv_finops", to_owner=True),)),
        ownership=Ownership(owned),
    )
    return Situation(OPENED, configuration, key_workspaces={"apikey_ci": "wrkspc_eng"})


def told(alert: Alert, around: Situation) -> list[str]:
    return [one.receiver_id for one in route_alert(alert, around).recipients]


def about(scope: ScopeKey, *parts: tuple[ScopeKey, str]) -> Alert:
    """An alert about $12.35 in all."""
    contributions = tuple(Contribution(part, part.id, Money.of(amount)) for part, amount in parts)
    return replace(ALERT, scope=scope, evidence=replace(EVIDENCE, contributions=contributions))


def test_the_owner_of_a_key_or_else_of_its_workspace_is_told_and_the_fallback_of_what_nobody_owns() -> None:
    bobs = OwnedMember("src_1", CI, "rcv_bob")
    assert told(about(CI), situation(*OWNED)) == ["rcv_ann"]
    assert told(about(CI), situation(*OWNED, bobs)) == ["rcv_bob"]
    assert told(about(CI), situation()) == ["rcv_finops"]


def test_an_alert_of_the_whole_belongs_to_the_owners_of_its_large_parts() -> None:
    alert = about(ORGANISATION, (ENG, "7.00"), (OPS, "4.50"), (CI, "7.00"))
    assert told(alert, situation(*OWNED)) == ["rcv_ann", "rcv_bob"]
    assert told(about(ORGANISATION, (ENG, "9.00"), (OPS, "2.00")), situation(*OWNED)) == ["rcv_ann"]
    assert told(alert, situation(OWNED[1])) == ["rcv_finops", "rcv_bob"], "of a large part that nobody owns, too"
    assert told(about(ORGANISATION), situation(*OWNED)) == ["rcv_finops"]


def test_a_budget_of_named_workspaces_is_their_owners_whoever_spends_most() -> None:
    alert = about(ORGANISATION, (ENG, "9.00"))
    assert told(alert, situation(*OWNED, scope=Scope(workspaces=("wrkspc_ops",)))) == ["rcv_bob"]


def test_an_owner_whose_receiver_is_gone_is_none() -> None:
    assert told(about(ENG), situation(OwnedMember("src_1", ENG, "rcv_gone"))) == ["rcv_finops"]


def test_what_was_handed_on_belongs_to_whoever_has_it_now() -> None:
    handed = replace(about(ENG), handed_to=NewHolder("rcv_bob", "bob"))
    assert told(handed, situation(*OWNED)) == ["rcv_bob"]
    assert situation(*OWNED).labels(handed)["owner"] == {"rcv_bob", "bob"}


def test_tags_are_labels_beside_those_of_the_budget() -> None:
    found = situation(*OWNED).labels(about(CI))
    assert found["team"] == {"eng", "platform"}
    assert found["owner"] == {"rcv_ann", "ann"}
    assert "owner" not in situation().labels(about(ENG))


def test_labels_alone_name_their_owner() -> None:
    assert situation(*OWNED).owners(None, {"owner": frozenset({"ann"})}) == ("rcv_ann",)


def test_a_step_to_the_owner_calls_them_and_its_receiver_where_nobody_owns_it() -> None:
    steps = (EscalationStep(timedelta(), "rcv_finops", to_owner=True), EscalationStep(timedelta(minutes=15), "rcv_bob"))
    around = situation(*OWNED)
    policies = {"esc_1": resource("esc_1", EscalationPolicy(steps))}
    around = replace(around, configuration=replace(around.configuration, policies=policies))
    of_eng, of_nobody = around.owners(about(ENG), {}), around.owners(about(ORGANISATION), {})
    assert [around.called("esc_1", number, of_eng) for number in (0, 1)] == [("rcv_ann",), ("rcv_bob",)]
    assert around.called("esc_1", 0, of_nobody) == ("rcv_finops",)
