"""`/v1/digests`: reports by schedule, to a receiver."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, ClassVar

from fastapi.responses import Response
from pydantic import BaseModel, Field, StringConstraints

from service.api.http.configured import Document, ReadOnly, Shape, Shown, Written, configured_router, identity
from service.api.http.deps import IdOrName, PortsDep, UowDep, operator
from service.api.http.fields import LINE, Reference
from service.api.http.idempotency import OnceDep
from service.api.notify.addressees import OWNER, read_addressee, receivers_by_reference
from service.api.spend.scopes import ScopeIn, read_scope, show_scope
from service.domain.digests.digest import DigestContent, DigestPlan
from service.domain.digests.periods import DigestPeriod
from service.domain.digests.runs import DigestRun, RunState
from service.domain.values.periods import Weekday
from service.domain.values.resources import Resource
from service.workflows.configuration.notify import Digests
from service.workflows.configuration.spend import source_named
from service.workflows.digests.deliver import send_now
from service.workflows.ports.unit_of_work import Ports, UnitOfWork

CronText = Annotated[str, StringConstraints(min_length=9, max_length=100, pattern=LINE)]


class DigestIn(Written):
    """A report on a scope, by schedule, to a receiver or to each owner of some of the spend.

    PagerDuty, Alertmanager and JSM channels get no digests.
    """

    source: Reference | None = Field(
        default=None, description="a source's id or name; may be left out while there is one"
    )
    receiver: Reference = Field(
        description="a receiver's id or name; `owner`: everybody is sent their share, whoever owns some of the spend"
    )
    fallback: Reference | None = Field(default=None, description="with `owner`: the receiver of what has no owner")
    cron: CronText = Field(description="minute, hour, day of month, month, weekday (0 and 7 are Sunday)")
    timezone: Reference = Field(default="UTC", description="IANA time zone of the schedule and of the period")
    period: DigestPeriod | None = Field(
        default=None,
        description="the time it is about, whenever it is sent; null: what the schedule means, see `covers`",
    )
    week_start: Weekday = Field(default=Weekday.MONDAY, description="of `previous_week`")
    content: DigestContent = Field(
        default=DigestContent.SPEND, description="spend: where the money went; usage: tokens by model, with a CSV file"
    )
    scope: ScopeIn = ScopeIn()
    enabled: bool = True
    covers: ReadOnly = None
    last_run: ReadOnly = None
    failure: ReadOnly = None


class SendingOut(BaseModel):
    receiver: str
    channel: str
    state: RunState
    attempts: int
    detail: str


class DigestRunOut(BaseModel):
    """One occurrence: the period `since`..`until` that it is about, and its outcome in each channel."""

    id: str
    occurrence: datetime
    since: datetime
    until: datetime
    state: RunState
    asked_by: str | None = Field(description="null: the schedule")
    next_attempt_at: datetime | None
    channels: list[SendingOut]
    detail: str


class DigestFailureOut(BaseModel):
    """A defect that keeps the digest's times from being told: none is sent until it is fixed."""

    since: datetime
    error: str


class DigestOut(Shown):
    source: str
    receiver: str
    fallback: str | None = Field(description="null: the receiver is not `owner`")
    cron: str
    timezone: str
    period: DigestPeriod | None
    week_start: Weekday
    covers: DigestPeriod = Field(description="`period`, or what the schedule means without one")
    content: DigestContent
    scope: ScopeIn
    enabled: bool
    last_run: DigestRunOut | None
    failure: DigestFailureOut | None = Field(description="null where its times can be told")


def show_run(run: DigestRun, receivers: Mapping[str, str]) -> DigestRunOut:
    """`receivers` are names by id, that of the digest's own receiver by ""."""
    return DigestRunOut(
        id=run.id,
        occurrence=run.occurrence,
        since=run.window.start,
        until=run.window.end,
        state=run.state,
        asked_by=run.asked_by or None,
        next_attempt_at=run.due_at if run.state is RunState.QUEUED else None,
        channels=[
            SendingOut(
                receiver=receivers.get(one.receiver_id, one.receiver_id),
                channel=one.channel,
                state=one.state,
                attempts=one.attempts,
                detail=one.detail,
            )
            for one in run.sendings
        ],
        detail=run.detail,
    )


class DigestShape(Shape[DigestPlan, DigestIn, DigestOut]):
    written, shown = DigestIn, DigestOut
    example: ClassVar[Document] = {
        "name": "weekly spend",
        "receiver": "finance",
        "cron": "0 9 * * 1",
        "timezone": "Europe/Berlin",
        "period": "previous_week",
        "scope": {"workspaces": [], "models": [], "api_keys": [], "actors": [], "products": []},
    }
    patch_example: ClassVar[Document] = {"cron": "0 9 * * 1-5"}

    async def read(self, ports: Ports, uow: UnitOfWork, document: DigestIn, stored: DigestPlan | None) -> DigestPlan:
        ports.cron.require_sound(document.cron, document.timezone)
        source = await source_named(uow, document.source or (stored.source_id if stored else None), "/source")
        addressee = read_addressee(await receivers_by_reference(uow), document.receiver, document.fallback, "")
        return DigestPlan(
            source_id=source.id,
            receiver_id=addressee.receiver_id,
            to_owner=addressee.to_owner,
            cron=" ".join(document.cron.split()),
            timezone=document.timezone,
            scope=await read_scope(uow, source.id, document.scope, stored.scope if stored else None),
            enabled=document.enabled,
            period=document.period,
            week_start=document.week_start,
            content=document.content,
        )

    async def show(self, uow: UnitOfWork, resource: Resource[DigestPlan], now: datetime) -> DigestOut:
        spec, last = resource.spec, await uow.digest_runs.latest(resource.id)
        failing, receivers = await uow.digest_runs.failing(resource.id), await uow.receivers.named()
        receiver = receivers[spec.receiver_id]
        return DigestOut(
            **identity(resource),
            source=(await uow.sources.named())[spec.source_id],
            receiver=OWNER if spec.to_owner else receiver,
            fallback=receiver if spec.to_owner else None,
            cron=spec.cron,
            timezone=spec.timezone,
            period=spec.period,
            week_start=spec.week_start,
            covers=spec.covers,
            content=spec.content,
            scope=await show_scope(uow, spec.source_id, spec.scope),
            enabled=spec.enabled,
            last_run=show_run(last, {**receivers, "": receiver}) if last else None,
            failure=DigestFailureOut(since=failing.since, error=failing.error) if failing else None,
        )


router = configured_router("/digests", Digests(), DigestShape(), "Digests")


@router.post(
    "/{id}/send",
    summary="Send a digest of the last full period now",
    response_model=DigestRunOut,
    status_code=202,
    responses={404: {}, 409: {}},
    dependencies=[operator],
)
async def send(id: IdOrName, uow: UowDep, ports: PortsDep, once: OnceDep) -> Response:
    digest = await uow.digests.get(id)
    run = await send_now(uow, ports.cron, digest, once.author)
    return await once.answer(show_run(run, {}), status=202)
