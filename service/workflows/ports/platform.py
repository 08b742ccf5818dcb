"""Everything else that the workflows need from their machine: clock, schedules, pictures, secrets, the way out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from service.domain.values.resources import Sealed

Clock = Callable[[], datetime]
"""The business time: aware UTC."""


class Cron(Protocol):
    """Five fields on a wall clock in an IANA time zone.

    What falls into an hour that clocks skip comes right after it; what falls into one that they repeat comes once.
    """

    def require_sound(self, cron: str, timezone: str) -> None:
        """Raises Invalid, with a pointer, for what is no schedule, or comes more than hourly or less than yearly."""
        ...

    def latest(self, cron: str, timezone: str, at: datetime) -> datetime:
        """The last occurrence up to, and including, an instant: aware UTC."""
        ...

    def following(self, cron: str, timezone: str, at: datetime) -> datetime:
        """The first occurrence after an instant: aware UTC."""
        ...


class ChartError(Exception):
    """No picture could be made. The text is for the log."""


class Charts(Protocol):
    async def png(self, specification: Mapping[str, object]) -> bytes:
        """Draws a Vega-Lite specification, whose data is inside it. Raises ChartError, after some seconds at most."""
        ...


class Signer(Protocol):
    """Signs short texts with a key that only this installation has."""

    def sign(self, text: str) -> str:
        """Letters, digits, "-" and "_"."""
        ...

    def is_signed(self, text: str, signature: str) -> bool: ...


class VaultError(Exception):
    """A sealed secret cannot be opened. The text says what to do, and holds no secret."""


class Vault(Protocol):
    """Seals secrets for storage and opens them for their use."""

    def seal(self, secret: str) -> Sealed: ...

    def is_current(self, sealed: Sealed) -> bool:
        """Whether it is sealed with the key that seals now, not with an older one on its way out."""
        ...

    def matches(self, sealed: Sealed, secret: str) -> bool:
        """Whether it is this secret that is sealed; not so where it cannot be opened."""
        ...

    def open(self, sealed: Sealed) -> str:
        """Raises VaultError."""
        ...

    def pseudonym(self, text: str) -> str:
        """16 hexadecimal digits that stand for a text: the same each time, and nothing without the key tells which."""
        ...


class EgressRefused(Exception):
    """An address that must not be connected to. The text names it and says what to change; it holds no path."""


class AddressCheck(Protocol):
    def objection(self, url: str) -> str | None:
        """Why an http(s) URL may not be stored, None when it may. Looks nothing up.

        A name that passes is judged by its addresses whenever it is connected to.
        """
        ...


@dataclass(frozen=True, slots=True)
class Egress:
    """Sources may also be where the environment says; receivers may not."""

    sources: AddressCheck
    receivers: AddressCheck
