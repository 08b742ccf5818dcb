"""Variables of the environment that look like settings and are none: misspelt, unknown, or added by Kubernetes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from service.settings import PREFIX, is_service_address, setting_names

COMPOSE_ONLY = frozenset({"TOCSIN_PUBLISH"})
"""Variables that docker-compose.yml reads itself; they often stand in a sourced .env."""

_KUBERNETES = re.compile(
    rf"{PREFIX}(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)"
)
"""The names that Kubernetes adds for each Service whose name begins with `tocsin`, beside `TOCSIN_PORT`.

https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
"""


@dataclass(frozen=True, slots=True)
class StrayVariable:
    """A variable that no setting reads, and the setting whose name is nearest; `edits` letters or swaps lie between."""

    name: str
    nearest: str
    edits: int

    @property
    def misspelt(self) -> bool:
        return self.edits <= 1

    def __str__(self) -> str:
        return f"{self.name}: no such setting; the nearest is {self.nearest}"


@dataclass(frozen=True, slots=True)
class ReviewedEnvironment:
    """`strays` may be mistakes of a person; `kubernetes` are names that Kubernetes adds, which mean nothing here."""

    strays: tuple[StrayVariable, ...]
    kubernetes: tuple[str, ...]


def review_environment(environment: Mapping[str, str]) -> ReviewedEnvironment:
    """Finds the variables that somebody may take for settings. One that is set to nothing counts as not set."""
    settings = setting_names()
    added = {name for name, value in environment.items() if _is_kubernetes(name.upper(), value)}
    known = settings | COMPOSE_ONLY
    others = {name for name, value in environment.items() if value and name.upper() not in known} - added
    strays = [_stray(name, settings) for name in sorted(others)]
    return ReviewedEnvironment(
        tuple(stray for stray in strays if stray.misspelt or stray.name.upper().startswith(PREFIX)),
        tuple(sorted(added)),
    )


def _is_kubernetes(name: str, value: str) -> bool:
    port = name.startswith(PREFIX) and name.endswith("PORT") and is_service_address(value)
    return port or _KUBERNETES.fullmatch(name) is not None


def _stray(name: str, settings: frozenset[str]) -> StrayVariable:
    edits, nearest = min((_edits(name.upper(), setting), setting) for setting in settings)
    return StrayVariable(name, nearest, edits)


def _edits(one: str, other: str) -> int:
    """Counts the letters to add, drop or replace and the neighbours to swap (optimal string alignment)."""
    before, above = [0] * (len(other) + 1), list(range(len(other) + 1))
    for i, letter in enumerate(one, start=1):
        row = [i]
        for j, wanted in enumerate(other, start=1):
            best = min(row[j - 1] + 1, above[j] + 1, above[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and one[i - 2 : i] == wanted + other[j - 2]:
                best = min(best, before[j - 2] + 1)
            row.append(best)
        before, above = above, row
    return above[-1]
