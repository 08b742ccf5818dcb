"""Rules as JSON: their kind says which dataclass their parameters are."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, get_type_hints

from service.adapters.postgres.codec import DecodeError, Json, decode
from service.domain.rules.registry import KINDS
from service.domain.rules.rule import Rule

_HINTS = get_type_hints(Rule)


def decode_rule(stored: Json) -> Rule[object]:
    """Raises DecodeError."""
    if not isinstance(stored, dict):
        raise DecodeError(f"a rule expected, {type(stored).__name__} found")
    kind = KINDS.get(decode(str, stored.get("kind")))
    if kind is None:
        raise DecodeError(f"no rules of the kind {stored['kind']!r} are known")
    values: dict[str, Any] = {
        field.name: decode(_HINTS[field.name], stored[field.name])
        for field in fields(Rule)
        if field.name in stored and field.name != "params"
    }
    return Rule(params=decode(kind.params, stored["params"]), **values)
