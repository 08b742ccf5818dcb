"""JSON merge patch (RFC 7396)."""

from __future__ import annotations

from pydantic import JsonValue

from service.domain.values.errors import Invalid

DEEPEST = 32


def merge(target: JsonValue, patch: JsonValue, depth: int = 0) -> JsonValue:
    """Returns `target` with the members of `patch` in place of its own; null removes. Raises Invalid."""
    if depth > DEEPEST:
        raise Invalid("nested too deeply")
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge(merged.get(name), value, depth + 1)
    return merged
