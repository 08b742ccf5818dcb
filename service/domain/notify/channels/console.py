"""The terminal or log of the worker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from service.domain.notify.alert_links import LinkUse
from service.domain.notify.channels.documents import JsonDocument
from service.domain.notify.channels.traits import EDITED, Traits


@dataclass(frozen=True, slots=True)
class Console:
    """Prints every message, and prints it again instead of editing it."""

    kind: Literal["console"] = "console"

    document: ClassVar[JsonDocument] = JsonDocument("console", "The terminal or log of the worker.")
    traits: ClassVar[Traits] = Traits(EDITED, kept_current=True, link=LinkUse.NONE)

    @property
    def identity(self) -> str:
        return ""
