"""`/v1/escalation-policies`: who is notified next while nobody acknowledges."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

from pydantic import BaseModel, Field

from service.api.http.configured import Document, Shape, Shown, Written, configured_router, identity
from service.api.http.fields import Duration, Reference, Strict
from service.api.notify.addressees import OWNER, read_addressee, receivers_by_reference
from service.domain.notify.escalation import MOST_REPEATS, MOST_STEPS, EscalationPolicy, EscalationStep
from service.domain.values.durations import format_duration
from service.domain.values.errors import Invalid, NotFound
from service.domain.values.resources import Resource
from service.workflows.configuration.notify import EscalationPolicies
from service.workflows.ports.unit_of_work import Ports, UnitOfWork


class StepIn(Strict):
    """Who is notified unless somebody has acted by then: either a receiver, or whoever is on call by a rota."""

    after: Duration = Field(description="counted from the alert's first notification", examples=["15m"])
    receiver: Reference | None = Field(
        default=None,
        description="a receiver's id or name; `owner`: whoever owns what the alert is about",
        examples=["eng-oncall"],
    )
    fallback: Reference | None = Field(
        default=None, description="with `owner`: the receiver of alerts about what nobody owns"
    )
    rota: Reference | None = Field(default=None, description="a rota's id or name, instead of a receiver")


class EscalationPolicyIn(Written):
    """Steps, each later than the one before, gone through once and then `repeat` times more."""

    steps: list[StepIn] = Field(min_length=1, max_length=MOST_STEPS)
    repeat: int = Field(default=0, ge=0, le=MOST_REPEATS)


class StepOut(BaseModel):
    after: str
    receiver: str | None
    fallback: str | None
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
        receivers = await receivers_by_reference(uow)
        steps = [
            await _read_step(uow, receivers, step, f"/steps/{position}") for position, step in enumerate(document.steps)
        ]
        return EscalationPolicy(tuple(steps), document.repeat)

    async def show(self, uow: UnitOfWork, resource: Resource[EscalationPolicy], now: datetime) -> EscalationPolicyOut:
        names = {**await uow.receivers.named(), **await uow.rotas.named()}
        return EscalationPolicyOut(
            **identity(resource),
            steps=[_show_step(step, names) for step in resource.spec.steps],
            repeat=resource.spec.repeat,
        )


async def _read_step(uow: UnitOfWork, receivers: Mapping[str, str], step: StepIn, pointer: str) -> EscalationStep:
    rota_id = await _rota_id(uow, step.rota, f"{pointer}/rota") if step.rota is not None else None
    if step.receiver is None:
        if step.fallback is not None:
            raise Invalid("only the receiver `owner` has a fallback", f"{pointer}/fallback")
        return EscalationStep(step.after, rota_id=rota_id)
    addressee = read_addressee(receivers, step.receiver, step.fallback, pointer)
    return EscalationStep(step.after, addressee.receiver_id, rota_id, addressee.to_owner)


async def _rota_id(uow: UnitOfWork, reference: str, pointer: str) -> str:
    try:
        return (await uow.rotas.get(reference)).id
    except NotFound as error:
        raise Invalid(f"there is no rota {reference!r}", pointer) from error


def _show_step(step: EscalationStep, names: Mapping[str, str]) -> StepOut:
    receiver = names.get(step.receiver_id or "")
    return StepOut(
        after=format_duration(step.after),
        receiver=OWNER if step.to_owner else receiver,
        fallback=receiver if step.to_owner else None,
        rota=names.get(step.rota_id or ""),
    )


router = configured_router("/escalation-policies", EscalationPolicies(), EscalationPolicyShape(), "Receivers")
