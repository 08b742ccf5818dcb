"""`/v1/planned-activities`: spend that somebody announced. It raises what rules expect, then expires."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from pydantic import Field

from service.api.http.configured import Document, Shape, Shown, Written, configured_router, identity
from service.api.http.fields import Dollars, InstantOrDate, Note, Reference, Usd
from service.api.spend.scopes import ScopeIn, read_scope, show_scope
from service.domain.rules.planned import PlannedActivity
from service.domain.values.resources import Resource
from service.workflows.configuration.rules import PlannedActivities
from service.workflows.configuration.spend import source_named
from service.workflows.ports.unit_of_work import Ports, UnitOfWork


class PlannedActivityIn(Written):
    """Extra spend between two instants, somewhere in a scope, spread evenly over the time."""

    source: Reference | None = Field(
        default=None, description="a source's id or name; may be left out while there is one"
    )
    scope: ScopeIn = ScopeIn()
    starts_at: InstantOrDate
    ends_at: InstantOrDate = Field(description="not included")
    extra_amount: Dollars = Field(description="US dollars in all, above what is usual")
    comment: Note = ""


class PlannedActivityOut(Shown):
    source: str
    scope: ScopeIn
    starts_at: datetime
    ends_at: datetime
    extra_amount: Usd
    comment: str


class PlannedActivityShape(Shape[PlannedActivity, PlannedActivityIn, PlannedActivityOut]):
    written, shown = PlannedActivityIn, PlannedActivityOut
    example: ClassVar[Document] = {
        "name": "evaluation run",
        "scope": {"workspaces": [], "models": [], "api_keys": [], "actors": [], "products": []},
        "starts_at": "2026-12-01T00:00:00Z",
        "ends_at": "2026-12-04T00:00:00Z",
        "extra_amount": "900.00",
        "comment": "asked for by research",
    }
    patch_example: ClassVar[Document] = {"extra_amount": "1200.00"}

    async def read(
        self, ports: Ports, uow: UnitOfWork, document: PlannedActivityIn, stored: PlannedActivity | None
    ) -> PlannedActivity:
        name = document.source or (stored.source_id if stored else None)
        source = await source_named(uow, name, "/source")
        return PlannedActivity(
            source_id=source.id,
            scope=await read_scope(uow, source.id, document.scope, stored.scope if stored else None),
            starts_at=document.starts_at,
            ends_at=document.ends_at,
            extra_amount=document.extra_amount,
            comment=document.comment,
        )

    async def show(self, uow: UnitOfWork, resource: Resource[PlannedActivity], now: datetime) -> PlannedActivityOut:
        spec = resource.spec
        return PlannedActivityOut(
            **identity(resource),
            source=(await uow.sources.named())[spec.source_id],
            scope=await show_scope(uow, spec.source_id, spec.scope),
            starts_at=spec.starts_at,
            ends_at=spec.ends_at,
            extra_amount=str(spec.extra_amount),
            comment=spec.comment,
        )


router = configured_router("/planned-activities", PlannedActivities(), PlannedActivityShape(), "Rules")
