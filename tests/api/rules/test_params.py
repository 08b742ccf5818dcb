"""Words for parameters and gates: the JSON Schema, the documents and the forms have the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path

import pytest

from service.api.rules.params import params_schema
from service.api.rules.rules import GatesIn
from service.domain.access import Role
from service.domain.rules.registry import KINDS
from service.domain.rules.rule import Gates
from service.domain.values.parameters import Parameter, parameters
from tests.api.dashboard.browser import signed_in
from tests.api.stand import SOURCE, Stand

DOCUMENT = Path(__file__).parents[3] / "docs" / "rules.md"


def rows() -> Iterator[str]:
    """Yields the table of docs/rules.md: every parameter of every kind, then the gates."""
    for kind in KINDS.values():
        schema = params_schema(kind.name)["properties"]
        for name, words in parameters(kind.params).items():
            usual = schema[name]["default"]
            default = ", ".join(f"`{one}`" for one in (usual if isinstance(usual, list) else [usual]))
            yield f"| `{kind.name}` | `{name}` | {default} | {said(words)} |"
    for name, words in parameters(Gates).items():
        yield f"| `gates` | `{name}` | [of the kind](#gates) | {said(words)} |"


def said(words: Parameter) -> str:
    values = "; ".join(word if value == word else f"`{value}`: {word}" for value, word in words.words.items())
    return " ".join(part for part in (f"*{words.label}*:", words.about, f"{values}." if values else "") if part)


def test_the_documents_say_what_the_forms_say() -> None:
    table = "\n".join(rows())
    assert table in DOCUMENT.read_text("utf-8"), f"the table of docs/rules.md has to be:\n{table}"


@pytest.mark.parametrize("properties", [*(params_schema(kind)["properties"] for kind in KINDS), {}])
def test_the_schema_says_what_the_forms_say(properties: Mapping[str, Mapping[str, str]]) -> None:
    known = [parameters(kind.params) for kind in KINDS.values() if {*parameters(kind.params)} == {*properties}]
    schema, words = (properties, known[0]) if known else (GatesIn.model_json_schema()["properties"], parameters(Gates))
    for name, told in words.items():
        assert schema[name].get("title", told.label) == told.label
        assert schema[name].get("description", "") == told.about, name


def test_every_parameter_has_words_of_its_own() -> None:
    for kind in KINDS.values():
        for name, words in parameters(kind.params).items():
            assert words.about or words.words, f"{kind.name}.{name}: mark it with a Parameter"
            choices = params_schema(kind.name)["$defs"] if words.words and "$defs" in params_schema(kind.name) else {}
            values = {value for one in choices.values() for value in one.get("enum", ())}
            assert not values or {*words.words} <= values | {"workspace"}, name


@pytest.mark.parametrize("kind", sorted(KINDS))
async def test_the_form_shows_them(stand: Stand, kind: str) -> None:
    await stand.create("/sources", SOURCE)
    page = (await (await signed_in(stand, Role.ADMIN)).get(f"/pages/rules/new?kind={kind}")).text
    for words in (*parameters(KINDS[kind].params).values(), *parameters(Gates).values()):
        assert f"{escape(words.label)}" in page.replace("&#39;", "&#x27;")
        assert escape(words.about) in page.replace("&#39;", "&#x27;"), words.label
