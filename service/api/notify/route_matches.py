"""The answer of `GET /v1/routes/match`: each route's verdict, and who would be notified."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from service.api.notify.addressees import OWNER
from service.api.notify.route_documents import MatcherDocument
from service.domain.alerts.alert import Alert, Reason
from service.domain.notify.planning import Address
from service.domain.notify.routing.doubts import doubts
from service.domain.notify.routing.groups import Group
from service.domain.notify.routing.labels import Labels
from service.domain.notify.routing.matchers import matches
from service.domain.notify.routing.pipeline import MatchedRoute, Plan, inhibits, match_routes, plan_of, silences_of
from service.domain.notify.routing.repeats import repeats_after
from service.domain.notify.routing.routes import Route
from service.domain.notify.routing.situation import Situation
from service.domain.values.durations import format_duration


class MatcherVerdict(MatcherDocument):
    found: list[str] = Field(description="the label's values; none where the alert has no such label")
    matched: bool


class AlertGroupOut(BaseModel):
    """How a route collects: with the alerts that have the same values."""

    by: dict[str, list[str]]
    wait: str = Field(examples=["30s"])
    interval: str = Field(examples=["5m"])


class RouteVerdict(BaseModel):
    """A route that was asked. `stops`: later ones are not."""

    position: int
    matchers: list[MatcherVerdict]
    matched: bool
    stops: bool
    why: str
    doubts: list[str] = Field(description="what of the matchers nothing has so far, with the nearest that is known")
    receiver: str = Field(description="`owner`: whoever owns what the alert is about, else `fallback`")
    fallback: str | None
    escalation_policy: str | None
    held_by: Literal[Reason.SILENCED, Reason.INHIBITED, Reason.MUTED_TIME] | None
    repeats_every: str | None = Field(
        examples=["4h"],
        description="how often it would repeat while nobody acknowledges; null: never, or by its escalation policy",
    )
    group: AlertGroupOut | None = Field(description="null: a route that does not match, or sends each alert at once")


class SilencedBy(BaseModel):
    id: str
    name: str
    ends_at: datetime


class Destination(BaseModel):
    """A channel that would be notified, or not because of `held_by`. `collected`: an opening waits for others."""

    receiver: str
    channel: str = Field(examples=["slack_bot:1f2e3d4c5b6a"])
    held_by: Literal[Reason.SILENCED, Reason.INHIBITED, Reason.MUTED_TIME] | None
    collected: bool
    escalation_policy: str | None = Field(description="the policy that calls it; null: the route itself")
    after: str = Field(examples=["0s", "15m"], description="when it is called, unless somebody acknowledges before")


class MatchOut(BaseModel):
    at: datetime
    labels: dict[str, list[str]]
    routes: list[RouteVerdict]
    silenced_by: list[SilencedBy]
    inhibited_by: list[str] = Field(description="ids of alerts")
    goes_to: list[Destination]
    escalation_policies: list[str] = Field(description="those that would begin")


def show_match(
    alert: Alert | None, labels: Labels, situation: Situation, known: Mapping[str, Collection[str]]
) -> MatchOut:
    """Shows where an alert, or labels alone, would go. No other alert inhibits labels alone.

    `known` are the values of every label that something has.
    """
    configuration = situation.configuration
    names = {id: one.name for id, one in (*configuration.receivers.items(), *configuration.policies.items())}
    matched = match_routes(alert, labels, situation)
    plan = plan_of(matched, labels, situation)
    by_route = {one.route: one for one in matched}
    owners = situation.owners(alert, labels)
    return MatchOut(
        at=situation.now,
        labels={name: sorted(values) for name, values in sorted(labels.items())},
        routes=[
            _verdict(position, route, labels, by_route.get(route) if is_matched else None, names, known)
            for position, (route, is_matched) in enumerate(configuration.routes.walk(labels))
        ],
        silenced_by=[
            SilencedBy(id=one.id, name=one.name, ends_at=one.spec.ends_at)
            for one in silences_of(alert, labels, situation)
        ],
        inhibited_by=[one.id for one in situation.open_alerts if alert is not None and inhibits(one, alert)],
        goes_to=_goes_to(plan, situation, owners, names),
        escalation_policies=[names.get(one.policy_id, one.policy_id) for one in plan.escalations],
    )


def _goes_to(plan: Plan, situation: Situation, owners: Sequence[str], names: dict[str, str]) -> list[Destination]:
    """The channels of the routes and of the policies; those that a held policy calls are named with it alone."""
    begins = [one for called in plan.escalations for one in _called(called.policy_id, None, situation, owners, names)]
    held = [
        one
        for called, reason in plan.held_escalations
        if situation.can_call(called.policy_id)
        for one in _called(called.policy_id, reason, situation, owners, names)
    ]
    later = {(one.receiver, one.channel) for one in held}
    waits = [(one, reason) for one, reason in plan.held_back if (names[one.receiver_id], one.key) not in later]
    direct = [*((address, None) for address in plan.recipients), *waits]
    return [*(_direct(address, reason, plan, names) for address, reason in direct), *begins, *held]


def _direct(address: Address, held: Reason | None, plan: Plan, names: dict[str, str]) -> Destination:
    """A channel that a route itself notifies."""
    return Destination.model_validate(
        {
            "receiver": names[address.receiver_id],
            "channel": address.key,
            "held_by": held,
            "collected": held is None and address.key in plan.groups,
            "escalation_policy": None,
            "after": "0s",
        }
    )


def _called(
    policy_id: str, held: Reason | None, situation: Situation, owners: Sequence[str], names: dict[str, str]
) -> list[Destination]:
    """The channels of a policy's steps in their order, each by its first call. `held`: why the policy may not begin."""
    policy = situation.configuration.policies.get(policy_id)
    found: dict[str, Destination] = {}
    for number, step in enumerate(policy.spec.steps if policy else ()):
        for address in situation.addresses(*situation.called(policy_id, number, owners, step.after)):
            after = format_duration(step.after)
            place = {"receiver": names[address.receiver_id], "channel": address.key, "after": after}
            more = {"held_by": held, "collected": False, "escalation_policy": names[policy_id]}
            found.setdefault(address.key, Destination.model_validate(place | more))
    return list(found.values())


def _verdict(
    position: int,
    route: Route,
    labels: Labels,
    found: MatchedRoute | None,
    names: dict[str, str],
    known: Mapping[str, Collection[str]],
) -> RouteVerdict:
    verdicts = [
        MatcherVerdict(
            label=one.label,
            op=one.op,
            value=one.value,
            found=sorted(labels.get(one.label, ())),
            matched=matches(one, labels),
        )
        for one in route.matchers
    ]
    matched = all(one.matched for one in verdicts)
    policy = route.escalation_policy_id
    return RouteVerdict.model_validate(
        {
            "position": position,
            "matchers": verdicts,
            "matched": matched,
            "stops": matched and not route.continues,
            "why": _why(route, matched, verdicts),
            "doubts": doubts(route.matchers, known),
            "receiver": OWNER if route.to_owner else names.get(route.receiver_id, route.receiver_id),
            "fallback": names.get(route.receiver_id, route.receiver_id) if route.to_owner else None,
            "escalation_policy": names.get(policy, policy) if policy is not None else None,
            "held_by": found.held if found else None,
            "group": _group(found.group) if found and found.group else None,
            "repeats_every": _interval(route, labels),
        }
    )


def _group(group: Group) -> AlertGroupOut:
    by = {name: list(values) for name, values in group.by.items()}
    return AlertGroupOut(by=by, wait=format_duration(group.wait), interval=format_duration(group.interval))


def _interval(route: Route, labels: Labels) -> str | None:
    interval = repeats_after(route, _only(labels, "kind"), _only(labels, "severity"))
    return format_duration(interval) if interval is not None else None


def _only(labels: Labels, name: str) -> str:
    return next(iter(labels.get(name, ())), "")


def _why(route: Route, matched: bool, verdicts: list[MatcherVerdict]) -> str:
    if not matched:
        failed = next(one for one in verdicts if not one.matched)
        found = " or ".join(repr(value) for value in failed.found) or "missing"
        return f"does not match: {failed.label} is {found}, {failed.op.value} {failed.value!r} is asked for"
    how = "matches" if route.matchers else "is the default"
    return (
        f"{how}, and continues: later routes are asked, too"
        if route.continues
        else f"{how}: later routes are not asked"
    )
