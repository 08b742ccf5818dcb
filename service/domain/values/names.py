"""Names of the members of a scope, as people call them."""

from __future__ import annotations

from collections.abc import Mapping

from service.domain.values.scopes import DEFAULT_WORKSPACE, Dimension, Scope, ScopeKey

Names = Mapping[ScopeKey, str]
"""Names by scope key. The organisation's own name stands under ORGANISATION."""

_NAMELESS = {
    Dimension.ORGANISATION: "the organisation",
    Dimension.WORKSPACE: "no workspace",
    Dimension.MODEL: "no model",
    Dimension.API_KEY: "no API key",
}


def name_of(key: ScopeKey, names: Names) -> str:
    """The known name, else the id, else words for having none."""
    if key.id == DEFAULT_WORKSPACE and key.dimension is Dimension.WORKSPACE:
        return names.get(key, "default workspace")
    return names.get(key) or key.id or _NAMELESS[key.dimension]


def describe_scope(scope: Scope, key: ScopeKey, names: Names) -> str:
    """The scope of a budget's figure in a few words: "workspace eng", "3 models in workspace eng"."""
    filters = {
        Dimension.API_KEY: scope.api_keys,
        Dimension.MODEL: scope.models,
        Dimension.WORKSPACE: scope.workspaces,
    }
    if key.dimension is not Dimension.ORGANISATION:
        filters[key.dimension] = (key.id,)
    parts = [_describe(dimension, ids, names) for dimension, ids in filters.items() if ids]
    return " in ".join(parts) or name_of(key, names)


def _describe(dimension: Dimension, ids: tuple[str, ...], names: Names) -> str:
    noun = {Dimension.API_KEY: "API key", Dimension.MODEL: "model"}.get(dimension, "workspace")
    if len(ids) > 1:
        return f"{len(ids)} {noun}s"
    name = name_of(ScopeKey(dimension, ids[0]), names)
    return name if name.endswith(noun) else f"{noun} {name}"
