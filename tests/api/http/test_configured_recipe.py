"""The recipe of ARCHITECTURE.md for a resource: a dataclass, a kind, a shape and a router make all of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import ClassVar

import pytest
from pydantic import Field

from service.api.app import ROUTERS, combine, create_app
from service.api.http.configured import Document, Shape, Shown, Written, configured_router, identity
from service.api.http.fields import Dollars, Line, Usd
from service.domain.access import Role
from service.domain.values.errors import Invalid
from service.domain.values.money import ZERO, Money
from service.domain.values.resources import Resource
from service.workflows.configuration.engine import Author, ResourceKind, Write, record
from service.workflows.ports.unit_of_work import Ports, UnitOfWork
from tests.api.stand import Stand, answered, client, pointers, problem


@dataclass(frozen=True, slots=True)
class CostCentre:
    """The made-up resource: a department, and the US dollars that it may spend in a year."""

    department: str
    allowance: Money


class CostCentres(ResourceKind[CostCentre]):
    noun, prefix, spec = "cost centre", "cce", CostCentre

    async def validate(self, uow: UnitOfWork, spec: CostCentre, stored: Resource[CostCentre] | None) -> None:
        if spec.allowance == ZERO:
            raise Invalid("must be more than 0", "/allowance")

    async def dependents(self, uow: UnitOfWork, id: str) -> list[str]:
        stored = await self.store(uow).get(id)
        return ["department 'board'"] if stored.spec.department == "board" else []

    async def after_write(self, uow: UnitOfWork, write: Write[CostCentre]) -> None:
        await record(uow, Author("accounting", write.at), "cost_centre.book", write.resource.id, "")


class CostCentreIn(Written):
    """A department's yearly allowance."""

    department: Line = Field(examples=["research"])
    allowance: Dollars


class CostCentreOut(Shown):
    department: str
    allowance: Usd


class CostCentreShape(Shape[CostCentre, CostCentreIn, CostCentreOut]):
    written, shown = CostCentreIn, CostCentreOut
    example: ClassVar[Document] = {"name": "r-17", "department": "research", "allowance": "9000.00"}
    patch_example: ClassVar[Document] = {"allowance": "9500.00"}

    async def read(
        self, ports: Ports, uow: UnitOfWork, document: CostCentreIn, stored: CostCentre | None
    ) -> CostCentre:
        return CostCentre(document.department, document.allowance)

    async def show(self, uow: UnitOfWork, resource: Resource[CostCentre], now: datetime) -> CostCentreOut:
        spec = resource.spec
        return CostCentreOut(**identity(resource), department=spec.department, allowance=str(spec.allowance))


ROUTER = configured_router("/cost-centres", CostCentres(), CostCentreShape(), "Spend")
HOUR = timedelta(hours=1)
PATH = "/v1/cost-centres"
RESEARCH = dict(CostCentreShape.example)


@pytest.fixture
async def extended(stand: Stand) -> AsyncIterator[Stand]:
    """The same stand with an API that has the made-up resource, too; every other app is as it was."""

    async def ready() -> str | None:
        return None

    app = create_app(stand.ports, ready=ready, api=combine((*ROUTERS, ROUTER)))
    async with AsyncExitStack() as stack:
        viewer, admin = [
            await stack.enter_async_context(client(app, secret=f"tcn_FAKE-{role}-token-of-the-tests"))
            for role in (Role.VIEWER, Role.ADMIN)
        ]
        yield replace(stand, app=app, viewer=viewer, admin=admin)


async def test_it_is_created_read_listed_changed_and_deleted_with_etags(extended: Stand) -> None:
    response = await extended.admin.post(PATH, json=RESEARCH)
    made = answered(response, 201)
    assert response.headers["location"] == f"{PATH}/{made['id']}"
    assert response.headers["etag"] == '"1"'
    assert made["id"].startswith("cce_")
    assert made["allowance"] == "9000.00"
    assert answered(await extended.viewer.get(f"{PATH}/r-17")) == made
    assert answered(await extended.viewer.get(PATH)) == {"items": [made], "next": None, "unreadable": []}

    place = f"{PATH}/{made['id']}"
    changed = await extended.admin.patch(place, json={"allowance": "9500.00"}, headers={"If-Match": '"1"'})
    assert answered(changed) == made | {"allowance": "9500.00", "version": 2, "updated_at": made["updated_at"]}
    assert changed.headers["etag"] == '"2"'
    problem(await extended.admin.delete(place, headers={"If-Match": '"1"'}), 412)
    answered(await extended.admin.delete(place, headers={"If-Match": '"2"'}), 204)
    problem(await extended.viewer.get(place), 404)


async def test_its_post_is_carried_out_once_by_idempotency_key(extended: Stand) -> None:
    headers = {"Idempotency-Key": "deploy-1"}
    first = await extended.admin.post(PATH, json=RESEARCH, headers=headers)
    again = await extended.admin.post(PATH, json=RESEARCH, headers=headers)
    assert answered(again, 201) == answered(first, 201)
    assert again.headers["idempotent-replayed"] == "true"


async def test_its_writes_are_audited_and_its_versions_kept(extended: Stand) -> None:
    made = answered(await extended.admin.post(PATH, json=RESEARCH), 201)
    extended.clock.advance(HOUR)
    answered(await extended.admin.patch(f"{PATH}/r-17", json={"department": "labs"}))
    extended.clock.advance(HOUR)
    answered(await extended.admin.delete(f"{PATH}/r-17"), 204)
    events = answered(await extended.admin.get("/v1/audit-events"))["items"]
    ours = [(event["actor"], event["action"]) for event in events if event["subject"] == made["id"]]
    written = [action for actor, action in ours if actor == "token:the admin"]
    assert written == ["cost_centre.delete", "cost_centre.change", "cost_centre.create"]
    assert ours.count(("accounting", "cost_centre.book")) == len(written)
    async with extended.ports.uow() as uow:
        store = CostCentres().store(uow)
        lifetime, first = await store.lifetime("r-17"), await store.as_of(made["id"], extended.clock() - 2 * HOUR)
    assert lifetime.id == made["id"]
    assert lifetime.until == extended.clock()
    assert first is not None
    assert first.spec.department == "research"


async def test_its_kind_says_what_is_valid_and_what_depends_on_it(extended: Stand) -> None:
    assert pointers(await extended.admin.post(PATH, json=RESEARCH | {"allowance": "0"})) == ["/allowance"]
    answered(await extended.admin.post(PATH, json=RESEARCH | {"department": "board"}), 201)
    assert "department 'board'" in problem(await extended.admin.delete(f"{PATH}/r-17"), 409)["detail"]


async def test_its_schema_is_described_and_its_roles_hold(extended: Stand) -> None:
    described = extended.app.openapi()
    assert set(described["paths"][PATH]) == {"get", "post"}
    assert set(described["paths"][PATH + "/{id}"]) == {"get", "patch", "delete"}
    assert {"CostCentreIn", "CostCentreOut"} <= set(described["components"]["schemas"])
    problem(await extended.viewer.post(PATH, json=RESEARCH), 403)
    assert pointers(await extended.admin.post(PATH, json=RESEARCH | {"colour": "red"})) == ["/colour"]


async def test_elsewhere_there_is_no_such_resource(extended: Stand, stand: Stand) -> None:
    problem(await stand.admin.get(PATH), 404)
    assert PATH not in stand.app.openapi()["paths"]
