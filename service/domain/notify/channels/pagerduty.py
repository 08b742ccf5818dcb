"""PagerDuty, by a service's Events API v2 integration."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, ClassVar, Literal

from service.domain.notify.channels import doubts
from service.domain.notify.channels.documents import LINK, Form, JsonDocument, JsonField, without_slash
from service.domain.notify.channels.traits import PAGED, Audience, ChartUse, Rate, Traits
from service.domain.notify.page_links import LinkUse
from service.domain.values.resources import Sealed

PAGERDUTY_API = "https://events.pagerduty.com"
TWO_A_SECOND = Rate(2, timedelta(seconds=1))
"""PagerDuty takes 120 events a minute and integration: https://developer.pagerduty.com/docs/events-api-v2-overview."""


@dataclass(frozen=True, slots=True)
class PagerDuty:
    """An integration of a service; its routing key is the secret."""

    routing_key: Annotated[
        Sealed, JsonField(Form.SECRET, example="FAKE-routing-key-of-32-characters", doubt=doubts.routing_key)
    ]
    api_url: Annotated[str, JsonField(Form.ADDRESS, read=without_slash)] = PAGERDUTY_API
    link: Annotated[LinkUse, LINK] = LinkUse.ANSWER
    kind: Literal["pagerduty"] = "pagerduty"

    document: ClassVar[JsonDocument] = JsonDocument(
        "pagerduty", "A PagerDuty service, by the integration key of its Events API v2 integration."
    )
    traits: ClassVar[Traits] = Traits(PAGED, Audience.ON_CALL, ChartUse.LINKED, rate=TWO_A_SECOND)

    @property
    def identity(self) -> str:
        return self.routing_key.digest
