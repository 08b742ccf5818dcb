"""The parts that spend is divided into: members of a dimension, owners, or the values of a tag."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated

from fastapi import Query
from pydantic import StringConstraints

from service.api.http.fields import LABEL_KEY
from service.domain.sources.ownership import NOBODY
from service.domain.spend.attribution import Attribution, by_owner, by_tag
from service.domain.values.errors import Invalid
from service.domain.values.names import Names, listed, nearest
from service.domain.values.scopes import Dimension, ScopeKey
from service.workflows.configuration.ownership import owned
from service.workflows.ports.unit_of_work import UnitOfWork

OWNER, TAG = "owner", "tag:"
ATTRIBUTED = rf"{OWNER}|{TAG}{LABEL_KEY}"
"""The expression of what is no dimension."""


class GroupBy(StrEnum):
    WORKSPACE = "workspace"
    MODEL = "model"
    API_KEY = "api_key"
    ACTOR = "actor"
    PRODUCT = "product"


GroupByText = Annotated[
    str,
    StringConstraints(pattern=rf"^({'|'.join(GroupBy)}|{ATTRIBUTED})$"),
    Query(description=f"{', '.join(GroupBy)}, owner, or a tag such as tag:team", examples=["workspace", "tag:team"]),
]


@dataclass(frozen=True, slots=True)
class SpendGrouping:
    """A dimension, or an attribution of the whole. `words` are the names of those whom it is attributed to."""

    dimension: Dimension
    attribution: Attribution | None = None
    words: Mapping[str, str] = field(default_factory=dict)

    async def names(self, uow: UnitOfWork, source_id: str, keys: Collection[ScopeKey]) -> Names:
        if self.attribution is None:
            return await uow.directory.names(source_id, keys)
        return {key: self.words.get(key.id, key.id) for key in keys}


async def read_grouping(uow: UnitOfWork, source_id: str, text: str) -> SpendGrouping:
    """Raises Invalid for a tag that nothing has."""
    if text != OWNER and not text.startswith(TAG):
        return SpendGrouping(Dimension(text))
    owners = await owned(uow)
    members = owners.of_source(source_id)
    if text == OWNER:
        words = await uow.receivers.named() | {NOBODY: "no owner"}
        return SpendGrouping(Dimension.ORGANISATION, by_owner(members), words)
    tag = text.removeprefix(TAG)
    if tag not in owners.tag_values:
        near = nearest(tag, owners.tag_values)
        raise Invalid(f"nothing has a tag {tag}{f'; the nearest: {listed(near)}' if near else ''}", "/group_by")
    return SpendGrouping(Dimension.ORGANISATION, by_tag(members, tag), {NOBODY: f"no {tag}"})


async def attributions(uow: UnitOfWork) -> list[str]:
    """Returns the ways to divide spend by owners and tags, where there are some."""
    owners = await owned(uow)
    by_owners = [OWNER] if any(one.owner for one in owners.items) else []
    return [*by_owners, *(f"{TAG}{tag}" for tag in sorted(owners.tag_values))]
