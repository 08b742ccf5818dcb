"""Adding a source, and changing one."""

from __future__ import annotations

from collections.abc import Mapping

from service.api.dashboard.documents.controls import Control, ControlKind, Document, Parts
from service.api.dashboard.documents.pages import ResourcePages, editing_router
from service.api.dashboard.sources.listing import PLACE
from service.api.sources.kinds import ShownKind
from service.api.sources.sources import CLAUDE_API, SourceShape
from service.domain.sources.source import People, ReportFamily
from service.domain.values.public_holidays import countries
from service.workflows.configuration.spend import Sources
from service.workflows.ports.unit_of_work import UnitOfWork

KEY = Control(
    "/admin_key",
    "Admin API key",
    ControlKind.SECRET,
    "It begins with sk-ant-admin. An admin of the organisation makes one in the Claude Console: Settings, Admin keys."
    " It is stored encrypted and never shown again.",
    is_required=True,
)
BASE_URL = Control("/base_url", "Address of the API", hint=f"{CLAUDE_API}, or a proxy of yours in front of it.")
_KINDS = (
    (ShownKind.CLAUDE_ADMIN.value, "Claude, by the Admin reports: minutes late"),
    (ShownKind.CLAUDE_ANALYTICS.value, "Claude, by the Analytics reports: every API key billed"),
    (ShownKind.SIMULATOR.value, "Simulator: invented data"),
)
_FAMILIES = (
    ("", "the reports of its kind"),
    (ReportFamily.ADMIN.value, "the Admin reports"),
    (ReportFamily.ANALYTICS.value, "the Analytics reports"),
)
PEOPLE: Mapping[People, str] = {
    People.OFF: "nothing is kept of them",
    People.HASHED: "kept without their names, each as a code",
    People.NAMES: "kept with their names",
}
PEOPLE_HINT = (
    "The Analytics reports name them. To keep nothing of them any more erases what was kept; any change reads the last"
    " 35 days again."
)
COMMITMENT = (
    Control(
        "/priority_commitment/tokens",
        "Priority Tier: tokens committed to a month",
        ControlKind.NUMBER,
        "Input and output alike. Give these or the dollars; leave both empty without a commitment.",
    ),
    Control("/priority_commitment/usd", "or US dollars", hint="Such as 20000.00"),
)


async def source_parts(_: UnitOfWork, document: Document) -> Parts:
    people = [(one.value, words) for one, words in PEOPLE.items()]
    known = [("", "not known: no holidays"), *((code, code) for code in sorted(countries()))]
    return (
        Control("/name", "Name", hint="As messages call it, such as production.", is_required=True),
        KEY,
        Control("/kind", "Kind", ControlKind.CHOICE, choices=_KINDS, is_required=True),
        BASE_URL,
        Control("/prefer", "Figures come from", ControlKind.CHOICE, choices=_FAMILIES),
        Control("/poll_interval", "Polled every", hint="From 1m to 1d."),
        Control("/timezone", "Time zone of office hours", hint="An IANA zone such as Europe/Berlin. Empty: learnt."),
        Control("/country", "Country of public holidays", ControlKind.CHOICE, choices=known),
        Control("/subdivision", "Part of the country", hint="One with holidays of its own, such as BY."),
        Control("/people", "People", ControlKind.CHOICE, PEOPLE_HINT, people),
        Control("/claude_code", "Read people's use of Claude Code, too: off forgets it", ControlKind.TICK),
        *COMMITMENT,
        Control("/labels", "Labels", ControlKind.PAIRS, "One a line, such as team=platform. Routes match them."),
        Control("/enabled", "Poll this source", ControlKind.TICK),
    )


def _fresh(_: Mapping[str, str]) -> Document:
    return {"kind": "claude_admin", "base_url": CLAUDE_API, "poll_interval": "5m", "enabled": True}


router = editing_router(
    ResourcePages(
        path=PLACE,
        place="Sources",
        kind=Sources(),
        shape=SourceShape(),
        parts=source_parts,
        fresh=_fresh,
        leads_to=lambda source: f"{PLACE}/{source.id}",
        advice="A changed key or address is tried at once. Where the address changes, the key has to be sent again.",
    )
)
