"""Who comes in from Slack: signed requests over HTTP, envelopes over Socket Mode, and each of them once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from service.domain.access import KeptAnswer
from service.domain.slack.requests import SlackRole
from service.domain.slack.signatures import Refusal, verify
from service.domain.values.errors import NotFound
from service.workflows.configuration.engine import Author, record
from service.workflows.ports.channels import SlackReplies
from service.workflows.ports.platform import Clock
from service.workflows.ports.unit_of_work import Ports, UnitOfWork

CALLER = "slack"
"""In place of a token's id, where what was seen is remembered."""
REFUSED = "slack.refused"
"""The audit log's action for a refused request."""
MOST_REFUSALS = 30
"""A minute: strangers must not be able to fill the audit log."""
_SEEN = KeptAnswer(request_digest="", status=200, body="")


@dataclass(frozen=True, slots=True)
class SlackDoor:
    """How people in Slack come in. `now` is real time, with which Slack stamps its requests.

    Without a `signing_secret` nobody comes in over HTTP.
    """

    default_role: SlackRole
    signing_secret: str | None
    replies: SlackReplies
    now: Clock


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request as it came: its raw body, and Slack's two headers, empty where they were not sent."""

    body: bytes
    timestamp: str
    signature: str


async def run_admit(ports: Ports, door: SlackDoor, request: SignedRequest) -> Refusal | None:
    """Lets a request of Slack's in, once. Raises NotFound where there is no secret to know it by."""
    if door.signing_secret is None:
        raise NotFound(
            "Slack's requests cannot be told from others: set TOCSIN_SLACK_SIGNING_SECRET to the signing secret of"
            " your Slack app, or use Socket Mode (TOCSIN_SLACK_APP_TOKEN)"
        )
    refusal = verify(door.signing_secret, request.timestamp, request.body, request.signature, door.now())
    async with ports.uow() as uow:
        if refusal is None and not await _is_first(uow, f"{request.timestamp}:{request.signature}", _now(ports, door)):
            refusal = Refusal.REPLAYED
        if refusal is not None:
            await _note_refusal(uow, refusal, ports.clock())
    return refusal


async def run_first_time(ports: Ports, door: SlackDoor, envelope_id: str) -> bool:
    """Whether an envelope of Socket Mode was never seen before, by any replica."""
    async with ports.uow() as uow:
        return await _is_first(uow, f"envelope:{envelope_id}", _now(ports, door))


def _now(ports: Ports, door: SlackDoor) -> datetime:
    """Returns the later of both clocks: keys are kept for a day, and in drills business time runs faster."""
    return max(ports.clock(), door.now())


async def _is_first(uow: UnitOfWork, key: str, now: datetime) -> bool:
    if await uow.idempotency.find(CALLER, key, now) is not None:
        return False
    await uow.idempotency.keep(CALLER, key, _SEEN, now)
    return True


async def _note_refusal(uow: UnitOfWork, refusal: Refusal, now: datetime) -> None:
    """Into the audit log, unless the last minute has filled it already."""
    newest = (await uow.audit.page(limit=MOST_REFUSALS, cursor=None)).items
    flooded = len(newest) == MOST_REFUSALS and all(
        event.action == REFUSED and event.at > now - timedelta(minutes=1) for event in newest
    )
    if not flooded:
        await record(uow, Author(CALLER, now), REFUSED, "request", f"a request was refused: {refusal}")
