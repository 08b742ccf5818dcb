"""A Prometheus Alertmanager."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from service.domain.notify.channels.documents import LINK, Form, JsonDocument, JsonField, without_slash
from service.domain.notify.channels.traits import ANNOUNCED, Audience, Traits
from service.domain.notify.notification import Action
from service.domain.notify.page_links import LinkUse
from service.domain.values.resources import Sealed


@dataclass(frozen=True, slots=True)
class Alertmanager:
    """Every member of a cluster: they do not share the alerts that each is sent.

    `authorization` is the header's value for members behind a login.
    """

    urls: Annotated[
        tuple[str, ...], JsonField(Form.ADDRESS, example="http://alertmanager:9093", most=10, read=without_slash)
    ]
    authorization: Annotated[
        Sealed | None, JsonField(Form.CREDENTIALS, "the Authorization header, for members behind a login")
    ] = None
    link: Annotated[LinkUse, LINK] = LinkUse.READ
    kind: Literal["alertmanager"] = "alertmanager"

    document: ClassVar[JsonDocument] = JsonDocument(
        "alertmanager", "A Prometheus Alertmanager: the address of every member of its cluster."
    )
    traits: ClassVar[Traits] = Traits(ANNOUNCED | {Action.AMEND, Action.SNOOZE}, Audience.ON_CALL, repeated=True)

    @property
    def identity(self) -> str:
        return ",".join(sorted(self.urls))
