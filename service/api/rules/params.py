"""The parameters of every kind of rule as documents, made from its dataclass: a new kind needs nothing here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import timedelta
from decimal import Decimal
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from fastapi.exceptions import RequestValidationError
from pydantic import (
    AfterValidator,
    Field,
    JsonValue,
    PlainSerializer,
    PlainValidator,
    TypeAdapter,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapSerializer,
    WrapValidator,
    create_model,
)
from pydantic_core import PydanticCustomError
from pydantic_core.core_schema import SerializerFunctionWrapHandler

from service.api.http.fields import Dollars, Duration, PercentOrMore, Strict
from service.domain.rules.kind import RuleKind
from service.domain.rules.registry import KINDS
from service.domain.values.money import Money
from service.domain.values.parameters import Parameter, parameters
from service.domain.values.scopes import Dimension

OFF = "off"
"""How a parameter is written that is not asked. Null puts it back to its default, as in every patch."""
MOST_ITEMS = 50

LEVELS = {("organisation" if one is Dimension.ORGANISATION else one.value): one for one in Dimension}
"""The dimensions as documents spell them."""


def level_of(dimension: Dimension) -> str:
    return next(word for word, one in LEVELS.items() if one is dimension)


def _read_level(value: object) -> Dimension:
    if not isinstance(value, str) or value not in LEVELS:
        raise ValueError(f"write one of {', '.join(LEVELS)}")
    return LEVELS[value]


_TYPES: Mapping[object, Any] = {
    bool: Annotated[bool, Field(strict=True)],
    int: Annotated[int, Field(strict=True, ge=0, le=10**12)],
    Decimal: PercentOrMore,
    Money: Dollars,
    timedelta: Duration,
    Dimension: Annotated[
        Dimension,
        PlainValidator(_read_level),
        PlainSerializer(level_of, return_type=str),
        WithJsonSchema({"type": "string", "enum": list(LEVELS)}),
    ],
}


def _document_type(hint: Any) -> Any:
    """How a value of the domain is written; words of an enumeration stay as they are."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        (inner,) = (one for one in arguments if one is not NoneType)
        return _or_off(_document_type(inner))
    if origin is tuple:
        item = _document_type(arguments[0])
        return Annotated[tuple[item, ...], Field(max_length=MOST_ITEMS)]  # type: ignore[valid-type]
    return _TYPES.get(hint, hint)


def _or_off(inner: Any) -> Any:
    def read(value: object, proceed: ValidatorFunctionWrapHandler) -> object:
        if value is None:
            raise ValueError(f'write "{OFF}" where it is not to be asked')
        return None if value == OFF else proceed(value)

    def write(value: object, proceed: SerializerFunctionWrapHandler) -> object:
        return OFF if value is None else proceed(value)

    schema = {"anyOf": [TypeAdapter(inner).json_schema(), {"const": OFF}]}
    return Annotated[inner, WrapValidator(read), WrapSerializer(write), WithJsonSchema(schema)]


def field_of(words: Parameter) -> Any:
    """Returns the part of a document's field that its JSON Schema shows to people."""
    return Field(title=words.label, description=words.about or None)


def _known_kind(name: str) -> str:
    if name not in KINDS:
        expected = " or ".join((", ".join(map(repr, list(KINDS)[:-1])), repr(list(KINDS)[-1])))
        raise PydanticCustomError("enum", "Input should be {expected}", {"expected": expected})
    return name


def _list_kinds(schema: dict[str, Any]) -> None:
    schema["enum"] = list(KINDS)


KindName = Annotated[str, AfterValidator(_known_kind), Field(json_schema_extra=_list_kinds)]
"""The name of a registered kind."""


@cache
def _model(kind: RuleKind[object]) -> type[Strict]:
    hints, usual, words = get_type_hints(kind.params), kind.params(), parameters(kind.params)
    written = {
        name: (Annotated[_document_type(hint), field_of(words[name])], getattr(usual, name))
        for name, hint in hints.items()
    }
    title = "".join(word.capitalize() for word in kind.name.split("_"))
    return create_model(f"{title}Params", __base__=Strict, __doc__=kind.params.__doc__, **written)  # type: ignore[call-overload,no-any-return]


def read_params(kind: str, document: Mapping[str, JsonValue]) -> object:
    """The parameters of a kind, its defaults for what is left out. Raises RequestValidationError."""
    try:
        read = _model(KINDS[kind]).model_validate(document)
    except ValidationError as error:
        errors = [{**one, "loc": ("body", "params", *one["loc"])} for one in error.errors()]
        raise RequestValidationError(errors, body={"params": document}) from error
    return KINDS[kind].params(**{name: getattr(read, name) for name in type(read).model_fields})


def show_params(kind: str, params: object) -> dict[str, Any]:
    """Every parameter; sent back, it means the same."""
    values = {field.name: getattr(params, field.name) for field in fields(params)}  # type: ignore[arg-type]
    return _model(KINDS[kind]).model_construct(**values).model_dump(mode="json")


def params_schema(kind: str) -> dict[str, Any]:
    """JSON Schema (2020-12) of a kind's parameters, with their defaults."""
    schema = _model(KINDS[kind]).model_json_schema()
    for name, usual in show_params(kind, KINDS[kind].params()).items():
        schema["properties"][name]["default"] = usual
    return schema
