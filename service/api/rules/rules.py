"""`/v1/rules`: what fires besides budgets."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import datetime
from typing import Annotated, Any, ClassVar

from pydantic import Field, JsonValue

from service.api.http.configured import Document, ReadOnly, Shape, Shown, Written, configured_router, identity
from service.api.http.fields import Dollars, Duration, PercentOrMore, Reference, Strict
from service.api.rules.calibration import CalibrationOut, show_calibration
from service.api.rules.params import KindName, field_of, read_params, show_params
from service.api.spend.scopes import ForEach, ScopeIn, read_scope, show_scope
from service.domain.rules import registry
from service.domain.rules.registry import KINDS
from service.domain.rules.rule import Gates, Rule
from service.domain.values.parameters import parameters
from service.domain.values.resources import Resource
from service.domain.values.scopes import Dimension
from service.domain.values.severity import Severity
from service.workflows.configuration.rules import Rules, refuse_other_kind, require_history, require_spend
from service.workflows.configuration.spend import source_named
from service.workflows.ports.unit_of_work import Ports, UnitOfWork

ActiveDays = Annotated[int, Field(strict=True, ge=0, le=400)]
_GATES = parameters(Gates)


class GatesIn(Strict):
    """The gates that a finding must pass to fire. Those left out are as usual for the rule's kind."""

    min_amount: Annotated[Dollars | None, field_of(_GATES["min_amount"])] = None
    min_percent: Annotated[PercentOrMore | None, field_of(_GATES["min_percent"])] = None
    min_active_days: Annotated[ActiveDays | None, field_of(_GATES["min_active_days"])] = None
    pending_for: Annotated[Duration | None, field_of(_GATES["pending_for"])] = None
    keep_firing_for: Annotated[Duration | None, field_of(_GATES["keep_firing_for"])] = None
    resolve_percent: Annotated[PercentOrMore | None, field_of(_GATES["resolve_percent"])] = None


class GatesOut(Strict):
    min_amount: Dollars
    min_percent: PercentOrMore
    min_active_days: int
    pending_for: Duration
    keep_firing_for: Duration
    resolve_percent: PercentOrMore | None


class RuleIn(Written):
    """A kind with its parameters, where it looks, and the gates before it may fire."""

    source: Reference | None = Field(
        default=None, description="a source's id or name; may be left out while there is one"
    )
    kind: KindName
    scope: ScopeIn = ScopeIn()
    for_each: ForEach | None = Field(default=None, description="judged for every member, also later ones")
    severity: Severity = Severity.WARNING
    enabled: bool = Field(default=True, strict=True)
    params: dict[str, JsonValue] = Field(default={}, description="those of the kind: `GET /v1/rule-kinds`")
    gates: GatesIn = GatesIn()
    calibration: ReadOnly = None


class RuleOut(Shown):
    source: str
    kind: KindName
    scope: ScopeIn
    for_each: ForEach | None
    severity: Severity
    enabled: bool
    params: dict[str, Any]
    gates: GatesOut
    calibration: CalibrationOut | None = Field(
        description="of a rule of kind `anomaly` once 60 days of its source are known; null before"
    )


class RuleShape(Shape[Rule[object], RuleIn, RuleOut]):
    written, shown = RuleIn, RuleOut
    example: ClassVar[Document] = {
        "name": "unusual spend",
        "kind": "change",
        "scope": {"workspaces": [], "models": [], "api_keys": [], "actors": [], "products": []},
        "for_each": "workspace",
        "severity": "warning",
        "params": {"against": "trailing_median", "days": 28, "direction": "up"},
        "gates": {"min_amount": "20.00", "min_percent": 30, "min_active_days": 10, "pending_for": "0s"},
        "labels": {"team": "eng"},
    }
    patch_example: ClassVar[Document] = {"gates": {"min_amount": "50.00"}}

    async def read(self, ports: Ports, uow: UnitOfWork, document: RuleIn, stored: Rule[object] | None) -> Rule[object]:
        if stored is not None:
            refuse_other_kind(stored, document.kind)
        name = document.source or (stored.source_id if stored else None)
        source = await source_named(uow, name, "/source")
        rule = Rule(
            source_id=source.id,
            kind=document.kind,
            params=read_params(document.kind, document.params),
            scope=await read_scope(uow, source.id, document.scope, stored.scope if stored else None),
            for_each=Dimension(document.for_each) if document.for_each else None,
            severity=document.severity,
            gates=read_gates(document.kind, document.gates),
            enabled=document.enabled,
        )
        await require_sense(uow, rule, stored, ports.clock())
        return rule

    async def show(self, uow: UnitOfWork, resource: Resource[Rule[object]], now: datetime) -> RuleOut:
        spec = resource.spec
        made = (await uow.calibrations.of([resource.id])).get(resource.id)
        return RuleOut(
            **identity(resource),
            source=(await uow.sources.named())[spec.source_id],
            kind=spec.kind,
            scope=await show_scope(uow, spec.source_id, spec.scope),
            for_each=ForEach(spec.for_each) if spec.for_each else None,
            severity=spec.severity,
            enabled=spec.enabled,
            params=show_params(spec.kind, spec.params),
            gates=show_gates(spec.gates),
            calibration=None if made is None else show_calibration(made),
        )


async def require_sense(uow: UnitOfWork, rule: Rule[object], stored: Rule[object] | None, now: datetime) -> None:
    """Raises Invalid for what the stored spend cannot serve. Only what differs from before is held against the rule."""
    registry.validate(rule)
    if stored is None or stored.scope != rule.scope:
        await require_spend(uow, rule.source_id, rule.scope, now)
    await require_history(uow, rule, stored.params if stored else KINDS[rule.kind].params(), now)


def read_gates(kind: str, document: GatesIn) -> Gates:
    """The kind's own gates where the document says nothing."""
    said = {name: value for name, value in document if value is not None}
    return replace(KINDS[kind].gates, **said)


def show_gates(gates: Gates) -> GatesOut:
    return GatesOut.model_construct(**{field.name: getattr(gates, field.name) for field in fields(gates)})


router = configured_router("/rules", Rules(), RuleShape(), "Rules")
