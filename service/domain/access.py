"""Who may do what, and the record of what was done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


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


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One write: who did what to which resource. `detail` holds no secret."""

    id: str
    at: datetime
    actor: str
    action: str
    subject: str
    detail: str


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """The answer to a request with an Idempotency-Key, and the digest of that request."""

    request_digest: str
    status: int
    body: str
    headers: tuple[tuple[str, str], ...] = ()
