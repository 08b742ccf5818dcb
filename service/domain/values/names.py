"""Names of the members of a scope, as people call them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches

from service.domain.values.scopes import DEFAULT_WORKSPACE, Dimension, Scope, ScopeKey

Names = Mapping[ScopeKey, str]
"""Names by scope key. The organisation's own name stands under ORGANISATION."""

NOUNS = {
    Dimension.WORKSPACE: "workspace",
    Dimension.MODEL: "model",
    Dimension.API_KEY: "API key",
    Dimension.ACTOR: "person",
    Dimension.PRODUCT: "product",
}
PERSON = "person_"
"""How the id of a person begins: a keyed digest follows, which nobody can turn back."""
SERVICE_ACCOUNT = "svac_"
_DIGITS_SHOWN = 8
_NAMELESS = {
    Dimension.ORGANISATION: "the organisation",
    Dimension.WORKSPACE: "no workspace",
    Dimension.MODEL: "no model",
    Dimension.API_KEY: "no API key",
    Dimension.ACTOR: "nobody known",
    Dimension.PRODUCT: "no product",
}


def name_of(key: ScopeKey, names: Names) -> str:
    """The known name, else the id, else words for having none."""
    if key.id == DEFAULT_WORKSPACE and key.dimension is Dimension.WORKSPACE:
        return names.get(key, "default workspace")
    return names.get(key) or _of_actor(key) or key.id or _NAMELESS[key.dimension]


def _of_actor(key: ScopeKey) -> str:
    """ "person 7f3a91c2", "service account svac_01": what an actor is called without a name."""
    if key.dimension is not Dimension.ACTOR:
        return ""
    if key.id.startswith(PERSON):
        return f"person {key.id.removeprefix(PERSON)[:_DIGITS_SHOWN]}"
    return f"service account {key.id}" if key.id.startswith(SERVICE_ACCOUNT) else ""


def with_noun(noun: str, name: str) -> str:
    """ "API key support-bot"; a name that says what it is stays as it is ("default workspace", "person 7f3a91c2")."""
    says_it = not noun or name.endswith(noun) or name.startswith(("person ", "service account "))
    return name if says_it else f"{noun} {name}"


def describe_scope(scope: Scope, key: ScopeKey, names: Names) -> str:
    """The scope of a budget's figure in a few words: "workspace eng", "3 models in workspace eng"."""
    filters = {
        Dimension.ACTOR: scope.actors,
        Dimension.API_KEY: scope.api_keys,
        Dimension.MODEL: scope.models,
        Dimension.PRODUCT: scope.products,
        Dimension.WORKSPACE: scope.workspaces,
    }
    if key.dimension is not Dimension.ORGANISATION:
        filters[key.dimension] = (key.id,)
    parts = [_describe(dimension, ids, names) for dimension, ids in filters.items() if ids]
    return " in ".join(parts) or name_of(key, names)


def _describe(dimension: Dimension, ids: tuple[str, ...], names: Names) -> str:
    noun = NOUNS[dimension]
    if len(ids) > 1:
        return f"{len(ids)} {noun}s"
    return with_noun(noun, name_of(ScopeKey(dimension, ids[0]), names))


MOST_COMPARED, LONGEST_COMPARED = 2000, 100
"""Names and characters: looking for the nearest takes time with both."""


def nearest(text: str, known: Iterable[str]) -> list[str]:
    """Returns at most three known names that somebody may have meant, the nearest first."""
    names = sorted(set(known))[:MOST_COMPARED]
    wanted = text[:LONGEST_COMPARED].lower()
    holding = [name for name in names if wanted and wanted in name.lower()]
    alike = get_close_matches(wanted, [name[:LONGEST_COMPARED] for name in names], n=3)
    return list(dict.fromkeys([*holding, *alike]))[:3]


def listed(names: Collection[str]) -> str:
    """Returns "info, warning or error"."""
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last
