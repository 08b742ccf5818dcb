"""The document of a kind of evidence that has no module of its own here, made from its dataclass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from functools import reduce
from operator import or_
from types import GenericAlias, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, PlainSerializer, TypeAdapter, WithJsonSchema, create_model

from service.api.http.fields import Usd
from service.domain.alerts.evidence import Evidence
from service.domain.values.money import Money
from service.domain.values.scopes import ScopeKey

BESIDE = frozenset({"kind", "contributions", "buckets"})
"""Fields that an alert shows beside its evidence; the buckets are in its chart."""

_AS_TEXT = PlainSerializer(str, return_type=str)
_TYPES: Mapping[object, Any] = {
    Money: Annotated[Money, _AS_TEXT, WithJsonSchema(TypeAdapter(Usd).json_schema())],
    ScopeKey: Annotated[ScopeKey, _AS_TEXT, WithJsonSchema({"type": "string"})],
}


def show_derived_evidence(evidence: Evidence) -> BaseModel:
    model = derived_document(type(evidence))
    return model.model_construct(**{name: getattr(evidence, name) for name in model.model_fields})


def derived_document(evidence: type[Evidence]) -> type[BaseModel]:
    hints = get_type_hints(evidence)
    shown = [field.name for field in fields(evidence) if field.name not in BESIDE]
    written: dict[str, Any] = {name: (_document_type(hints[name]), ...) for name in shown}
    return create_model(f"{evidence.__name__}Out", __doc__=evidence.__doc__, **written)


def _document_type(hint: Any) -> Any:
    """How a value of the domain is written; what pydantic knows stays as it is."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return reduce(or_, map(_document_type, arguments))
    if origin is tuple:
        return GenericAlias(tuple, tuple(map(_document_type, arguments)))
    return _TYPES.get(hint, hint)
