"""Mail, to every address of the channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from service.domain.notify.channels.documents import LINK, Form, JsonDocument, JsonField
from service.domain.notify.channels.traits import ANNOUNCED, ChartUse, Traits
from service.domain.notify.page_links import LinkUse


@dataclass(frozen=True, slots=True)
class Email:
    """One mail to all addresses."""

    to: Annotated[tuple[str, ...], JsonField(Form.MAIL_ADDRESS, example="finops@example.com", most=50)]
    link: Annotated[LinkUse, LINK] = LinkUse.ANSWER
    kind: Literal["email"] = "email"

    document: ClassVar[JsonDocument] = JsonDocument("email")
    traits: ClassVar[Traits] = Traits(ANNOUNCED, chart=ChartUse.CARRIED)

    @property
    def identity(self) -> str:
        return ",".join(self.to)
