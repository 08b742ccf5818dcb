"""Pigeons, from a loft that they come home to. This file becomes service/domain/notify/channels/pigeon.py."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, ClassVar, Literal

from service.domain.notify.channels.documents import LINK, Form, JsonDocument, JsonField, without_slash
from service.domain.notify.channels.traits import EDITED, ChartUse, Rate, Traits
from service.domain.notify.page_links import LinkUse
from service.domain.values.resources import Sealed


def _tune(whistle: str) -> str:
    if set(whistle) - set("abcdefg"):
        raise ValueError("a whistle knows the notes a to g")
    return whistle


@dataclass(frozen=True, slots=True)
class Pigeon:
    """A flock: it listens to a whistle, and carries what a ring of this colour may carry."""

    loft: Annotated[str, JsonField(Form.ADDRESS, "where they live", example="https://loft.example", read=without_slash)]
    whistle: Annotated[Sealed, JsonField(Form.SECRET, "the tune that they obey", read=_tune)]
    ring: Literal["red", "blue"] = "blue"
    link: Annotated[LinkUse, LINK] = LinkUse.READ
    kind: Literal["pigeon"] = "pigeon"

    document: ClassVar[JsonDocument] = JsonDocument("pigeon", "A flock of pigeons.")
    traits: ClassVar[Traits] = Traits(
        EDITED, chart=ChartUse.LINKED, kept_current=True, repeated=True, rate=Rate(1, timedelta(minutes=1))
    )

    @property
    def identity(self) -> str:
        return self.loft
