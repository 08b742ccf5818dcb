"""Evidence in answers: one module a kind that has names of its own there; every other follows from its dataclass."""

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import BaseModel, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from service.api.alerts.evidence.budget import BudgetEvidenceOut, show_budget_evidence
from service.api.alerts.evidence.derived import derived_document, show_derived_evidence
from service.api.alerts.evidence.rule import RuleEvidenceOut, show_rule_evidence
from service.api.alerts.evidence.stale_source import StaleEvidenceOut, show_stale_evidence
from service.api.alerts.evidence.undelivered import UndeliveredEvidenceOut, show_undelivered_evidence
from service.domain.alerts.evidence import ALERT_KINDS, Evidence

OWN: dict[str, tuple[type[BaseModel], Callable[[Any], BaseModel]]] = {
    "budget": (BudgetEvidenceOut, show_budget_evidence),
    "rule": (RuleEvidenceOut, show_rule_evidence),
    "stale_source": (StaleEvidenceOut, show_stale_evidence),
    "undelivered": (UndeliveredEvidenceOut, show_undelivered_evidence),
}
"""The kinds, by their word, that do not follow from their dataclass."""


def show_evidence(evidence: Evidence) -> BaseModel:
    _, show = OWN.get(evidence.kind, (None, show_derived_evidence))
    return show(evidence)


class AlertKind(str):
    """The word of a kind. Its schema lists the kinds that there are when it is asked for."""

    __slots__ = ()

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.str_schema(ref=cls.__name__)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "enum": list(ALERT_KINDS), "title": cls.__name__}


class _AnyKind:
    """Marks a document of any kind, made by `show_evidence`. Its schema lists those of all kinds."""

    def __get_pydantic_core_schema__(self, source: type, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.any_schema()

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        documents = [OWN[kind][0] if kind in OWN else derived_document(ALERT_KINDS[kind]) for kind in ALERT_KINDS]
        return handler(core_schema.union_schema([one.__pydantic_core_schema__ for one in documents]))


EvidenceOut = Annotated[object, _AnyKind(), Field(title="Evidence")]
