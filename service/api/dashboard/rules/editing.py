"""Creating, changing and deleting a rule by forms, whose controls follow from the kind's parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import JsonValue

from service.api.dashboard.documents.controls import Control, ControlKind, Document, Parts
from service.api.dashboard.documents.pages import ResourcePages, editing_router
from service.api.dashboard.rules.pages import PLACE
from service.api.dashboard.scope_controls import EACH, SCOPE, SEVERITIES, source_controls
from service.api.rules.params import OFF, params_schema, show_params
from service.api.rules.rules import GatesOut, RuleShape, show_gates
from service.domain.access import Role
from service.domain.rules.kind import RuleKind
from service.domain.rules.registry import KINDS
from service.domain.rules.rule import Gates
from service.domain.values.parameters import Parameter, parameters
from service.workflows.configuration.rules import Rules
from service.workflows.ports.unit_of_work import UnitOfWork

USUAL_KIND = "anomaly"


async def rule_parts(uow: UnitOfWork, document: Document) -> Parts:
    kind = KINDS[str(document["kind"])]
    each = [one for one in EACH if not one[0] or one[0] in kind.for_each]
    return (
        Control("/name", "Name", hint="As alerts call it.", is_required=True),
        Control("/kind", "Kind", ControlKind.FIXED),
        *await source_controls(uow, document),
        Control("/severity", "Severity", ControlKind.CHOICE, choices=SEVERITIES),
        *_params(kind),
        *_gates(kind),
        *((Control("/for_each", "Judged for", ControlKind.CHOICE, choices=each),) if len(each) > 1 else ()),
        *(SCOPE if kind.judges_bill else ()),
        Control("/labels", "Labels", ControlKind.PAIRS, "One a line, such as team=eng. Routes match them."),
        Control("/enabled", "Watch by this rule", ControlKind.TICK),
    )


def _params(kind: RuleKind[object]) -> Iterator[Control]:
    """Yields a control for each of a kind's parameters, by its JSON Schema."""
    schema, words = params_schema(kind.name), parameters(kind.params)
    for name, property in schema["properties"].items():
        yield _control(f"/params/{name}", words[name], _resolved(property, schema), property["default"])


def _gates(kind: RuleKind[object]) -> Iterator[Control]:
    schema, usual = GatesOut.model_json_schema(), show_gates(kind.gates).model_dump(mode="json")
    for name, words in parameters(Gates).items():
        yield _control(f"/gates/{name}", words, schema["properties"][name], usual[name])


def _resolved(property: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = property.get("$ref", "").rpartition("/")[2]
    resolved: Mapping[str, Any] = schema["$defs"][reference] if reference else property
    return resolved


def _control(pointer: str, words: Parameter, property: Mapping[str, Any], usual: JsonValue) -> Control:
    if "enum" in property:
        choices = [(one, words.words.get(one, one.replace("_", " "))) for one in property["enum"]]
        return Control(pointer, words.label, ControlKind.CHOICE, words.about, choices=choices)
    if property.get("type") == "array":
        hint = f"{words.about} One a line: {', '.join(property['items']['enum'])}."
        return Control(pointer, words.label, ControlKind.LINES, hint)
    asked = property["anyOf"][0] if "anyOf" in property else property
    entry = ControlKind.NUMBER if asked.get("type") in ("integer", "number") else ControlKind.LINE
    return Control(pointer, words.label, entry, " ".join((words.about, *_usual(property, usual))))


def _usual(property: Mapping[str, Any], usual: JsonValue) -> Iterator[str]:
    """Yields what else may be written, and what holds where nothing is."""
    if {"const": OFF} in property.get("anyOf", ()):
        yield f"Write {OFF} where it is not asked."
    yield f"Usual: {usual}." if usual is not None else "Usual: empty."


def fresh_rule(given: Mapping[str, str]) -> Document:
    """Returns a new rule's document, of the kind that a link or a form names."""
    asked = given.get("/kind") or given.get("kind") or USUAL_KIND
    kind = KINDS.get(asked, KINDS[USUAL_KIND])
    return {
        "kind": kind.name,
        "name": given.get("name", ""),
        "severity": "warning",
        "params": show_params(kind.name, kind.params()),
        "gates": show_gates(kind.gates).model_dump(mode="json"),
        "enabled": True,
    }


def at_setting(document: Document, query: Mapping[str, str]) -> Document:
    """Returns a rule's document at the setting that a link asks for: "sensitivity low", "min_percent 45"."""
    name, _, value = query.get("setting", "").strip().replace("min ", "min_").partition(" ")
    for place in ("params", "gates"):
        inside = document.get(place)
        if isinstance(inside, Mapping) and name in inside and value:
            return {**document, place: {**inside, name: _like(inside[name], value)}}
    return document


def _like(known: JsonValue, text: str) -> JsonValue:
    """Returns a text as a value of the kind that is there already."""
    plain = text.removeprefix("$").replace(",", "")
    if isinstance(known, str):
        return plain
    try:
        number = float(plain)
    except ValueError:
        return known
    return int(number) if number.is_integer() else number


def _about_its_kind(document: Document) -> str:
    kind = KINDS.get(str(document.get("kind")))
    return f"{kind.title}: {kind.description}" if kind else ""


PAGES = ResourcePages(
    path=PLACE,
    place="Rules",
    kind=Rules(),
    shape=RuleShape(),
    parts=rule_parts,
    fresh=fresh_rule,
    leads_to=lambda rule: f"{PLACE}/{rule.id}",
    extended=at_setting,
    told=_about_its_kind,
    trial=f"{PLACE}/try",
    opens=Role.OPERATOR,
)
router = editing_router(PAGES)
