"""Tokens from the command line."""

from __future__ import annotations

from rich.console import Console

from service.bootstrap import Product
from service.domain.access import Role
from service.workflows.operation.command_line import run_create_token, run_list_tokens, run_revoke_token


async def create(product: Product, name: str, role: Role, out: Console) -> None:
    secret = await run_create_token(product.ports, name, role)
    out.print(secret, highlight=False, soft_wrap=True)


async def show_all(product: Product, out: Console) -> None:
    for token in await run_list_tokens(product.ports):
        life = f"revoked {token.revoked_at:%Y-%m-%d}" if token.revoked_at else f"since {token.created_at:%Y-%m-%d}"
        line = f"{token.id}  {token.role:<8}  {token.hint}  {life}  {token.name}"
        out.print(line, markup=False, highlight=False, soft_wrap=True)


async def revoke(product: Product, token_id: str, out: Console) -> None:
    await run_revoke_token(product.ports, token_id)
    out.print(f"{token_id} is revoked", highlight=False)
