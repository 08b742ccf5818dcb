"""The whole configuration as JSON, and what applying one changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import cache

from pydantic import BaseModel, Field, JsonValue, TypeAdapter

from service.api.budgets.budgets import BudgetIn
from service.api.digests.digests import DigestIn
from service.api.http.fields import Strict
from service.api.notify.escalation_policies import EscalationPolicyIn
from service.api.notify.receivers import ReceiverIn
from service.api.notify.rotas import RotaIn
from service.api.notify.route_documents import RoutesDocument
from service.api.rules.planned_activities import PlannedActivityIn
from service.api.rules.rules import RuleIn
from service.api.slack.users import SlackUsersIn
from service.api.sources.owner_documents import OwnersDocument
from service.api.sources.prices import PriceIn
from service.api.sources.sources import SourceIn

MOST = 2000
"""Resources of one kind."""


class ConfigIn(Strict):
    """Resources by kind, known by their names. What is left out of a resource is as usual; a kind that is left out is
    not touched.
    """

    sources: list[SourceIn] | None = Field(default=None, max_length=MOST)
    prices: list[PriceIn] | None = Field(default=None, max_length=MOST)
    receivers: list[ReceiverIn] | None = Field(default=None, max_length=MOST)
    rotas: list[RotaIn] | None = Field(default=None, max_length=MOST)
    escalation_policies: list[EscalationPolicyIn] | None = Field(default=None, max_length=MOST)
    routes: RoutesDocument | None = None
    slack_users: SlackUsersIn | None = None
    owners: OwnersDocument | None = None
    budgets: list[BudgetIn] | None = Field(default=None, max_length=MOST)
    rules: list[RuleIn] | None = Field(default=None, max_length=MOST)
    planned_activities: list[PlannedActivityIn] | None = Field(default=None, max_length=MOST)
    digests: list[DigestIn] | None = Field(default=None, max_length=MOST)


class ConfigAction(StrEnum):
    CREATE = "create"
    CHANGE = "change"
    DELETE = "delete"
    KEEP = "keep"
    """Stored, of a kind that the document has, and not in it: left as it is."""


class FieldChangeOut(BaseModel):
    """One value that differs. A secret is shown as the stub of a read."""

    pointer: str = Field(description="JSON pointer into the resource", examples=["/amount"])
    before: JsonValue
    after: JsonValue


class ConfigChangeOut(BaseModel):
    kind: str = Field(examples=["budgets"])
    name: str = Field(
        examples=["eng monthly"], description="empty for routes, slack_users and owners, of which there is one"
    )
    action: ConfigAction
    fields: list[FieldChangeOut]


class ConfigPlanOut(BaseModel):
    """The differences between the document and what is stored. `applied`: it was carried out."""

    applied: bool
    changes: list[ConfigChangeOut] = Field(description="in the order in which they are made; what stays is left out")


def as_written(shown: BaseModel, written: type[BaseModel]) -> dict[str, JsonValue]:
    """Returns a read resource as one would write it: without what cannot be written, and what is as usual anyway."""
    document: dict[str, JsonValue] = shown.model_dump(mode="json", by_alias=True)
    usual = _usual(written)
    kept = {name for name, field in written.model_fields.items() if not field.exclude}
    names = {written.model_fields[name].alias or name for name in kept}
    return {name: value for name, value in document.items() if name in names and usual.get(name, ...) != value}


@cache
def _usual(written: type[BaseModel]) -> Mapping[str, JsonValue]:
    """Returns the values of the fields that may be left out."""
    return {
        field.alias or name: TypeAdapter(field.rebuild_annotation()).dump_python(
            field.get_default(call_default_factory=True), mode="json", by_alias=True
        )
        for name, field in written.model_fields.items()
        if not field.is_required()
    }


def differing(before: JsonValue, after: JsonValue, pointer: str = "") -> Iterator[FieldChangeOut]:
    """Yields the innermost values that differ; lists are compared as a whole."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name in sorted(before.keys() | after.keys()):
            yield from differing(before.get(name), after.get(name), f"{pointer}/{_escaped(name)}")
    elif before != after:
        yield FieldChangeOut(pointer=pointer, before=before, after=after)


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
