"""Who an issuer of identities says that somebody is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from service.domain.access import GroupRoles

Claims = Mapping[str, object]


class IdentityRefused(Exception):
    """The issuer cannot be asked, or what it sent is not believed. The text says what to do, and holds no secret."""


@dataclass(frozen=True, slots=True)
class AskedSignIn:
    """One sign-in on its way. `verifier` never leaves but to the issuer itself, in exchange for whom it recognised."""

    state: str
    nonce: str
    verifier: str
    redirect_uri: str


class IdentityProvider(Protocol):
    @property
    def name(self) -> str:
        """The issuer's name for people."""
        ...

    async def address(self, asked: AskedSignIn) -> str:
        """Returns the page where the issuer asks who somebody is. Raises IdentityRefused."""
        ...

    async def identify(self, code: str, asked: AskedSignIn, now: datetime) -> Claims:
        """Returns what the issuer says of somebody, once it is signed, fresh and for us. Raises IdentityRefused."""
        ...


@dataclass(frozen=True, slots=True)
class PeopleAccess:
    """How people sign in by an issuer: `groups_claim` is where it lists their groups, `roles` what these may do."""

    provider: IdentityProvider
    groups_claim: str
    roles: GroupRoles
