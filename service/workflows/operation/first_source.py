"""The source that the environment describes, beside the one that is stored: whose key and address count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from service.domain.sources.source import Source, SourceKind
from service.domain.values.durations import format_duration
from service.domain.values.resources import Resource, Sealed
from service.workflows.configuration.engine import Author, Draft, change
from service.workflows.configuration.spend import Sources
from service.workflows.ports.platform import Vault
from service.workflows.ports.unit_of_work import UnitOfWork

NAMES = {SourceKind.CLAUDE_ADMIN: "claude", SourceKind.SIMULATOR: "simulator"}


@dataclass(frozen=True, slots=True)
class FirstSource:
    """The source to watch when none of its kind is stored. `names_interval`: somebody has set the interval."""

    kind: SourceKind
    base_url: str
    admin_key: str
    poll_interval: timedelta
    names_interval: bool = False


async def compare_with_stored(
    uow: UnitOfWork, stored: Sequence[Resource[Source]], first: FirstSource, vault: Vault, author: Author
) -> list[str]:
    """Returns a line for each setting of the first source that is not what a stored one has.

    A source that was never read takes key and address: they are a correction. Otherwise what is stored counts.
    """
    alike = [source for source in stored if vault.matches(source.spec.admin_key, first.admin_key)]
    named = [source for source in stored if source.name == NAMES[first.kind]]
    source, key = [*alike, *named, *stored][0], vault.seal(first.admin_key)
    if alike and source.spec.base_url == first.base_url:
        return _interval_remarks(source, first)
    if source.spec.enabled and await _was_never_read(uow, source):
        corrected = replace(source.spec, base_url=first.base_url, admin_key=key)
        await change(uow, Sources(), source, Draft(source.name, source.labels, corrected), author)
        return [
            f"the source {source.name!r} was never read: from now on it is read at {first.base_url} with the key"
            f" {key.hint} of ANTHROPIC_ADMIN_KEY"
        ]
    kept = _other_address(source, first) if alike else _other_key(source, key)
    return [kept, *_interval_remarks(source, first)]


async def _was_never_read(uow: UnitOfWork, source: Resource[Source]) -> bool:
    state = await uow.polling_states.get(source.id)
    return state.last_success_at is None and state.cost_read_at is None and state.usage_read_at is None


def _other_key(source: Resource[Source], key: Sealed) -> str:
    """Secrets are shown by their hints only."""
    return (
        f"ANTHROPIC_ADMIN_KEY ({key.hint}) is not used: the source {source.name!r} keeps its stored key"
        f" {source.spec.admin_key.hint}; to change it, PATCH /v1/sources/{source.name} with admin_key"
    )


def _other_address(source: Resource[Source], first: FirstSource) -> str:
    return (
        f"ANTHROPIC_BASE_URL ({first.base_url}) is not used: the source {source.name!r} keeps its stored"
        f" {source.spec.base_url}; to change it, PATCH /v1/sources/{source.name} with base_url and admin_key"
    )


def _interval_remarks(source: Resource[Source], first: FirstSource) -> list[str]:
    if not first.names_interval or source.spec.poll_interval == first.poll_interval:
        return []
    unused, kept = format_duration(first.poll_interval), format_duration(source.spec.poll_interval)
    return [
        f"TOCSIN_POLL_INTERVAL ({unused}) is not used: the source {source.name!r} is polled every {kept}; to change it,"
        f" PATCH /v1/sources/{source.name} with poll_interval"
    ]
