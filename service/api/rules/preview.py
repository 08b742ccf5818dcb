"""`POST /v1/rules/preview`: what a rule would say now. Nothing is written, nobody is notified."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Body
from fastapi.responses import Response
from pydantic import BaseModel, Discriminator, Field, Tag

from service.api.alerts.documents import ContributionOut, show_parts
from service.api.alerts.evidence.rule import InputOut, show_inputs
from service.api.http.deps import NowDep, PortsDep, UowDep, viewer
from service.api.http.fields import Name, Reference, Strict, Usd
from service.api.http.responses import respond
from service.api.rules.rules import RuleIn, RuleShape
from service.domain.rules.incidents import Incident
from service.domain.rules.rule import GateVerdict, Rule, Verdict
from service.domain.rules.wording import approximate
from service.domain.values.errors import Invalid, NotFound
from service.domain.values.names import describe_scope
from service.domain.values.resources import Resource, new_id
from service.domain.values.scopes import ScopeKey
from service.domain.values.severity import Severity
from service.workflows.configuration.rules import Rules
from service.workflows.ports.unit_of_work import Ports, UnitOfWork
from service.workflows.rules.ruling import Preview, preview

router = APIRouter(prefix="/v1/rules/preview", tags=["Rules"])


class StoredRule(Strict):
    rule: Reference = Field(description="the id or name of a stored rule")


class UnstoredRule(RuleIn):
    name: Name = "preview"


def _form(document: object) -> str:
    named = "rule" in document if isinstance(document, dict) else isinstance(document, StoredRule)
    return "stored" if named else "unstored"


PreviewIn = Annotated[
    Annotated[StoredRule, Tag("stored")] | Annotated[UnstoredRule, Tag("unstored")], Discriminator(_form)
]


class GateOut(BaseModel):
    """One gate's answer, and the two numbers it compared."""

    gate: str = Field(examples=["min_amount"])
    passed: bool
    found: str
    needed: str


class VerdictOut(BaseModel):
    """One scope. `candidate`: the rule itself objects; it fires where every gate passed, too. Null is not known."""

    scope: str = Field(examples=["workspace:wrkspc_01"])
    name: str
    rings: bool
    candidate: bool
    actual: Usd | None
    expected: Usd | None
    excess: Usd | None
    excess_percent: float | None = Field(description="null where nothing was expected, or it is not known")
    unit: str
    cause: str
    inputs: list[InputOut]
    gates: list[GateOut]


class IncidentOut(BaseModel):
    """The content of one alert: the highest scope that fires, and the parts of its excess."""

    scope: str
    name: str
    severity: Severity
    severity_reason: str = Field(description="in a few words; empty where there is nothing to say of it")
    actual: Usd | None
    expected: Usd | None
    excess: Usd | None
    cause: str
    contributions: list[ContributionOut]


class DefectOut(BaseModel):
    """A scope that could not be judged, and what the defect said."""

    scope: str
    error: str


class PreviewOut(BaseModel):
    at: datetime
    rings: list[IncidentOut] = Field(description="the alerts that would be open if none were, the largest excess first")
    verdicts: list[VerdictOut]
    failed: list[DefectOut] = Field(description="scopes that a defect kept from being judged: please report it")


def show_usd(value: float) -> str | None:
    return str(approximate(value)) if math.isfinite(value) else None


def show_gate(gate: GateVerdict) -> GateOut:
    return GateOut(gate=gate.gate, passed=gate.passed, found=gate.found, needed=gate.needed)


def show_verdict(key: ScopeKey, name: str, verdict: Verdict) -> VerdictOut:
    seen = verdict.observation
    return VerdictOut(
        scope=str(key),
        name=name,
        rings=verdict.fires,
        candidate=seen.candidate,
        actual=show_usd(seen.actual),
        expected=show_usd(seen.expected),
        excess=show_usd(seen.excess),
        excess_percent=round(seen.excess_percent, 2) if math.isfinite(seen.excess_percent) else None,
        unit=seen.unit,
        cause=seen.cause,
        inputs=show_inputs(seen.inputs),
        gates=[show_gate(gate) for gate in verdict.gates],
    )


def show_incident(incident: Incident, name: str, severity: Severity) -> IncidentOut:
    seen = incident.verdict.observation
    return IncidentOut(
        scope=str(incident.scope),
        name=name,
        severity=seen.severity or severity,
        severity_reason=seen.because,
        actual=show_usd(seen.actual),
        expected=show_usd(seen.expected),
        excess=show_usd(seen.excess),
        cause=seen.cause,
        contributions=show_parts(incident.contributions, approximate(seen.excess)),
    )


def show_preview(found: Preview, rule: Rule[object]) -> PreviewOut:
    names = {key: describe_scope(rule.scope, key, found.view.names) for key in found.verdicts}
    return PreviewOut(
        at=found.view.as_of,
        rings=[show_incident(one, names[one.found], rule.severity) for one in found.firing],
        verdicts=[show_verdict(key, names[key], found.verdicts[key]) for key in sorted(found.verdicts, key=str)],
        failed=[DefectOut(scope=str(key), error=error) for key, error in found.failed.items()],
    )


async def read_rule(
    uow: UnitOfWork, ports: Ports, document: StoredRule | UnstoredRule, now: datetime
) -> Resource[Rule[object]]:
    """The rule to judge. Raises Invalid, as creating it would."""
    if isinstance(document, StoredRule):
        try:
            return await uow.rules.get(document.rule)
        except NotFound as error:
            raise Invalid(str(error), "/rule") from error
    spec = await RuleShape().read(ports, uow, document, None)
    await Rules().validate(uow, spec, None)
    return Resource(new_id(Rules.prefix, now), document.name, 1, now, now, document.labels, spec)


@router.post("", summary="What a rule would say now", response_model=PreviewOut, dependencies=[viewer])
async def preview_(
    uow: UowDep,
    ports: PortsDep,
    now: NowDep,
    document: Annotated[
        PreviewIn,
        Body(
            openapi_examples={
                "stored": {"value": {"rule": "unusual spend"}},
                "unstored": {"value": {"kind": "change", "params": {"against": "same_weekday"}}},
            }
        ),
    ],
) -> Response:
    rule = await read_rule(uow, ports, document, now)
    return respond(show_preview(await preview(uow, rule, now), rule.spec))
