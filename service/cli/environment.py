"""Variables of the environment that look like settings and are none: misspelt, unknown, or added by Kubernetes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from service.settings import PREFIX, is_service_address, setting_names

COMPOSE_ONLY = frozenset({"TOCSIN_PUBLISH"})
"""Variables that docker-compose.yml reads itself; they often stand in a sourced .env."""

CLIENT_ONLY = frozenset({"TOCSIN_URL", "TOCSIN_TOKEN"})
"""Variables of the commands that speak to a server."""

_KUBERNETES = re.compile(
    rf"{PREFIX}(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)"
)
"""The names that Kubernetes adds for each Service whose name begins with `tocsin`, beside `TOCSIN_PORT`.

https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
"""


@dataclass(frozen=True, slots=True)
class StrayVariable:
    """A variable that no setting reads, and the nearest setting. `misspelt`: one letter or one swap lies between."""

    name: str
    nearest: str
    misspelt: bool

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
    known = settings | COMPOSE_ONLY | CLIENT_ONLY
    others = {name for name, value in environment.items() if value and name.upper() not in known} - added
    found = (_stray(name, settings) for name in sorted(others))
    return ReviewedEnvironment(tuple(stray for stray in found if stray is not None), tuple(sorted(added)))


def _is_kubernetes(name: str, value: str) -> bool:
    port = name.startswith(PREFIX) and name.endswith("PORT") and is_service_address(value)
    return port or _KUBERNETES.fullmatch(name) is not None


def _stray(name: str, settings: frozenset[str]) -> StrayVariable | None:
    meant = next((setting for setting in sorted(settings) if _is_one_edit(name.upper(), setting)), None)
    if meant is not None:
        return StrayVariable(name, meant, misspelt=True)
    if not name.upper().startswith(PREFIX):
        return None
    (nearest,) = get_close_matches(name.upper(), sorted(settings), n=1, cutoff=0)
    return StrayVariable(name, nearest, misspelt=False)


def _is_one_edit(one: str, other: str) -> bool:
    """Whether one letter is added, left out or replaced, or two neighbours are swapped."""
    differs = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    one, other = one[differs:], other[differs:]
    swapped = one[:2] == other[1::-1] and one[2:] == other[2:]
    return swapped or other[1:] in (one, one[1:]) or one[1:] == other
