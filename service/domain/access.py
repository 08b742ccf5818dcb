"""Who may do what, and the record of what was done."""

from __future__ import annotations

import re
from collections.abc import Mapping
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


SESSION_LASTS = timedelta(hours=12)
_SESSION = re.compile(r"session-(?P<token>tok_[0-9a-f]{32})-(?P<until>[0-9]{1,11})", re.ASCII)


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
