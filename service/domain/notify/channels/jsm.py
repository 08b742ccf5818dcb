"""Jira Service Management's alerts, or Opsgenie's: the same API at another address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from service.domain.notify.channels.documents import LINK, Form, JsonDocument, JsonField, without_slash
from service.domain.notify.channels.doubts import integration_key
from service.domain.notify.channels.traits import PAGED, Audience, Traits
from service.domain.notify.page_links import LinkUse
from service.domain.values.resources import Sealed

JSM_API = "https://api.atlassian.com/jsm/ops/integration"
"""Jira Service Management's; Opsgenie's own, https://api.opsgenie.com, ends in April 2027."""


@dataclass(frozen=True, slots=True)
class Jsm:
    """An API integration; its key is the secret."""

    api_key: Annotated[Sealed, JsonField(Form.SECRET, doubt=integration_key)]
    api_url: Annotated[str, JsonField(Form.ADDRESS, read=without_slash)] = JSM_API
    link: Annotated[LinkUse, LINK] = LinkUse.ANSWER
    kind: Literal["jsm"] = "jsm"

    document: ClassVar[JsonDocument] = JsonDocument(
        "jsm", "Jira Service Management, or Opsgenie by its `api_url`, with the key of an API integration."
    )
    traits: ClassVar[Traits] = Traits(PAGED, Audience.ON_CALL)

    @property
    def identity(self) -> str:
        return self.api_key.digest
