"""The terminal or log of the worker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from service.domain.notify.channels.documents import LINK, JsonDocument
from service.domain.notify.channels.traits import EDITED, Traits
from service.domain.notify.page_links import LinkUse


@dataclass(frozen=True, slots=True)
class Console:
    """Prints every message, and prints it again instead of editing it."""

    link: Annotated[LinkUse, LINK] = LinkUse.NONE
    kind: Literal["console"] = "console"

    document: ClassVar[JsonDocument] = JsonDocument("console", "The terminal or log of the worker.")
    traits: ClassVar[Traits] = Traits(EDITED, kept_current=True)

    @property
    def identity(self) -> str:
        return ""
