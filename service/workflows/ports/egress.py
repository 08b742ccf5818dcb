"""Where the product may connect to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


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
