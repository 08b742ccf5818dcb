"""Tokens from the command line."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import TypeVar

from rich.console import Console

from service.bootstrap.access import open_access
from service.bootstrap.database import database, prepare
from service.cli.database.answering import while_it_answers
from service.cli.documents import as_json
from service.cli.starting import read_settings
from service.domain.access import Role, Token
from service.workflows.access.commands import run_create_token, run_list_tokens, run_revoke_token
from service.workflows.ports.access import AccessPorts

Result = TypeVar("Result")


def create(name: str, role: Role, out: Console) -> None:
    _, secret = _over_the_database(lambda ports: run_create_token(ports, name, role))
    out.print(secret, highlight=False, soft_wrap=True)


def create_as_json(name: str, role: Role, out: Console) -> None:
    """Writes what `POST /v1/tokens` answers: the secret is `token`."""
    token, secret = _over_the_database(lambda ports: run_create_token(ports, name, role))
    as_json(_shown(token) | {"token": secret}, out)


def show_all(out: Console) -> None:
    for token in _over_the_database(run_list_tokens):
        life = f"revoked {token.revoked_at:%Y-%m-%d}" if token.revoked_at else f"since {token.created_at:%Y-%m-%d}"
        line = f"{token.id}  {token.role:<8}  {token.hint}  {life}  {token.name}"
        out.print(line, markup=False, highlight=False, soft_wrap=True)


def show_all_as_json(out: Console) -> None:
    """Writes what `GET /v1/tokens` answers of each."""
    as_json({"items": [_shown(token) for token in _over_the_database(run_list_tokens)]}, out)


def revoke(token_id: str, out: Console) -> None:
    _over_the_database(lambda ports: run_revoke_token(ports, token_id))
    out.print(f"{token_id} is revoked", highlight=False)


def revoke_as_json(token_id: str, out: Console) -> None:
    since = _over_the_database(lambda ports: run_revoke_token(ports, token_id))
    as_json({"id": token_id, "revoked_at": since.isoformat()}, out)


def _shown(token: Token) -> dict[str, str | None]:
    return {
        "id": token.id,
        "name": token.name,
        "role": token.role.value,
        "hint": token.hint,
        "created_at": token.created_at.isoformat(),
        "revoked_at": token.revoked_at.isoformat() if token.revoked_at else None,
    }


def _over_the_database(action: Callable[[AccessPorts], Coroutine[object, object, Result]]) -> Result:
    """Runs an action on a database that is up and migrated."""
    settings = read_settings()

    async def run(url: str) -> Result:
        async with open_access(settings, url) as ports:
            return await action(ports)

    with database(settings) as url, while_it_answers(url):
        prepare(settings, url)
        return asyncio.run(run(url))
