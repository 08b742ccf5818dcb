"""Browsers are known by a signed cookie once somebody has signed in, with a token or by an issuer."""

from __future__ import annotations

from service.domain.access import SESSION_LASTS, Caller, PersonSession, Session, Token
from service.workflows.access.people import person_of
from service.workflows.access.tokens import run_authenticate
from service.workflows.ports.unit_of_work import Ports

LONGEST = 2500


async def run_sign_in(ports: Ports, secret: str, attempt: str, address: str) -> str | None:
    """Returns the signed text of a new session, None where no live token has this text."""
    token = await run_authenticate(ports, secret, attempt, address)
    if token is None:
        return None
    text = str(Session(token.id, ports.clock() + SESSION_LASTS))
    return f"{text}.{ports.signer.sign(text)}"


async def run_session(ports: Ports, signed: str) -> Caller | None:
    """Returns who has a session; None for one that is over or forged, or who may not look any more."""
    text, _, signature = signed[:LONGEST].partition(".")
    if not ports.signer.is_signed(text, signature):  # before anything is read of it
        return None
    session = Session.parse(text) or PersonSession.parse(text)
    if session is None:
        return None
    return person_of(ports, session) if isinstance(session, PersonSession) else await _run_token_of(ports, session)


async def _run_token_of(ports: Ports, session: Session) -> Token | None:
    if not session.holds(ports.clock()):
        return None
    async with ports.uow() as uow:
        token = await uow.tokens.with_id(session.token_id)
    return token if token and token.revoked_at is None else None
