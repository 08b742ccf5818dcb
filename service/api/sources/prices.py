"""`/v1/prices`: the operator's own rates, effective-dated. They price usage that is read from then on."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar

from pydantic import Field

from service.api.http.configured import Document, Shape, Shown, Written, configured_router, identity
from service.api.http.fields import Dollars, Instant, Reference, Usd
from service.domain.sources.pricing import Measure, PriceOverride
from service.domain.values.money import Money
from service.domain.values.resources import Resource
from service.workflows.configuration.spend import Prices
from service.workflows.ports.unit_of_work import Ports, UnitOfWork

Quantity = Annotated[int, Field(strict=True, ge=1, le=1_000_000_000)]


class PriceIn(Written):
    """`usd` for every `per` tokens (or searches) of a model, from `valid_from` up to, not including, `valid_to`."""

    model: Reference = Field(examples=["claude-sonnet-4-5"])
    measure: Measure
    usd: Dollars
    per: Quantity = 1_000_000
    valid_from: Instant
    valid_to: Instant | None = None


class PriceOut(Shown):
    model: str
    measure: Measure
    usd: Usd
    per: int
    valid_from: datetime
    valid_to: datetime | None


class PriceShape(Shape[PriceOverride, PriceIn, PriceOut]):
    written, shown = PriceIn, PriceOut
    example: ClassVar[Document] = {
        "name": "sonnet output, negotiated",
        "model": "claude-sonnet-4-5",
        "measure": "output_tokens",
        "usd": "12.00",
        "per": 1_000_000,
        "valid_from": "2026-11-01T00:00:00Z",
    }
    patch_example: ClassVar[Document] = {"valid_to": "2027-01-01T00:00:00Z"}

    async def read(
        self, ports: Ports, uow: UnitOfWork, document: PriceIn, stored: PriceOverride | None
    ) -> PriceOverride:
        return PriceOverride(
            model=document.model,
            measure=document.measure,
            usd=document.usd.usd,
            valid_from=document.valid_from,
            valid_to=document.valid_to,
            per=document.per,
        )

    async def show(self, uow: UnitOfWork, resource: Resource[PriceOverride], now: datetime) -> PriceOut:
        spec = resource.spec
        return PriceOut(
            **identity(resource),
            model=spec.model,
            measure=spec.measure,
            usd=str(Money(spec.usd)),
            per=spec.per,
            valid_from=spec.valid_from,
            valid_to=spec.valid_to,
        )


router = configured_router("/prices", Prices(), PriceShape(), "Prices")
