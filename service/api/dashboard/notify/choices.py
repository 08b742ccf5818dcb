"""Receivers, policies and rotas to choose from, by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from service.api.dashboard.documents.controls import Control, ControlKind
from service.api.notify.addressees import OWNER
from service.domain.notify.receivers import Receiver
from service.workflows.ports.configuration import Resources

Spec = TypeVar("Spec")


OWNER_CHOICE = (OWNER, "the owner of what the alert is about")


async def named(store: Resources[Spec], empty: str = "choose one") -> Sequence[tuple[str, str]]:
    """Returns what there is, after `empty` for none of it."""
    return [("", empty), *((name, name) for name in sorted((await store.named()).values()))]


async def fallback(receivers: Resources[Receiver]) -> Control:
    """Returns the choice of who hears of what has no owner."""
    choices = await named(receivers, "nobody")
    return Control("/fallback", "What nobody owns goes to", ControlKind.CHOICE, "Needed for owners only.", choices)
