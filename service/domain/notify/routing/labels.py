"""The labels of an alert, which routes and silences match."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from service.domain.alerts.alert import Alert
from service.domain.values.names import Names
from service.domain.values.scopes import EVERYTHING, Dimension, Scope, ScopeKey

Labels = Mapping[str, frozenset[str]]
"""The values of each label. Things have two, an id and a name; a scope of two workspaces has both of each."""

OF_EVERY_ALERT = ("severity", "kind", "source", "scope")
BUILT_IN = frozenset(
    {
        *OF_EVERY_ALERT,
        *("owner", "budget", "rule", "rule_kind", "basis", "silence"),
        *(dimension.value for dimension in Dimension),
    }
)
"""Labels that say what an alert is: no tag is called so."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The budget or rule that an alert is of (for a stale source, the source), with that one's own labels."""

    name: str = ""
    labels: Mapping[str, str] | None = None
    scope: Scope = EVERYTHING


@dataclass(frozen=True, slots=True)
class Belonging:
    """The owners of what an alert is about, by id and name, and the values of its tags."""

    owners: frozenset[str] = frozenset()
    tags: Labels = field(default_factory=dict)


BELONGS_TO_NOBODY = Belonging()


def labels_of(
    alert: Alert, source_name: str, origin: Origin, names: Names, belonging: Belonging = BELONGS_TO_NOBODY
) -> Labels:
    """Built-in labels win over those that a person gave to the budget or rule, and over tags."""
    members = dict(origin.scope.filters)
    if alert.scope.dimension is not Dimension.ORGANISATION:
        members[alert.scope.dimension] = (alert.scope.id,)
    built_in = {
        "severity": {alert.severity.value},
        "kind": {alert.kind},
        "source": {alert.source_id, source_name},
        "owner": set(belonging.owners),
        "scope": {str(alert.scope), str(ScopeKey(alert.scope.dimension, _named(alert.scope, names)))},
        **{dimension.value: set(_both(dimension, ids, names)) for dimension, ids in members.items()},
        **_of_evidence(alert, origin.name),
    }
    given = dict(belonging.tags)
    for name, value in (origin.labels or {}).items():
        given[name] = given.get(name, frozenset()) | {value}
    return given | {name: frozenset(values - {""}) for name, values in built_in.items() if values - {""}}


def parse_labels(pairs: Iterable[str]) -> Labels:
    """Labels from "name=value" texts. Raises ValueError."""
    found: dict[str, frozenset[str]] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not name or not equals:
            raise ValueError("write a label and its value, such as severity=critical")
        found[name] = found.get(name, frozenset()) | {value}
    return found


def _of_evidence(alert: Alert, name: str) -> dict[str, set[str]]:
    """`name` is the origin's by now, empty where it has been deleted."""
    origin = alert.evidence.origin
    named = {origin.kind.value: {origin.id, name or origin.name}} if origin else {}
    return named | {label: {value} for label, value in alert.evidence.labels.items()}


def _both(dimension: Dimension, ids: Iterable[str], names: Names) -> Iterable[str]:
    for id in ids:
        yield id
        yield _named(ScopeKey(dimension, id), names)


def _named(key: ScopeKey, names: Names) -> str:
    return names.get(key) or key.id
