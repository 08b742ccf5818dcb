"""Observations and verdicts of many scopes, made at once of what a rule objects to, of others when asked for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Generic, TypeVar

from service.domain.rules.rule import Observation, Verdict
from service.domain.values.scopes import ScopeKey

Said = TypeVar("Said", Observation, Verdict)


class ByScope(Mapping[ScopeKey, Said], Generic[Said]):
    """Observations or verdicts of every scope. Of those that are not among `objecting` nothing can be a candidate."""

    def __init__(
        self, scopes: Collection[ScopeKey], objecting: Collection[ScopeKey], make: Callable[[ScopeKey], Said]
    ) -> None:
        """Makes what is said of `objecting`; `make` is called once at most for a scope, and for no other."""
        self._scopes = scopes
        self._make: Callable[[ScopeKey], Said] = make
        self._made: dict[ScopeKey, Said] = {}
        self.objecting = tuple(objecting)
        for scope in self.objecting:
            self[scope]

    def __getitem__(self, scope: ScopeKey) -> Said:
        if scope not in self._made:
            if scope not in self._scopes:
                raise KeyError(scope)
            self._made[scope] = self._make(scope)
        return self._made[scope]

    def __contains__(self, scope: object) -> bool:
        return scope in self._scopes

    def __iter__(self) -> Iterator[ScopeKey]:
        return iter(self._scopes)

    def __len__(self) -> int:
        return len(self._scopes)

    def __repr__(self) -> str:
        return repr(dict(self))


Observations = ByScope[Observation]
Verdicts = ByScope[Verdict]


def objected(said: Mapping[ScopeKey, Said]) -> dict[ScopeKey, Said]:
    """All that may be a candidate, without making anything of the others."""
    return {scope: said[scope] for scope in said.objecting} if isinstance(said, ByScope) else dict(said)
