"""Who may do what, and the record of what was done."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from service.domain.values.plain_values import Plain


class Role(StrEnum):
    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"

    def allows(self, needed: Role) -> bool:
        order = list(Role)
        return order.index(self) >= order.index(needed)


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token, kept as the SHA-256 of its random 256 bits. `hint` is its end."""

    id: str
    name: str
    role: Role
    digest: str
    hint: str
    created_at: datetime
    revoked_at: datetime | None = None

    @property
    def actor(self) -> str:
        """Returns how the audit log calls whoever has it."""
        return f"token:{self.name}"


GroupRoles = Mapping[str, Role]
EVERYBODY = "*"
"""Stands for every group, and for none."""
PERSON = "person:"


@dataclass(frozen=True, slots=True)
class SignedInPerson:
    """Somebody whom an issuer of identities has recognised. `id` is the subject there, which nobody else ever has."""

    id: str
    name: str
    role: Role

    @property
    def actor(self) -> str:
        """Returns how the audit log calls them."""
        return f"{PERSON}{self.name}"


Caller = Token | SignedInPerson


def parse_group_roles(text: str) -> GroupRoles:
    """Reads "tocsin-admins=admin; eng=operator; *=viewer". A group may hold "=" and ",". Raises ValueError."""
    roles: dict[str, Role] = {}
    for part in filter(None, (one.strip() for one in text.split(";"))):
        group, equals, role = part.rpartition("=")
        if not equals or not group.strip() or role.strip() not in list(Role):
            raise ValueError("write groups and roles such as tocsin-admins=admin; eng=operator; *=viewer")
        if roles.get(group.strip(), role.strip()) != role.strip():
            raise ValueError(f"the group {group.strip()!r} stands there with two roles: give it one")
        roles[group.strip()] = Role(role.strip())
    return roles


def known_groups(groups: Iterable[str], roles: GroupRoles) -> tuple[str, ...]:
    """Returns those of somebody's groups that have a role, in order."""
    return tuple(sorted({*groups, EVERYBODY} & roles.keys()))


def role_of(groups: Iterable[str], roles: GroupRoles) -> Role | None:
    """Returns the largest role of somebody's groups, None where they have none."""
    order = list(Role)
    return max((roles[one] for one in known_groups(groups, roles)), key=order.index, default=None)


SESSION_LASTS = timedelta(hours=12)
_SESSION = re.compile(r"session-(?P<token>tok_[0-9a-f]{32})-(?P<until>[0-9]{1,11})", re.ASCII)

_PERSON_SESSION = re.compile(r"person-(?P<said>[A-Za-z0-9_-]{4,2000})-(?P<until>[0-9]{1,11})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Session:
    """A browser that somebody signed in with a token. `until` is aware UTC, to the second.

    It may do what the token may, for as long as that is not revoked.
    """

    token_id: str
    until: datetime

    def __str__(self) -> str:
        return f"session-{self.token_id}-{int(self.until.timestamp())}"

    @classmethod
    def parse(cls, text: str) -> Session | None:
        """None for anything that `str` does not make."""
        read = _SESSION.fullmatch(text)
        if read is None:
            return None
        return cls(read["token"], datetime.fromtimestamp(int(read["until"]), UTC))

    def holds(self, now: datetime) -> bool:
        return now < self.until


@dataclass(frozen=True, slots=True)
class PersonSession:
    """A browser in which a person signed in by an issuer. `groups` are those that had a role then.

    Which role that is follows from the settings whenever it is asked.
    """

    person_id: str
    name: str
    groups: tuple[str, ...]
    until: datetime

    def __str__(self) -> str:
        said = json.dumps([self.person_id, self.name, *self.groups]).encode()
        return f"person-{base64.urlsafe_b64encode(said).decode().rstrip('=')}-{int(self.until.timestamp())}"

    @classmethod
    def parse(cls, text: str) -> PersonSession | None:
        """None for what has another form. Read only what is known to be of `str`: by its signature."""
        read = _PERSON_SESSION.fullmatch(text)
        if read is None:
            return None
        said = json.loads(base64.urlsafe_b64decode(read["said"] + "=" * (-len(read["said"]) % 4)))
        return cls(said[0], said[1], tuple(said[2:]), datetime.fromtimestamp(int(read["until"]), UTC))

    def holds(self, now: datetime) -> bool:
        return now < self.until


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One write: who did what to which resource, from where. No part of it holds a secret.

    `before` and `after` are what it changed: all of what was created or deleted, else the fields that differ.
    `actor_id` is the id of the token, `address` where the request came from; both are empty where there is none.
    `actor_name` is the name that Slack gave for somebody there; empty for others.
    """

    id: str
    at: datetime
    actor: str
    action: str
    subject: str
    detail: str
    actor_id: str = ""
    address: str = ""
    before: Mapping[str, Plain] | None = None
    after: Mapping[str, Plain] | None = None
    actor_name: str = ""


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """The answer to a request with an Idempotency-Key, and the digest of that request."""

    request_digest: str
    status: int
    body: str
    headers: tuple[tuple[str, str], ...] = ()
