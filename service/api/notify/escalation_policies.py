"""`/v1/escalation-policies`: who is notified next while nobody acknowledges."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, TypeVar

from pydantic import BaseModel, Field

from service.api.http.configured import Document, Shape, Shown, Written, configured_router, identity
from service.api.http.fields import Duration, Reference, Strict
from service.domain.notify.escalation import MOST_REPEATS, MOST_STEPS, EscalationPolicy, EscalationStep
from service.domain.values.durations import format_duration
from service.domain.values.errors import Invalid, NotFound
from service.domain.values.resources import Resource
from service.workflows.configuration.notify import EscalationPolicies
from service.workflows.ports.configuration import Resources
from service.workflows.ports.unit_of_work import Ports, UnitOfWork

Spec = TypeVar("Spec")


class StepIn(Strict):
    """Who is notified unless somebody has acted by then: either a receiver, or whoever is on call by a rota."""

    after: Duration = Field(description="counted from the alert's first notification", examples=["15m"])
    receiver: Reference | None = Field(default=None, description="a receiver's id or name", examples=["eng-oncall"])
    rota: Reference | None = Field(default=None, description="a rota's id or name, instead of a receiver")


class EscalationPolicyIn(Written):
    """Steps, each later than the one before, gone through once and then `repeat` times more."""

    steps: list[StepIn] = Field(min_length=1, max_length=MOST_STEPS)
    repeat: int = Field(default=0, ge=0, le=MOST_REPEATS)


class StepOut(BaseModel):
    after: str
    receiver: str | None
    rota: str | None


class EscalationPolicyOut(Shown):
    steps: list[StepOut]
    repeat: int


class EscalationPolicyShape(Shape[EscalationPolicy, EscalationPolicyIn, EscalationPolicyOut]):
    written, shown = EscalationPolicyIn, EscalationPolicyOut
    example: ClassVar[Document] = {
        "name": "on call, then the lead",
        "steps": [{"after": "0s", "receiver": "console"}, {"after": "15m", "receiver": "console"}],
        "repeat": 1,
    }
    patch_example: ClassVar[Document] = {"repeat": 2}

    async def read(
        self, ports: Ports, uow: UnitOfWork, document: EscalationPolicyIn, stored: EscalationPolicy | None
    ) -> EscalationPolicy:
        steps = [
            EscalationStep(
                step.after,
                await _id_of(uow.receivers, "receiver", step.receiver, f"/steps/{position}/receiver"),
                await _id_of(uow.rotas, "rota", step.rota, f"/steps/{position}/rota"),
            )
            for position, step in enumerate(document.steps)
        ]
        return EscalationPolicy(tuple(steps), document.repeat)

    async def show(self, uow: UnitOfWork, resource: Resource[EscalationPolicy], now: datetime) -> EscalationPolicyOut:
        names = {**await uow.receivers.named(), **await uow.rotas.named()}
        return EscalationPolicyOut(
            **identity(resource),
            steps=[
                StepOut(
                    after=format_duration(step.after),
                    receiver=names.get(step.receiver_id or ""),
                    rota=names.get(step.rota_id or ""),
                )
                for step in resource.spec.steps
            ],
            repeat=resource.spec.repeat,
        )


async def _id_of(store: Resources[Spec], noun: str, reference: str | None, pointer: str) -> str | None:
    if reference is None:
        return None
    try:
        return (await store.get(reference)).id
    except NotFound as error:
        raise Invalid(f"there is no {noun} {reference!r}", pointer) from error


router = configured_router("/escalation-policies", EscalationPolicies(), EscalationPolicyShape(), "Receivers")
