"""`/v1/sources`: where cost comes from."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import ClassVar

from pydantic import BaseModel, Field

from service.api.http.addresses import Address, require_permitted
from service.api.http.configured import Document, ReadOnly, Shape, Shown, Written, configured_router, identity
from service.api.http.fields import Duration, Reference
from service.api.http.secrets import Secret, SecretStub, sealed, shown
from service.api.sources.commitment import (
    CommitmentIn,
    CommitmentOut,
    PriorityUseOut,
    read_commitment,
    show_commitment,
    show_priority,
)
from service.api.sources.kinds import ShownKind, shown_kind, stored_kind, stored_preference
from service.domain.sources.locality import Locality
from service.domain.sources.poll import WaitsFor, waits_for
from service.domain.sources.source import People, ReportFamily, Source
from service.domain.spend.completeness import BucketState
from service.domain.spend.flaws import FlawKind
from service.domain.spend.lateness import is_stale
from service.domain.values.clock_changes import ClockChange, changes_between
from service.domain.values.durations import format_duration, parse_duration
from service.domain.values.resources import Resource
from service.workflows.configuration.spend import Sources
from service.workflows.ports.unit_of_work import Ports, UnitOfWork
from service.workflows.spend import committed_use, days_lacking

CLAUDE_API = "https://api.anthropic.com"
MEMORY, AHEAD, SOON = timedelta(weeks=4), timedelta(days=366), timedelta(days=90)


class SourceIn(Written):
    """An organisation's reports of usage and cost, and how often to read them."""

    kind: ShownKind = ShownKind.CLAUDE_ADMIN
    prefer: ReportFamily | None = Field(
        default=None,
        description="the reports that figures come from; null: analytics for claude_analytics, admin for the others",
    )
    base_url: Address = CLAUDE_API
    admin_key: Secret = Field(description="an Admin API key; write-only", examples=["sk-ant-admin01-FAKE"])
    poll_interval: Duration = Field(default=parse_duration("5m"), description="1m to 1d")
    enabled: bool = Field(default=True, strict=True)
    timezone: Reference | None = Field(
        default=None,
        description="IANA zone whose clock changes office hours follow; null: those of Europe and of the US are tried",
        examples=["Europe/Berlin"],
    )
    country: Reference | None = Field(
        default=None,
        description="ISO 3166-1 code of the country whose public holidays people have; null: none are known",
        examples=["DE"],
    )
    subdivision: Reference | None = Field(
        default=None, description="a part of the country with holidays of its own", examples=["BY"]
    )
    priority_commitment: CommitmentIn | None = None
    people: People = Field(
        default=People.OFF,
        description="what is kept of the people whom the analytics reports name; off erases what was kept before",
    )
    claude_code: bool = Field(
        default=False, strict=True, description="read people's use of Claude Code, too; off forgets it"
    )
    clock: ReadOnly = None
    holidays: ReadOnly = None
    status: ReadOnly = None


class ClockChangeOut(BaseModel):
    timezone: str
    at: datetime = Field(description="the first hour by the new clock")
    forward_hours: int = Field(description="-1: put back by an hour")


class ClockOut(BaseModel):
    """The clock changes after which hours are judged by UTC and by the wall clock, until the hours tell which holds."""

    timezones: list[str] = Field(examples=[["Europe/Berlin"]])
    learnt: bool = Field(description="nobody has set a timezone")
    changes: list[ClockChangeOut] = Field(description="of the last four weeks, which hours are compared with, and next")


class HolidayOut(BaseModel):
    """A day on which little spend is usual, from local midnight to midnight."""

    name: str = Field(examples=["Christmas Day"])
    starts_at: datetime
    ends_at: datetime


class KeyBasis(StrEnum):
    BILLED = "billed"
    SHARED = "shared"


class CompletenessOut(BaseModel):
    """UTC days of the last 35 whose figures are not final though they should be; all empty: what is known is whole."""

    missing: list[date] = Field(description="since the first known day; no report has contained them")
    suspect: list[date] = Field(description="a report said that nothing was spent, and is not believed")
    late: list[date] = Field(description="their bill has not been read since it was due")
    differing: list[date] = Field(description="the bill's groups do not add up to its total")


class SourceStatus(BaseModel):
    """The connection to the source. Times are null where it never happened."""

    organization_id: str | None
    organization_name: str | None
    last_success_at: datetime | None
    last_error: str | None
    failures: int = Field(description="failed polls in a row")
    stale: bool = Field(description="whether budgets of this source have gone blind")
    lag_seconds: int | None = Field(description="since the last success")
    next_poll_at: datetime = Field(description="when the source is due; it may have passed while a poll waits")
    waits_for: WaitsFor | None = Field(
        description="what a queued poll waits for: a running poll or backfill, or a worker; null: none is queued"
    )
    billed_until: datetime | None = Field(description="end of the last settled UTC day")
    estimated_until: datetime | None = Field(description="end of the newest usage hour that is known")
    reports_read: ReportFamily | None = Field(
        description="the reports that the bill was last read from; null: never read"
    )
    evaluated_read_at: datetime | None = Field(
        description="the last reading of the bill that budgets and rules have been evaluated with"
    )
    refreshed_at: datetime | None = Field(
        description="until when the analytics reports are complete, as they say; null: they were never read"
    )
    api_keys: KeyBasis = Field(
        description="billed: the bill names API keys; shared: their spend is a share of the bill, by the estimate"
    )
    remark: str | None = Field(description="what to know of how the bill was last read")
    priority: PriorityUseOut | None = Field(
        description="what was used of `priority_commitment` this month; null without one"
    )
    completeness: CompletenessOut


class SourceOut(Shown):
    kind: ShownKind
    prefer: ReportFamily | None
    base_url: str
    admin_key: SecretStub
    poll_interval: str = Field(examples=["5m"])
    enabled: bool
    timezone: str | None
    country: str | None
    subdivision: str | None
    priority_commitment: CommitmentOut | None
    people: People
    claude_code: bool
    clock: ClockOut
    holidays: list[HolidayOut] = Field(description="of the last four weeks and the next 90 days")
    status: SourceStatus


class SourceShape(Shape[Source, SourceIn, SourceOut]):
    written, shown = SourceIn, SourceOut
    example: ClassVar[Document] = {
        "name": "production",
        "kind": "claude_admin",
        "admin_key": "sk-ant-admin01-FAKE",
        "poll_interval": "5m",
    }
    patch_example: ClassVar[Document] = {"poll_interval": "10m"}

    async def read(self, ports: Ports, uow: UnitOfWork, document: SourceIn, stored: Source | None) -> Source:
        moved = stored is not None and stored.base_url != document.base_url
        if stored is None or moved:
            require_permitted(ports.egress.sources, document.base_url, "/base_url")
        key = stored.admin_key if stored else None
        return Source(
            kind=stored_kind(document.kind),
            prefer=stored_preference(document.kind, document.prefer),
            base_url=document.base_url,
            admin_key=sealed(ports.vault, document.admin_key, key, moved=moved, pointer="/admin_key"),
            poll_interval=document.poll_interval,
            enabled=document.enabled,
            timezone=document.timezone,
            country=document.country,
            subdivision=document.subdivision,
            priority_commitment=read_commitment(document.priority_commitment),
            people=document.people,
            claude_code=document.claude_code,
        )

    async def show(self, uow: UnitOfWork, resource: Resource[Source], now: datetime) -> SourceOut:
        spec = resource.spec
        return SourceOut(
            **identity(resource),
            kind=shown_kind(spec),
            prefer=spec.prefer,
            base_url=spec.base_url,
            admin_key=shown(spec.admin_key),
            poll_interval=format_duration(spec.poll_interval),
            enabled=spec.enabled,
            timezone=spec.timezone,
            country=spec.country,
            subdivision=spec.subdivision,
            priority_commitment=show_commitment(spec.priority_commitment),
            people=spec.people,
            claude_code=spec.claude_code,
            clock=show_clock(spec.locality, now),
            holidays=[
                HolidayOut(name=one.name, starts_at=one.starts_at, ends_at=one.ends_at)
                for one in spec.locality.holidays((now - MEMORY).date(), (now + SOON).date())
            ],
            status=await show_status(uow, resource, now),
        )


def show_clock(locality: Locality, now: datetime) -> ClockOut:
    changes = changes_between(locality.zones, now - MEMORY, now + AHEAD)
    passed = [change for change in changes if change.at <= now]
    coming = [min(mine, key=_when) for zone in locality.zones if (mine := _coming(changes, zone, now))]
    return ClockOut(
        timezones=list(locality.zones),
        learnt=not locality.is_set,
        changes=[
            ClockChangeOut(timezone=one.zone, at=one.at, forward_hours=one.forward)
            for one in sorted((*passed, *coming), key=_when)
        ],
    )


def _coming(changes: Iterable[ClockChange], zone: str, now: datetime) -> list[ClockChange]:
    return [change for change in changes if change.zone == zone and change.at > now]


def _when(change: ClockChange) -> datetime:
    return change.at


async def show_status(uow: UnitOfWork, source: Resource[Source], now: datetime) -> SourceStatus:
    source_id = source.id
    state = await uow.polling_states.get(source_id)
    last = state.last_success_at
    return SourceStatus(
        organization_id=state.organization_id,
        organization_name=state.organization_name,
        last_success_at=last,
        last_error=state.last_error,
        failures=state.failures,
        stale=is_stale(state, now),
        lag_seconds=max(0, int((now - last).total_seconds())) if last else None,
        next_poll_at=state.next_poll_at,
        waits_for=waits_for(await uow.polls.unfinished(source_id)),
        billed_until=await uow.facts.billed_until(source_id),
        estimated_until=await uow.facts.estimated_until(source_id),
        reports_read=state.reports_read or (ReportFamily.ADMIN if state.cost_read_at else None),
        evaluated_read_at=state.assessed_read_at,
        refreshed_at=state.refreshed_at,
        api_keys=KeyBasis.BILLED if state.reports_read is ReportFamily.ANALYTICS else KeyBasis.SHARED,
        remark=state.remark,
        priority=show_priority(await committed_use(uow, source, now)),
        completeness=await show_completeness(uow, source_id, now),
    )


async def show_completeness(uow: UnitOfWork, source_id: str, now: datetime) -> CompletenessOut:
    found = await days_lacking(uow, source_id, now)
    differing = [one.day for one in await uow.completeness.flaws(source_id) if one.kind is FlawKind.TOTAL_DIFFERS]
    return CompletenessOut(
        missing=found[BucketState.MISSING],
        suspect=found[BucketState.SUSPECT],
        late=found[BucketState.LATE],
        differing=differing,
    )


router = configured_router("/sources", Sources(), SourceShape(), "Sources")
