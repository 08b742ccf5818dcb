"""Configured resources of any kind: an identity, a name, a version."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Generic, TypeVar

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Resource(Generic[T_co]):
    """One version of a configured thing. `version` counts from 1; every version is kept (append-only)."""

    id: str
    name: str
    version: int
    created_at: datetime
    updated_at: datetime
    labels: Mapping[str, str]
    spec: T_co


@dataclass(frozen=True, slots=True)
class Lifetime:
    """From when to when a configured thing existed; `name` is its last one, `until` None while it exists."""

    id: str
    name: str
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Sealed:
    """A secret that only the vault can read. `hint` is its end, for people; `digest` tells two secrets apart.

    `doubt` is a sentence where the secret is hardly what its vendor makes.
    """

    ciphertext: str
    hint: str
    digest: str
    doubt: str = ""

    def __repr__(self) -> str:
        return f"Sealed({self.hint})"


@dataclass(frozen=True, slots=True)
class Page(Generic[T_co]):
    """Part of a list. `next` is the cursor of the following part, `previous` of the one before: None at the ends."""

    items: tuple[T_co, ...]
    next: str | None
    previous: str | None = None


_MADE = count(secrets.randbits(31))
"""Ids made by this process, so that those of one millisecond keep their order. It is not begun at 0: two processes
that start together must differ."""


def made_at(id: str) -> datetime:
    """Returns when an id was made, aware UTC, to the millisecond."""
    return datetime.fromtimestamp(int(id.rpartition("_")[2][:12], 16) / 1000, UTC)


def new_id(prefix: str, now: datetime) -> str:
    """A unique id that sorts by time, and within a millisecond by the order in which this process made it.

    Prefix, milliseconds since 1970, 32 bits of a count and 48 random bits, in hex.
    """
    return f"{prefix}_{int(now.timestamp() * 1000):012x}{next(_MADE) & 0xFFFFFFFF:08x}{secrets.token_hex(6)}"
