"""Channels as JSON, made of their configurations: no kind has anything of its own here.

Secrets are written and never shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, replace
from functools import reduce
from operator import or_
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, Field, GetPydanticSchema, StringConstraints, create_model

from service.api.http.addresses import Address
from service.api.http.fields import Line, Reference, Strict
from service.api.http.secrets import Credentials, Secret, SecretStub, shown
from service.domain.notify.channels.documents import Form, JsonField
from service.domain.notify.channels.registry import KINDS, ChannelConfig
from service.domain.values.mail_addresses import MAIL_ADDRESS
from service.domain.values.resources import Sealed

MailAddress = Annotated[str, StringConstraints(pattern=f"^{MAIL_ADDRESS}$")]

_WRITTEN: Mapping[Form, Any] = {
    Form.LINE: Line,
    Form.REFERENCE: Reference,
    Form.MAIL_ADDRESS: MailAddress,
    Form.ADDRESS: Address,
    Form.SECRET: Secret,
    Form.SECRET_ADDRESS: Secret,
    Form.CREDENTIALS: Credentials,
}


@dataclass(frozen=True, slots=True)
class Part:
    """A field of a configuration. `type` is that of one item, where there are `several`.

    `default` is MISSING for a field that has to be sent, None for one that may be null.
    """

    name: str
    mark: JsonField
    type: Any
    several: bool
    default: Any

    @property
    def is_secret(self) -> bool:
        return self.type is Sealed

    def written(self) -> tuple[Any, Any]:
        """Returns the field of a request's document: its type, and what its schema says of it."""
        field = Field(
            default=... if self.default is MISSING else self.default,
            description=self._description(),
            examples=self._examples(),
            min_length=1 if self.several else None,
            max_length=self.mark.most if self.several else None,
        )
        return self._hint(_WRITTEN[self.mark.form] if self.type in (str, Sealed) else self.type), field

    def shown(self) -> tuple[Any, Any]:
        """Returns the field of an answer's document, which always holds it."""
        return self._hint(SecretStub if self.is_secret else self.type), ...

    def _hint(self, item: Any) -> Any:
        hint = list[item] if self.several else item
        return hint | None if self.default is None else hint

    def _description(self) -> str | None:
        said = ("write-only" if self.is_secret else "", self.mark.about)
        return ": ".join(word for word in said if word) or None

    def _examples(self) -> list[Any] | None:
        example = self.mark.example
        return None if example is None else [[example] if self.several else example]


def _parts(kind: type[ChannelConfig]) -> tuple[Part, ...]:
    """Returns all fields but `kind`, in their order."""
    hints = get_type_hints(kind, include_extras=True)
    return tuple(_part(field.name, hints[field.name], field.default) for field in fields(kind) if field.name != "kind")


def _part(name: str, hint: Any, default: Any) -> Part:
    mark = JsonField()
    if get_origin(hint) is Annotated:
        hint, mark = get_args(hint)
    if get_origin(hint) in (Union, UnionType):
        (hint,) = (one for one in get_args(hint) if one is not NoneType)
    several = get_origin(hint) is tuple
    return Part(name, mark, get_args(hint)[0] if several else hint, several, default)


PARTS: Mapping[type[ChannelConfig], Sequence[Part]] = {kind: _parts(kind) for kind in KINDS.values()}


def _by_document() -> dict[str, list[type[ChannelConfig]]]:
    found: dict[str, list[type[ChannelConfig]]] = {}
    for kind in KINDS.values():
        found.setdefault(kind.document.kind, []).append(kind)
    return found


ALIKE: Mapping[str, Sequence[type[ChannelConfig]]] = _by_document()
"""The kinds that are written alike, by the kind that their documents name."""


def _request(kinds: Sequence[type[ChannelConfig]]) -> type[BaseModel]:
    """Returns the document of a request, of all fields that its kinds have."""
    document = kinds[0].document
    name = kinds[0].__name__ if len(kinds) == 1 else document.kind.capitalize()
    alike: dict[str, list[Part]] = {}
    for part in (part for kind in kinds for part in PARTS[kind]):
        alike.setdefault(part.name, []).append(part)
    written: dict[str, Any] = {"kind": (_literally(document.kind), ...)}
    written |= {name: _merged(parts, len(kinds)).written() for name, parts in alike.items()}
    return create_model(f"{name}In", __base__=Strict, __doc__=document.about or None, **written)


def _merged(parts: Sequence[Part], kinds: int) -> Part:
    """Returns the field of a document of so many kinds. It may be null where one of them has no such field, or another
    default for it.
    """
    defaults = {part.default for part in parts}
    may_be_null = len(defaults) > 1 or (len(parts) < kinds and MISSING in defaults)
    return replace(parts[0], default=None) if may_be_null else parts[0]


def _answer(kind: type[ChannelConfig]) -> type[BaseModel]:
    shown: dict[str, Any] = {"kind": (_literally(kind.document.kind), kind.document.kind)}
    shown |= {part.name: part.shown() for part in PARTS[kind]}
    return create_model(f"{kind.__name__}Out", **shown)


def _literally(text: str) -> Any:
    return Literal[text]


_REQUEST: Any = Annotated[reduce(or_, map(_request, ALIKE.values())), Field(discriminator="kind")]
_ANSWERS = {kind: _answer(kind) for kind in KINDS.values()}
_ANSWER = reduce(or_, _ANSWERS.values())

ChannelIn = Annotated[Any, GetPydanticSchema(lambda _, schema_of: schema_of(_REQUEST))]
ChannelOut = Annotated[Any, GetPydanticSchema(lambda _, schema_of: schema_of(_ANSWER))]


def show_channel(channel: ChannelConfig) -> BaseModel:
    values = {part.name: _shown(getattr(channel, part.name)) for part in PARTS[type(channel)]}
    return _ANSWERS[type(channel)](**values)


def _shown(value: Any) -> Any:
    return shown(value) if isinstance(value, Sealed) else value
