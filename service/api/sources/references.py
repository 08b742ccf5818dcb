"""References to workspaces, models and API keys: taken as id or name, stored as id, shown as name."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from service.domain.sources.pricing import canonical_model
from service.domain.values.errors import Invalid
from service.domain.values.mail_addresses import person_of
from service.domain.values.names import listed, nearest
from service.domain.values.scopes import DEFAULT_WORKSPACE, SPENDER_DIMENSIONS, Dimension
from service.workflows.ports.sources import Seen
from service.workflows.ports.unit_of_work import UnitOfWork

_IDS = {
    Dimension.WORKSPACE: re.compile(r"wrkspc_[A-Za-z0-9_-]+"),
    # Whole ids only: "opus" is part of many, and the spend of a model of that name would be $0.00 for ever.
    Dimension.MODEL: re.compile(r"([a-z]{2,}\.)*(anthropic\.)?claude-[A-Za-z0-9.@:_-]+"),
    Dimension.API_KEY: re.compile(r"apikey_[A-Za-z0-9_-]+"),
    Dimension.ACTOR: re.compile(r"person_[0-9a-f]{16}|svac_[A-Za-z0-9_-]+"),
    Dimension.PRODUCT: re.compile(
        "chat|chat_cowork_unified|claude_code|claude_console|claude_design|claude_in_chrome|claude_tag|cowork"
        "|managed_agents_api|message_batches_api|messages_api|office_agent|cc_security_autopatch"
    ),
}
_DATED = re.compile(r"\d{8}$")
_SHOWABLE = re.compile(r"[^\x00-\x1f\x7f]{1,200}")


async def seen(uow: UnitOfWork, source_id: str, dimension: Dimension) -> list[Seen]:
    if dimension is Dimension.WORKSPACE:
        return await uow.directory.workspaces(source_id)
    if dimension is Dimension.MODEL:
        return await uow.directory.models(source_id)
    if dimension in SPENDER_DIMENSIONS:
        return await uow.directory.spenders(source_id, dimension)
    return await uow.directory.api_keys(source_id)


def id_of(reference: str, known: Sequence[Seen], dimension: Dimension, pointer: str) -> str:
    """Returns the id of a reference. A text in the form of an id is taken as one: it may be seen later.

    Raises Invalid for a name that nobody or more than one has: a scope that matches nothing would never fire.
    """
    if any(one.id == reference for one in known):
        return reference
    named = {one.id for one in known if one.name == reference} or {
        one.id for one in known if person_of(one.name) == person_of(reference)
    }
    if len(named) == 1:
        return named.pop()
    if len(named) > 1:
        raise Invalid(f"{len(named)} have the name {reference!r}; give the id", pointer)
    if _IDS[dimension].fullmatch(reference) or (dimension is Dimension.WORKSPACE and reference == DEFAULT_WORKSPACE):
        return reference
    raise Invalid(f"{unseen(reference, known, dimension)}. Of one that is yet to come, give the id", pointer)


def unseen(reference: str, known: Sequence[Seen], dimension: Dimension) -> str:
    """Returns a sentence about a reference that is nobody's, with the nearest ones that are somebody's."""
    near = nearest(reference, [text for one in known for text in (one.name, one.id)])
    meant = f"; the nearest: {listed(near)}" if near else ""
    return f"no {dimension.value} {reference!r} has been seen{meant}"


def other_spellings(model: str, known: Sequence[Seen]) -> list[str]:
    """Returns the models that have been seen and are one that has not, with the date of its snapshot or without.

    Two dates are two models.
    """
    ids = {one.id for one in known}
    return [] if model in ids else sorted(id for id in ids if _is_other_spelling(id, model))


def _is_other_spelling(one: str, other: str) -> bool:
    dates = {found[0] for model in (one, other) if (found := _DATED.search(model))}
    return canonical_model(one) == canonical_model(other) and len(dates) < 2


def names_by_id(known: Sequence[Seen]) -> dict[str, str]:
    """Returns the names that can be sent back: unique, no other's id, and printable."""
    counts = Counter(one.name for one in known)
    ids = {one.id for one in known}
    return {
        one.id: one.name
        for one in known
        if counts[one.name] == 1 and (one.name not in ids or one.name == one.id) and _SHOWABLE.fullmatch(one.name)
    }
