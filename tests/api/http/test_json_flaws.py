from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.api.http.json_flaws import DEEPEST, flaws, read_sound
from tests.api.stand import BUDGET, SOURCE, Stand, pointers, problem

JSON = {"Content-Type": "application/json"}
LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=20)
DOCUMENTS = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4)
)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"a": 1, "a": 1}', ("a",)),
        ('{"a": [{"b": 1, "c": 2, "b": 3}]}', ("a", 0, "b")),
        ('{"a": 1, "\\u0061": 2}', ("a",)),
        ('{"a": {"b": NaN}}', ("a", "b")),
        ("[1, -Infinity]", (1,)),
        ('{"a": 1e999}', ("a",)),
        ("[" * 40 + "]" * 40, (0,) * DEEPEST),
    ],
)
def test_a_flaw_has_its_place(text: str, place: tuple[int | str, ...]) -> None:
    assert [found for found, _ in flaws(text)] == [place]


@given(DOCUMENTS)
@settings(deadline=None)
def test_what_a_writer_of_json_makes_has_no_flaw(document: object) -> None:
    text = json.dumps(document)
    assert flaws(text) == []
    assert read_sound(text) == document


@given(st.text(alphabet='{}[]",:\\ntrue0.eE-+Na ', max_size=200) | st.binary(max_size=200))
@settings(deadline=None)
def test_any_text_is_read_or_refused(text: str | bytes) -> None:
    try:
        read_sound(text)
    except ValueError:
        return
    assert flaws(text) == []


def test_a_document_without_an_end_of_levels_is_refused() -> None:
    for text in ("[" * 200_000, '{"a":' * 200_000, "[" * 200_000 + "]" * 200_000):
        with pytest.raises(ValueError, match=r"nested|Expecting"):
            read_sound(text)


async def test_every_operation_with_a_body_refuses_doubled_keys_no_numbers_and_depth(
    stand: Stand, described: dict[str, Any]
) -> None:
    await stand.create("/sources", SOURCE)
    deep = "[" * 200 + "]" * 200
    bodies = {
        '{"colour": 1, "colour": 2}': "/colour",
        '{"labels": {"team": "a", "team": "b"}}': "/labels/team",
        '{"colour": [NaN]}': "/colour/0",
        '{"colour": Infinity}': "/colour",
        f'{{"colour": {deep}}}': "/colour" + "/0" * (DEEPEST - 1),
    }
    walked = 0
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            if "application/json" not in operation.get("requestBody", {}).get("content", {}):
                continue
            walked += 1
            for body, pointer in bodies.items():
                target = path.replace("{", "").replace("}", "")
                answer = await stand.admin.request(method, target, content=body, headers=JSON)
                assert pointers(answer) == [pointer], (method, path, body)
    assert walked >= 30


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b'{"labels": ' + b"[" * 5_000 + b"]" * 5_000 + b"}", 422, f"nested more than {DEEPEST} levels deep"),
        (b'{"labels": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}", 422, "nested more than"),
        (b'{"amount": ' + b"9" * 5_000 + b"}", 422, "a number has more than 4300 digits"),
        (b'{"name": "\xff"}', 400, "The body is not UTF-8 text"),
        (b'{"name": ', 400, "The body is not JSON"),
    ],
)
async def test_a_body_that_cannot_be_read_is_told_why(stand: Stand, body: bytes, status: int, words: str) -> None:
    refusal = problem(await stand.admin.post("/v1/budgets", content=body, headers=JSON), status)
    assert words in refusal["detail"]


async def test_a_budget_with_two_amounts_is_refused_and_names_the_key(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    body = '{"name": "a", "amount": "10000.00", "amount": "1.00"}'
    (error,) = problem(await stand.admin.post("/v1/budgets", content=body, headers=JSON), 422)["errors"]
    assert error["pointer"] == "/amount"
    assert error["detail"] == "the key 'amount' stands twice in one object"


async def test_no_byte_that_cannot_be_stored_gets_through_a_path_a_query_or_a_body(
    stand: Stand, described: dict[str, Any]
) -> None:
    await stand.create("/sources", SOURCE)
    await stand.create("/budgets", BUDGET)
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            named = [one["name"] for one in operation.get("parameters", []) if one["in"] == "query"]
            odd = path.replace("{", "").replace("}", "%00")
            answers = [await stand.admin.request(method, odd)] if odd != path else []
            for name in named:
                answers.append(await stand.admin.request(method, f"{odd.replace('%00', '')}?{name}=a%00b"))
            if "application/json" in operation.get("requestBody", {}).get("content", {}):
                body = _with_nul(_example(operation))
                answers.append(await stand.admin.request(method, odd.replace("%00", ""), json=body))
            for answer in answers:
                assert 400 <= answer.status_code < 500, (method, str(answer.url), answer.text)


def _example(operation: dict[str, Any]) -> Any:
    examples = operation["requestBody"]["content"]["application/json"].get("examples", {})
    return next((one["value"] for one in examples.values()), {})


def _with_nul(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _with_nul(inner) for name, inner in value.items()} or {"note": "\x00"}
    if isinstance(value, list):
        return [_with_nul(inner) for inner in value]
    return f"{value}\x00" if isinstance(value, str) else value
