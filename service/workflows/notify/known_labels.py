"""The values that alerts' labels may have by what is configured, and by what has been seen."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from service.domain.sources.ownership import Ownership
from service.domain.values.scopes import ALL_DIMENSIONS, DEFAULT_WORKSPACE, SPENDER_DIMENSIONS, Dimension
from service.workflows.ports.unit_of_work import UnitOfWork


async def known_labels(uow: UnitOfWork) -> Mapping[str, set[str]]:
    """Returns every label that something has, with its values: ids and names."""
    found: dict[str, set[str]] = defaultdict(set)
    found["workspace"].add(DEFAULT_WORKSPACE)
    sources = await uow.sources.readable()
    for noun, resources in (
        ("source", sources),
        ("budget", await uow.budgets.readable()),
        ("rule", await uow.rules.readable()),
    ):
        found[noun] |= {text for one in resources for text in (one.id, one.name)}
        for one in resources:
            for label, value in one.labels.items():
                found[label].add(value)
    for label, values in (await _owned(uow)).items():
        found[label] |= values
    for source in sources:
        for dimension, texts in (await _seen(uow, source.id)).items():
            found[dimension.value] |= set(texts)
    found["scope"] = {"org", *(f"{one.value}:{text}" for one in _MEMBERS for text in found[one.value])}
    return found


async def _owned(uow: UnitOfWork) -> Mapping[str, set[str]]:
    """Tags, and owners by id and name."""
    stored, receivers = await uow.ownerships.readable(), await uow.receivers.named()
    owners = stored[0].spec if stored else Ownership()
    ids = {one.owner for one in owners.items} & receivers.keys()
    return {**owners.tag_values, "owner": {text for id in ids for text in (id, receivers[id])}}


_MEMBERS = ALL_DIMENSIONS


async def _seen(uow: UnitOfWork, source_id: str) -> Mapping[Dimension, Iterable[str]]:
    directory = uow.directory
    by_dimension = {
        Dimension.WORKSPACE: await directory.workspaces(source_id),
        Dimension.MODEL: await directory.models(source_id),
        Dimension.API_KEY: await directory.api_keys(source_id),
        **{one: await directory.spenders(source_id, one) for one in SPENDER_DIMENSIONS},
    }
    return {
        dimension: [text for one in seen for text in (one.id, one.name)] for dimension, seen in by_dimension.items()
    }
