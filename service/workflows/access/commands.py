"""The commands of an operator about tokens."""

from __future__ import annotations

from datetime import datetime

from service.domain.access import Role, Token
from service.workflows.access.tokens import create_token, end_token, new_secret
from service.workflows.configuration.engine import Author
from service.workflows.ports.access import AccessPorts

COMMAND_LINE = "command line"
"""The audit log's actor for commands."""


async def run_create_token(ports: AccessPorts, name: str, role: Role) -> tuple[Token, str]:
    """Returns the new token and its secret, which is shown once."""
    secret = new_secret()
    async with ports.uow() as uow:
        return await create_token(uow, name, role, secret, Author(COMMAND_LINE, ports.clock())), secret


async def run_list_tokens(ports: AccessPorts) -> tuple[Token, ...]:
    async with ports.uow() as uow:
        return (await uow.tokens.page(limit=500, cursor=None)).items


async def run_revoke_token(ports: AccessPorts, token_id: str) -> datetime:
    """Returns since when it is revoked. Raises NotFound."""
    now = ports.clock()
    async with ports.uow() as uow:
        return await end_token(uow, token_id, Author(COMMAND_LINE, now))
