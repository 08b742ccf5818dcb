"""API tokens: created, authenticated, revoked."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime
from typing import TYPE_CHECKING

import structlog

from service.domain.access import Caller, Role, Token
from service.domain.values.errors import Conflict
from service.domain.values.lookalikes import TakenNames, require_visible
from service.domain.values.resources import new_id
from service.workflows.access.refusals import REQUEST_REFUSED, note_refusal
from service.workflows.configuration.engine import SYSTEM, Author, Difference, record
from service.workflows.ports.access import AccessUnit

if TYPE_CHECKING:  # all that the product stores: a command about tokens needs little of it
    from service.workflows.ports.unit_of_work import Ports

log = structlog.get_logger(__name__)

PREFIX = "tcn_"
LONGEST = 500


def new_secret() -> str:
    """Returns a token's text: 256 random bits after the prefix."""
    return PREFIX + secrets.token_urlsafe(32)


def digest_of(secret: str) -> str:
    # A fast hash is right here: the secret is random, so guessing it is hopeless at any speed.
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


async def run_authenticate(ports: Ports, secret: str, attempt: str = "", address: str = "") -> Token | None:
    """Returns the live token of this text, None where there is none. What a revoked one attempts is on record."""
    if len(secret) > LONGEST:
        return None
    digest = digest_of(secret)
    async with ports.uow() as uow:
        token = await uow.tokens.find(digest)
        if token is None or not hmac.compare_digest(token.digest, digest):
            return None
        if token.revoked_at is None:
            return token
        caller = Author(token.actor, ports.clock(), token.id, address)
        revoked = f"the token {token.name!r} was revoked at {token.revoked_at:%Y-%m-%d %H:%M} UTC"
        await note_refusal(uow, caller, REQUEST_REFUSED, attempt, revoked)
        return None


async def create_token(uow: AccessUnit, name: str, role: Role, secret: str, author: Author) -> Token:
    """Raises Conflict where a live token has the name or one that looks like it: the audit log knows people by it."""
    names = [token.name for token in await _all_tokens(uow) if token.revoked_at is None]
    if name in names:
        raise Conflict(f"There is a token named {name!r} already")
    require_visible(name)
    TakenNames(names).require_unlike(name)
    token = Token(
        id=new_id("tok", author.at),
        name=name,
        role=role,
        digest=digest_of(secret),
        hint=f"...{secret[-4:]}",
        created_at=author.at,
    )
    await uow.tokens.add(token)
    shown = {"name": name, "role": role.value, "hint": token.hint}
    await record(uow, author, "token.create", token.id, f"named {name!r}, role {role}", Difference(after=shown))
    return token


async def _all_tokens(uow: AccessUnit) -> list[Token]:
    """Includes the revoked ones."""
    page = await uow.tokens.page(limit=500, cursor=None)
    tokens = list(page.items)
    while page.next is not None:
        page = await uow.tokens.page(limit=500, cursor=page.next)
        tokens += page.items
    return tokens


async def revoke_token(uow: AccessUnit, token_id: str, caller: Caller, author: Author) -> None:
    """Raises NotFound, and Conflict for the caller's own token: somebody with an admin token always remains."""
    if token_id == caller.id:
        raise Conflict("A token cannot revoke itself; use another admin token")
    await end_token(uow, token_id, author)


async def end_token(uow: AccessUnit, token_id: str, author: Author) -> datetime:
    """Revokes a token. Returns since when it is revoked. Raises NotFound."""
    since = await uow.tokens.revoke(token_id, author.at)
    before = None if since == author.at else since.isoformat()
    change = Difference({"revoked_at": before}, {"revoked_at": since.isoformat()})
    await record(uow, author, "token.revoke", token_id, "revoked", change)
    return since


async def run_first_token(ports: Ports, given: str | None) -> str | None:
    """Stores the admin token that the environment gives, or creates one where there is no token at all.

    Returns a created token's text, to be printed once. A token of the environment that has been revoked stays
    revoked: whoever revoked it may not control the environment.
    """
    author = Author(SYSTEM, ports.clock())
    async with ports.uow() as uow:
        await uow.become_only_writer()
        if given is not None:
            await _store_given(uow, given, author)
            return None
        if (await uow.tokens.page(limit=1, cursor=None)).items:
            return None
        secret = new_secret()
        await create_token(uow, "first admin", Role.ADMIN, secret, author)
        return secret


async def _store_given(uow: AccessUnit, given: str, author: Author) -> None:
    """Creates the environment's token unless it is stored."""
    alike = [token for token in await _all_tokens(uow) if token.digest == digest_of(given)]
    if not alike:
        await create_token(uow, f"environment {digest_of(given)[:8]}", Role.ADMIN, given, author)
    elif alike[0].revoked_at is not None:
        log.warning("environment_token_revoked", token_id=alike[0].id, name=alike[0].name)
