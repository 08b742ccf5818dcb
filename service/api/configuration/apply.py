"""A whole configuration is written, or compared, in one transaction."""

from __future__ import annotations

from pydantic import JsonValue

from service.api.configuration.documents import ConfigAction, ConfigChangeOut, ConfigIn
from service.api.configuration.sections import SECTIONS
from service.api.configuration.singles import SINGLES
from service.workflows.configuration.engine import Author
from service.workflows.ports.unit_of_work import Ports, UnitOfWork


async def export(uow: UnitOfWork, author: Author) -> dict[str, JsonValue]:
    """Returns all that is configured, as one would write it. Secrets are stubs."""
    written: dict[str, JsonValue] = {section.name: list(await section.export(uow, author)) for section in SECTIONS}
    return {**written, **{single.name: await single.export(uow) for single in SINGLES}}


async def apply(
    ports: Ports, uow: UnitOfWork, document: ConfigIn, unlisted: ConfigAction, author: Author
) -> list[ConfigChangeOut]:
    """Makes what is stored as the document says; `unlisted` is what becomes of the others of its kinds.

    Raises Invalid and Conflict, which say where in the document they are.
    """
    given = [(section, getattr(document, section.name)) for section in SECTIONS]
    listed = [(section, documents) for section, documents in given if documents is not None]
    before = [(section, await section.stored(uow)) for section, _ in listed]
    changes = [change for section, documents in listed for change in await section.write(ports, uow, documents, author)]
    for single in SINGLES:
        whole = getattr(document, single.name)
        if whole is not None:
            changes += await single.write(uow, whole, author)
    for section, documents in reversed(listed):  # what refers to another goes before it
        changes += await section.leave_out(uow, documents, unlisted, author)
    for section, stored in before:
        await section.require_consistent(uow, stored, author)
    return changes
