"""Writes a form's document as REST would: the same checks, the same audit events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from pydantic import BaseModel, JsonValue, ValidationError

from service.api.http.configured import Shape, Shown, Written
from service.api.http.problems import in_the_body
from service.domain.values.errors import StaleVersion
from service.domain.values.resources import Resource
from service.workflows.configuration.engine import Author, Draft, ResourceKind, change, create
from service.workflows.ports.unit_of_work import Ports, UnitOfWork

Spec = TypeVar("Spec")
Model = TypeVar("Model", bound=BaseModel)
WrittenT = TypeVar("WrittenT", bound=Written)
ShownT = TypeVar("ShownT", bound=Shown)

VERSION = "version"
"""The field that says which version somebody has read and changed."""
CHANGED_MEANWHILE = (
    "Somebody has changed this since you opened it. The form holds what you wrote; beside it stands what is stored now."
    " Send it again to replace that."
)


def parsed(model: type[Model], document: Mapping[str, JsonValue]) -> Model:
    """Raises RequestValidationError, which says what is wrong by the pointers of the form."""
    try:
        return model.model_validate(document)
    except ValidationError as error:
        raise in_the_body(error, document) from error


async def stored_document(shape: Shape[Spec, Any, Any], uow: UnitOfWork, stored: Resource[Spec], author: Author) -> Any:
    """Returns a resource as REST shows it; it may be sent back."""
    shown = await shape.show(uow, stored, author.at)
    return cast("dict[str, JsonValue]", shown.model_dump(mode="json", by_alias=True))


async def write_document(
    ports: Ports,
    uow: UnitOfWork,
    kind: ResourceKind[Spec],
    shape: Shape[Spec, WrittenT, ShownT],
    document: Mapping[str, JsonValue],
    stored: Resource[Spec] | None,
    author: Author,
) -> Resource[Spec]:
    """Creates a resource, or changes the stored one. Raises what REST answers with a problem."""
    written = shape.parse(dict(document))
    spec = await shape.read(ports, uow, written, stored.spec if stored else None)
    if stored is None:
        return await create(uow, kind, Draft(written.name, written.labels, shape.sign(spec, author)), author)
    return await change(uow, kind, stored, Draft(written.name, written.labels, spec), author)


def require_version(form: Mapping[str, str], stored: Resource[Spec]) -> None:
    """Raises StaleVersion where somebody else has written since the form was opened."""
    if form.get(VERSION, "") != str(stored.version):
        raise StaleVersion(CHANGED_MEANWHILE)
