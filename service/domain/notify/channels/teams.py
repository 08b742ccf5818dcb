"""Microsoft Teams, by a workflow that posts what its webhook gets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from service.domain.notify.channels.documents import LINK, Form, JsonDocument, JsonField
from service.domain.notify.channels.doubts import teams_workflow
from service.domain.notify.channels.traits import ANNOUNCED, Traits
from service.domain.notify.page_links import LinkUse
from service.domain.values.resources import Sealed


@dataclass(frozen=True, slots=True)
class Teams:
    """A workflow of a team's channel. The URL is the secret."""

    webhook_url: Annotated[Sealed, JsonField(Form.SECRET_ADDRESS, doubt=teams_workflow)]
    link: Annotated[LinkUse, LINK] = LinkUse.ANSWER
    kind: Literal["teams"] = "teams"

    document: ClassVar[JsonDocument] = JsonDocument(
        "teams", "A Microsoft Teams workflow, by the address that it waits for posts at."
    )
    traits: ClassVar[Traits] = Traits(ANNOUNCED)

    @property
    def identity(self) -> str:
        return self.webhook_url.digest
