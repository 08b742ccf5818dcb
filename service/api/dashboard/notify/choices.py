"""Receivers, policies and rotas to choose from, by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from service.api.notify.addressees import OWNER
from service.workflows.ports.configuration import Resources

Spec = TypeVar("Spec")


OWNER_CHOICE = (OWNER, "the owner of what the alert is about")


async def named(store: Resources[Spec], empty: str = "choose one") -> Sequence[tuple[str, str]]:
    """Returns what there is, after `empty` for none of it."""
    return [("", empty), *((name, name) for name in sorted((await store.named()).values()))]
