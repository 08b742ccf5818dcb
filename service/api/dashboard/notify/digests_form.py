"""Creating, changing and deleting a digest by forms."""

from __future__ import annotations

from collections.abc import Mapping

from service.api.dashboard.documents.controls import Control, ControlKind, Document, Parts
from service.api.dashboard.documents.pages import ResourcePages, editing_router
from service.api.dashboard.notify.choices import fallback, named
from service.api.dashboard.notify.frame import DIGESTS, PLACE
from service.api.dashboard.scope_controls import LABELS, SCOPE, source_controls
from service.api.digests.digests import DigestShape
from service.api.notify.addressees import OWNER
from service.domain.digests.digest import DigestContent
from service.domain.digests.periods import DigestPeriod
from service.domain.values.periods import Weekday
from service.workflows.configuration.notify import Digests
from service.workflows.ports.unit_of_work import UnitOfWork

PERIODS: Mapping[DigestPeriod, str] = {
    DigestPeriod.PREVIOUS_DAY: "the day before",
    DigestPeriod.PREVIOUS_WEEK: "the week before",
    DigestPeriod.PREVIOUS_MONTH: "the month before",
    DigestPeriod.PREVIOUS_QUARTER: "the quarter before",
    DigestPeriod.PREVIOUS_YEAR: "the year before",
    DigestPeriod.SINCE_PREVIOUS: "the time since the digest before",
}
CONTENTS: Mapping[DigestContent, str] = {
    DigestContent.SPEND: "where the money went",
    DigestContent.USAGE: "what was used: tokens by model, with a CSV file",
}
OWNERS = (OWNER, "the owners, each their share")
_CRON_HINT = (
    "The days, and the time on a 24-hour clock. For other times choose the cron text: minute, hour, day of the month,"
    " month, weekday, such as 0 9 1 */3 *, on the first of each quarter."
)


async def _parts(uow: UnitOfWork, document: Document) -> Parts:
    receivers = await named(uow.receivers)
    periods = [("", "what its schedule means"), *((one.value, words) for one, words in PERIODS.items())]
    contents = [(one.value, words) for one, words in CONTENTS.items()]
    weekdays = [(day.value, day.value.capitalize()) for day in Weekday]
    return (
        Control("/name", "Name", hint="Such as weekly spend.", is_required=True),
        Control("/receiver", "Sent to", ControlKind.CHOICE, "Channels that page get none.", [*receivers, OWNERS]),
        await fallback(uow.receivers),
        Control("/cron", "Schedule", ControlKind.SCHEDULE, _CRON_HINT, is_required=True),
        Control("/timezone", "On the clock of", hint="An IANA zone such as Europe/Berlin. Empty: UTC."),
        Control("/content", "It says", ControlKind.CHOICE, choices=contents),
        Control("/period", "It is about", ControlKind.CHOICE, choices=periods),
        Control("/week_start", "A week begins on", ControlKind.CHOICE, choices=weekdays),
        *await source_controls(uow, {}),  # unlike a budget it may go over to another organisation
        *SCOPE,
        LABELS,
        Control("/enabled", "Send this digest", ControlKind.TICK),
    )


def _fresh(_: Mapping[str, str]) -> Document:
    return {"cron": "0 9 * * 1", "timezone": "UTC", "content": "spend", "week_start": "monday", "enabled": True}


editing = editing_router(
    ResourcePages(
        path=DIGESTS,
        place=PLACE,
        kind=Digests(),
        shape=DigestShape(),
        parts=_parts,
        fresh=_fresh,
        leads_to=lambda digest: f"{DIGESTS}/{digest.id}",
        advice="After saving, its page shows what it would say now.",
    )
)
