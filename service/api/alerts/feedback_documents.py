"""Feedback in answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from pydantic import BaseModel, Field

from service.domain.messages.people import known_as
from service.domain.rules.feedback import FeedbackKind, GivenFeedback
from service.domain.slack.requests import name_in
from service.workflows.ports.unit_of_work import UnitOfWork


class FeedbackOut(BaseModel):
    """One answer about one scope. Withdrawn, it is still shown: what was judged before was judged with it."""

    id: str
    source: str
    rule_id: str
    rule: str = Field(description="the rule's name; its id where it is gone")
    alert_id: str
    scope: str = Field(examples=["org", "workspace:wrkspc_01"])
    kind: FeedbackKind
    first_day: date
    last_day: date
    note: str
    given_at: datetime
    given_by: str = Field(examples=["token:deploy"])
    given_by_name: str = Field(description="as people know them", examples=["deploy"])
    withdrawn_at: datetime | None
    withdrawn_by: str | None


async def show_feedback(uow: UnitOfWork, given: Sequence[GivenFeedback]) -> list[FeedbackOut]:
    if not given:
        return []
    sources = await uow.sources.named()
    rules = await uow.rules.named()
    return [_show(one, sources, rules) for one in given]


def _show(one: GivenFeedback, sources: Mapping[str, str], rules: Mapping[str, str]) -> FeedbackOut:
    said = one.feedback
    return FeedbackOut(
        id=one.id,
        source=sources.get(one.source_id, one.source_id),
        rule_id=one.rule_id,
        rule=rules.get(one.rule_id, one.rule_id),
        alert_id=one.alert_id,
        scope=str(said.scope),
        kind=said.kind,
        first_day=said.first_day,
        last_day=said.last_day,
        note=one.note,
        given_at=said.given_at,
        given_by=one.given_by,
        given_by_name=known_as(one.given_by, name_in(one.given_by, one.note)),
        withdrawn_at=one.withdrawn_at,
        withdrawn_by=one.withdrawn_by,
    )
