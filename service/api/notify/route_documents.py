"""Matchers, time intervals and routes as JSON."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, PlainValidator, StringConstraints, WithJsonSchema

from service.api.http.configured import ReadOnly
from service.api.http.fields import LABEL_KEY, LINE, Duration, LabelKey, Line, Reference, Strict
from service.api.notify.addressees import OWNER, Addressee, read_addressee, receivers_by_reference
from service.domain.notify.routing.doubts import doubts
from service.domain.notify.routing.intervals import DAY, TimeInterval, TimeRange, WeekdayRange, clock_time
from service.domain.notify.routing.matchers import Matcher, Op
from service.domain.notify.routing.routes import Route, RouteTable
from service.domain.values.errors import Invalid
from service.domain.values.periods import Weekday
from service.workflows.notify.known_labels import known_labels
from service.workflows.ports.unit_of_work import UnitOfWork

_TIME = re.compile(r"([01][0-9]|2[0-4]):([0-5][0-9])")

MatchedText = Annotated[str, StringConstraints(max_length=500, pattern=LINE)]


GroupLabel = Annotated[str, StringConstraints(pattern=rf"^(\.\.\.|{LABEL_KEY})$")]
"""Accepts Alertmanager's "...", so that its refusal can say what to do."""


class MatcherDocument(Strict):
    """Expressions (`=~`, `!~`) mean the whole value; a label that is not there is the empty text."""

    label: LabelKey = Field(examples=["severity"])
    op: Op = Field(examples=["="])
    value: MatchedText = Field(examples=["critical"])


def read_matcher(document: MatcherDocument) -> Matcher:
    return Matcher(document.label, document.op, document.value)


def show_matcher(matcher: Matcher) -> MatcherDocument:
    return MatcherDocument(label=matcher.label, op=matcher.op, value=matcher.value)


# ------------------------------------------------------------------------------------------- times


def _minutes(value: object) -> int:
    match = _TIME.fullmatch(value) if isinstance(value, str) else None
    minutes = int(match[1]) * 60 + int(match[2]) if match else DAY + 1
    if minutes > DAY:
        raise ValueError('write a time such as "18:00", up to "24:00"')
    return minutes


ClockTime = Annotated[
    int,
    PlainValidator(_minutes),
    PlainSerializer(clock_time, return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"^{_TIME.pattern}$", "examples": ["18:00"]}),
]


def _weekdays(value: object) -> WeekdayRange:
    first, _, last = value.partition(":") if isinstance(value, str) else ("", "", "")
    try:
        return WeekdayRange(Weekday(first), Weekday(last or first))
    except ValueError as error:
        raise ValueError('write a weekday or a range such as "monday:friday"') from error


def _weekday_text(days: WeekdayRange) -> str:
    return days.first.value if days.first is days.last else f"{days.first}:{days.last}"


Weekdays = Annotated[
    WeekdayRange,
    PlainValidator(_weekdays),
    PlainSerializer(_weekday_text, return_type=str),
    WithJsonSchema({"type": "string", "examples": ["monday:friday"]}),
]


class TimeRangeDocument(Strict):
    """An `end_time` that is not later than `start_time` lies on the next day."""

    start_time: ClockTime = Field(description="included")
    end_time: ClockTime = Field(description="not included")


class TimeIntervalDocument(Strict):
    """Both must hold; an empty list always does. A range over midnight belongs to the day on which it began."""

    times: list[TimeRangeDocument] = Field(default=[], max_length=20)
    weekdays: list[Weekdays] = Field(default=[], max_length=7)
    location: Line = Field(default="UTC", description="an IANA time zone", examples=["Europe/Berlin"])


TimeIntervals = Annotated[list[TimeIntervalDocument], Field(max_length=20)]


def read_interval(document: TimeIntervalDocument) -> TimeInterval:
    times = tuple(TimeRange(one.start_time, one.end_time) for one in document.times)
    return TimeInterval(times, tuple(document.weekdays), document.location)


def _show_interval(interval: TimeInterval) -> TimeIntervalDocument:
    return TimeIntervalDocument.model_construct(
        times=[TimeRangeDocument.model_construct(start_time=one.start, end_time=one.end) for one in interval.times],
        weekdays=list(interval.weekdays),
        location=interval.timezone,
    )


# ------------------------------------------------------------------------------------------- routes


class RouteDocument(Strict):
    """Alerts that all matchers match go to `receiver`. The last route has no matchers: it takes what is left."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    matchers: list[MatcherDocument] = Field(default=[], max_length=50)
    receiver: Reference = Field(
        description="a receiver's id or name; `owner`: whoever owns what the alert is about", examples=["console"]
    )
    fallback: Reference | None = Field(
        default=None, description="with `owner`: the receiver of alerts about what nobody owns"
    )
    escalation_policy: Reference | None = Field(default=None, description="an escalation policy's id or name")
    continues: bool = Field(default=False, alias="continue", description="whether later routes are asked, too")
    group_by: list[GroupLabel] = Field(
        default=[], max_length=20, description="labels: alerts with the same values of all of them are a group"
    )
    group_wait: Duration = Field(
        default=timedelta(), description="how long a group's first alert waits for others; 1h at most"
    )
    group_interval: Duration = Field(
        default=timedelta(), description="how long later ones wait after a group's last message; 1d at most"
    )
    repeat_interval: Duration | None = Field(
        default=None,
        description="how often its alerts are notified again while nobody acknowledges; 0s: never; "
        "null: 4h for error and critical alerts of rules, never for others",
    )
    mute_times: TimeIntervals = Field(default=[], description="nobody is notified in these")
    active_times: TimeIntervals = Field(default=[], description="nobody is notified outside")


class RoutesDocument(Strict):
    items: list[RouteDocument] = Field(max_length=500)
    next: ReadOnly = None
    doubts: ReadOnly = None


class RoutesOut(BaseModel):
    """The routes as they are stored. `doubts`: what of their matchers nothing has so far."""

    items: list[RouteDocument]
    next: None = None
    doubts: list[str] = Field(examples=[["no alert has workspace='prodution' so far; the nearest: production"]])


async def read_routes(uow: UnitOfWork, document: RoutesDocument) -> RouteTable:
    """Raises Invalid for an unknown receiver or policy."""
    receivers = await receivers_by_reference(uow)
    policies = {text: id for id, name in (await uow.policies.named()).items() for text in (name, id)}
    routes = []
    for position, route in enumerate(document.items):
        addressee = read_addressee(receivers, route.receiver, route.fallback, f"/items/{position}")
        if route.escalation_policy is not None and route.escalation_policy not in policies:
            raise Invalid(
                f"there is no escalation policy {route.escalation_policy!r}", f"/items/{position}/escalation_policy"
            )
        policy = policies[route.escalation_policy] if route.escalation_policy is not None else None
        routes.append(_read_route(route, addressee, policy))
    return RouteTable(tuple(routes))


def _read_route(document: RouteDocument, addressee: Addressee, policy_id: str | None) -> Route:
    return Route(
        receiver_id=addressee.receiver_id,
        to_owner=addressee.to_owner,
        matchers=tuple(read_matcher(one) for one in document.matchers),
        escalation_policy_id=policy_id,
        continues=document.continues,
        group_by=tuple(document.group_by),
        group_wait=document.group_wait,
        group_interval=document.group_interval,
        repeat_interval=document.repeat_interval,
        mute_times=tuple(read_interval(one) for one in document.mute_times),
        active_times=tuple(read_interval(one) for one in document.active_times),
    )


async def show_routes(uow: UnitOfWork, table: RouteTable) -> RoutesOut:
    names = {**await uow.receivers.named(), **await uow.policies.named()}
    items = [_show_route(route, names) for route in table.items]
    matchers = [one for route in table.items for one in route.matchers]
    return RoutesOut.model_construct(items=items, next=None, doubts=doubts(matchers, await known_labels(uow)))


def _show_route(route: Route, names: dict[str, str]) -> RouteDocument:
    policy, receiver = route.escalation_policy_id, names.get(route.receiver_id, route.receiver_id)
    return RouteDocument.model_construct(
        matchers=[show_matcher(one) for one in route.matchers],
        receiver=OWNER if route.to_owner else receiver,
        fallback=receiver if route.to_owner else None,
        escalation_policy=names.get(policy, policy) if policy is not None else None,
        continues=route.continues,
        group_by=list(route.group_by),
        group_wait=route.group_wait,
        group_interval=route.group_interval,
        repeat_interval=route.repeat_interval,
        mute_times=[_show_interval(one) for one in route.mute_times],
        active_times=[_show_interval(one) for one in route.active_times],
    )
