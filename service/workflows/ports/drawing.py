"""Charts as pictures, and signatures for links that need no login."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol


class ChartError(Exception):
    """No picture could be made. The text is for the log."""


class Charts(Protocol):
    async def png(self, specification: Mapping[str, object]) -> bytes:
        """Draws a Vega-Lite specification, whose data is inside it. Raises ChartError, after some seconds at most."""
        ...


class ChartFailures(Protocol):
    async def note(self, about: str, error: str, at: datetime) -> None:
        """No picture of an alert of this kind, or of a digest."""
        ...

    async def count(self) -> int:
        """Since ever; it never falls."""
        ...


class Signer(Protocol):
    """Signs short texts with a key that only this installation has."""

    def sign(self, text: str) -> str:
        """Letters, digits, "-" and "_"."""
        ...

    def is_signed(self, text: str, signature: str) -> bool: ...
