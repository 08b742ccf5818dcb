"""People's browsers sign in with a token, and are known by a signed cookie from then on."""

from __future__ import annotations

from service.domain.access import SESSION_LASTS, Session, Token
from service.workflows.access.tokens import run_authenticate
from service.workflows.ports.unit_of_work import Ports

LONGEST = 200


async def run_sign_in(ports: Ports, secret: str, attempt: str, address: str) -> str | None:
    """Returns the signed text of a new session, None where no live token has this text."""
    token = await run_authenticate(ports, secret, attempt, address)
    if token is None:
        return None
    text = str(Session(token.id, ports.clock() + SESSION_LASTS))
    return f"{text}.{ports.signer.sign(text)}"


async def run_session(ports: Ports, signed: str) -> Token | None:
    """Returns the token of a session; None for one that is over, forged, or whose token is revoked."""
    text, _, signature = signed[:LONGEST].partition(".")
    session = Session.parse(text)
    if session is None or not ports.signer.is_signed(text, signature) or not session.holds(ports.clock()):
        return None
    async with ports.uow() as uow:
        token = await uow.tokens.with_id(session.token_id)
    return token if token and token.revoked_at is None else None
