"""What `GET /v1/routes/match` answers: each route's verdict, and who would be rung."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from service.api.notify.route_documents import MatcherDocument
from service.domain.alerts.alert import Alert, Reason
from service.domain.notify.routing.groups import Gathering
from service.domain.notify.routing.labels import Labels
from service.domain.notify.routing.matchers import matches
from service.domain.notify.routing.pipeline import Lane, Surroundings, dedupe, find_lanes, inhibits
from service.domain.notify.routing.repeating import repeats_after
from service.domain.notify.routing.routes import Route
from service.domain.notify.routing.silences import silencing
from service.domain.values.durations import format_duration
from service.workflows.ports.unit_of_work import UnitOfWork


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
    receiver: str
    escalation_policy: str | None
    held_by: Literal[Reason.SILENCED, Reason.INHIBITED, Reason.MUTED_TIME] | None
    repeats_every: str | None = Field(
        examples=["4h"],
        description="how often it would ring again while nobody answers; null: never, or by its escalation policy",
    )
    group: AlertGroupOut | None = Field(description="null: a route that does not match, or sends each alert at once")


class SilencedBy(BaseModel):
    id: str
    name: str
    ends_at: datetime


class Destination(BaseModel):
    """A channel that a ring would reach, or not because of `held_by`. `collected`: an opening waits for others."""

    receiver: str
    channel: str = Field(examples=["slack_bot:1f2e3d4c5b6a"])
    held_by: Literal[Reason.SILENCED, Reason.INHIBITED, Reason.MUTED_TIME] | None
    collected: bool


class MatchOut(BaseModel):
    at: datetime
    labels: dict[str, list[str]]
    routes: list[RouteVerdict]
    silenced_by: list[SilencedBy]
    inhibited_by: list[str] = Field(description="ids of alerts")
    goes_to: list[Destination]
    escalation_policies: list[str] = Field(description="those that would begin")


async def show_match(uow: UnitOfWork, alert: Alert | None, labels: Labels, around: Surroundings) -> MatchOut:
    """Of an alert, or of labels alone: these no other alert inhibits."""
    names = {one.id: one.name for one in (*await uow.receivers.all(), *await uow.policies.all())}
    lanes = find_lanes(alert, labels, around)
    plan = dedupe(lanes, around.addresses)
    by_route = {lane.route: lane for lane in lanes}
    return MatchOut(
        at=around.now,
        labels={name: sorted(values) for name, values in sorted(labels.items())},
        routes=[
            _verdict(position, route, labels, by_route.get(route) if matched else None, names)
            for position, (route, matched) in enumerate(around.table.walk(labels))
        ],
        silenced_by=[
            SilencedBy(id=one.id, name=one.name, ends_at=one.spec.ends_at)
            for one in silencing(around.silences, labels, around.now)
        ],
        inhibited_by=[one.id for one in around.open_alerts if alert is not None and inhibits(one, alert)],
        goes_to=[
            Destination.model_validate(
                {
                    "receiver": names[one.receiver_id],
                    "channel": one.key,
                    "held_by": reason,
                    "collected": reason is None and one.key in plan.gatherings,
                }
            )
            for one, reason in (*((address, None) for address in plan.ring), *plan.hold)
        ],
        escalation_policies=[names.get(one.policy_id, one.policy_id) for one in plan.policies],
    )


def _verdict(position: int, route: Route, labels: Labels, lane: Lane | None, names: dict[str, str]) -> RouteVerdict:
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
            "receiver": names.get(route.receiver_id, route.receiver_id),
            "escalation_policy": names.get(policy, policy) if policy is not None else None,
            "held_by": lane.held if lane else None,
            "group": _group(lane.gathering) if lane and lane.gathering else None,
            "repeats_every": _interval(route, labels),
        }
    )


def _group(gathering: Gathering) -> AlertGroupOut:
    by = {name: list(values) for name, values in gathering.by.items()}
    return AlertGroupOut(by=by, wait=format_duration(gathering.wait), interval=format_duration(gathering.interval))


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
