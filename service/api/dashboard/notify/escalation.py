"""`/pages/escalation`: who is notified next while nobody acknowledges."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter
from fastapi.responses import Response

from service.api.dashboard.documents.controls import Control, ControlKind, Document, Parts, Rows
from service.api.dashboard.documents.listing import PAGE, ResourceLine, ResourceListing
from service.api.dashboard.documents.pages import ResourcePages, editing_router
from service.api.dashboard.notify.choices import OWNER_CHOICE, fallback, named
from service.api.dashboard.notify.frame import AREAS, ESCALATION, PLACE
from service.api.dashboard.paging import OLDEST_FIRST, AskedPartDep, sorted_out
from service.api.dashboard.scope_controls import LABELS
from service.api.dashboard.session import SignedInDep
from service.api.http.deps import UowDep
from service.api.notify.escalation_policies import EscalationPolicyShape
from service.domain.notify.escalation import MOST_REPEATS, EscalationPolicy
from service.domain.values.durations import format_duration
from service.domain.values.resources import Resource
from service.workflows.configuration.notify import EscalationPolicies
from service.workflows.ports.unit_of_work import UnitOfWork

router = APIRouter(include_in_schema=False)

_LISTING = ResourceListing(
    heading="Escalation policies",
    about="Who is notified next while nobody acknowledges. A route names the policy that it begins.",
    path=ESCALATION,
    noun="escalation policy",
    none="There is none: a route notifies its receiver, and nobody after it.",
    place=PLACE,
    areas=AREAS,
)


@router.head(ESCALATION)  # probes ask so
@router.get(ESCALATION)
async def list_policies(caller: SignedInDep, uow: UowDep, part: AskedPartDep) -> Response:
    page = await uow.policies.page(limit=PAGE, cursor=part.cursor)
    found = sorted_out(page)
    names = {**await uow.receivers.named(), **await uow.rotas.named()}
    lines = [_line(one, names) for one in found.readable]
    return _LISTING.page(caller, lines, found.unreadable, part.links(ESCALATION, page, OLDEST_FIRST))


def _line(policy: Resource[EscalationPolicy], names: Mapping[str, str]) -> ResourceLine:
    steps = [
        f"after {format_duration(step.after)}: {names.get(step.receiver_id or step.rota_id or '', 'somebody deleted')}"
        f"{', on call' if step.rota_id else ''}{' where nobody owns it, else its owner' if step.to_owner else ''}"
        for step in policy.spec.steps
    ]
    again = [f"then {policy.spec.repeat} times more"] if policy.spec.repeat else []
    return ResourceLine(policy.name, f"{ESCALATION}/{policy.id}/edit", [*steps, *again])


async def _parts(uow: UnitOfWork, document: Document) -> Parts:
    receivers, rotas = await named(uow.receivers, "nobody"), await named(uow.rotas, "no rota")
    columns = (
        Control("/after", "After", hint="Such as 0s, 15m or 1h, from the first notification."),
        Control("/receiver", "Receiver", ControlKind.CHOICE, choices=[*receivers, OWNER_CHOICE]),
        await fallback(uow.receivers),
        Control("/rota", "Or whoever is on call by", ControlKind.CHOICE, choices=rotas),
    )
    return (
        Control("/name", "Name", is_required=True),
        Rows("/steps", "Steps", "Step", lambda _: columns, spare=2),
        Control("/repeat", "Gone through again", ControlKind.NUMBER, f"How often, 0 to {MOST_REPEATS}."),
        LABELS,
    )


def _fresh(_: Mapping[str, str]) -> Document:
    return {}


editing = editing_router(
    ResourcePages(
        path=ESCALATION,
        place=PLACE,
        kind=EscalationPolicies(),
        shape=EscalationPolicyShape(),
        parts=_parts,
        fresh=_fresh,
        leads_to=lambda _: ESCALATION,
        advice="It ends as soon as somebody acknowledges, snoozes or resolves the alert.",
    )
)
