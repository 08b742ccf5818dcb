"""Requests from Slack, each accepted once: signed ones over HTTP, envelopes over Socket Mode."""

from __future__ import annotations

from dataclasses import dataclass

from service.domain.access import KeptAnswer
from service.domain.slack.requests import SlackRole
from service.domain.slack.signatures import Refusal, verify
from service.domain.values.errors import NotFound
from service.workflows.access.refusals import SLACK_REFUSED, note_refusal
from service.workflows.configuration.engine import Author
from service.workflows.ports.channels import SlackReplies
from service.workflows.ports.platform import Clock
from service.workflows.ports.unit_of_work import Ports, UnitOfWork

CALLER = "slack"
"""Stands for a token's id where accepted requests are remembered."""
_SEEN = KeptAnswer(request_digest="", status=200, body="")


@dataclass(frozen=True, slots=True)
class SlackAccess:
    """How people in Slack get access. `now` is real time, with which Slack stamps its requests.

    Without a `signing_secret` no request over HTTP is accepted.
    """

    default_role: SlackRole
    signing_secret: str | None
    replies: SlackReplies
    now: Clock


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request as it was received: its raw body, and Slack's two headers, empty where they were not sent.

    `address` is where it came from.
    """

    body: bytes
    timestamp: str
    signature: str
    address: str = ""


async def run_accept_request(ports: Ports, access: SlackAccess, request: SignedRequest) -> Refusal | None:
    """Accepts a request from Slack once; returns why it is refused. Raises NotFound where no secret is set."""
    if access.signing_secret is None:
        raise NotFound(
            "Slack's requests cannot be verified: set TOCSIN_SLACK_SIGNING_SECRET to the signing secret of"
            " your Slack app, or use Socket Mode (TOCSIN_SLACK_APP_TOKEN)"
        )
    refusal = verify(access.signing_secret, request.timestamp, request.body, request.signature, access.now())
    async with ports.uow() as uow:
        if refusal is None and not await _is_first(uow, f"{request.timestamp}:{request.signature}"):
            refusal = Refusal.REPLAYED
        if refusal is not None:
            author = Author(CALLER, ports.clock(), address=request.address)
            await note_refusal(uow, author, SLACK_REFUSED, "request", f"a request was refused: {refusal}")
    return refusal


async def run_is_new_envelope(ports: Ports, access: SlackAccess, envelope_id: str) -> bool:
    """Whether no replica has seen an envelope of Socket Mode before."""
    async with ports.uow() as uow:
        return await _is_first(uow, f"envelope:{envelope_id}")


async def _is_first(uow: UnitOfWork, key: str) -> bool:
    if await uow.idempotency.find(CALLER, key) is not None:
        return False
    await uow.idempotency.keep(CALLER, key, _SEEN)
    return True
