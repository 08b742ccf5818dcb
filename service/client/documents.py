"""The API's own documents, as JSON that is sent and as answers that are read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import TypeAlias, TypeVar, cast

from pydantic import BaseModel, SecretStr
from pydantic_core import to_jsonable_python

from service.client.errors import Json

Answer = TypeVar("Answer", bound=BaseModel)
Given: TypeAlias = "str | int | date | datetime | list[str] | tuple[str, ...] | None"


def written(document: BaseModel) -> Json:
    """Returns the fields that were given, secrets included: nobody else writes them down."""
    return cast("Json", to_jsonable_python(_opened(document.model_dump(by_alias=True, exclude_unset=True))))


def read(answer: type[Answer], document: Mapping[str, Json]) -> Answer:
    """Reads an answer. A field that a newer server adds is left out. Raises ValidationError for another form."""
    return answer.model_validate(document)


def query(given: Mapping[str, Given]) -> dict[str, str | list[str]]:
    """Returns parameters as they are sent; those that are None or empty are not."""
    return {name: _text(value) for name, value in given.items() if value not in (None, "", [], ())}


def _text(value: Given) -> str | list[str]:
    if isinstance(value, list | tuple):
        return [str(one) for one in value]
    return value.isoformat() if isinstance(value, date) else str(value)


def _opened(value: object) -> object:
    match value:
        case dict():
            return {key: _opened(one) for key, one in value.items()}
        case list() | tuple():
            return [_opened(one) for one in value]
        case SecretStr():
            return value.get_secret_value()
        case _:
            return value
