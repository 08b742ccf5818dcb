"""Tokens from the command line."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from service.bootstrap import Product
from service.domain.access import Role
from service.workflows.operate import run_create_token, run_list_tokens, run_revoke_token


async def create(product: Product, name: str, role: Role, out: Console) -> None:
    secret = await run_create_token(product.ports, name, role)
    out.print(secret, highlight=False, soft_wrap=True)


async def show_all(product: Product, out: Console) -> None:
    table = Table("id", "name", "role", "hint", "created", "revoked")
    for token in await run_list_tokens(product.ports):
        revoked = f"{token.revoked_at:%Y-%m-%d %H:%M}" if token.revoked_at else ""
        table.add_row(token.id, token.name, token.role, token.hint, f"{token.created_at:%Y-%m-%d %H:%M}", revoked)
    out.print(table)


async def revoke(product: Product, token_id: str, out: Console) -> None:
    await run_revoke_token(product.ports, token_id)
    out.print(f"{token_id} is revoked", highlight=False)
