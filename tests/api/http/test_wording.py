"""What is wrong with a request is said in words that say what to send."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from service.api.http.wording import NO_BODY, PATTERNS
from tests.api.stand import BUDGET, SOURCE, Stand, problem

RAW = re.compile(r"Input should|should match|should have|Value error|timedelta|unable to|Field required|\\x00|\^\[")
"""The validating library's own words."""
JSON = {"Content-Type": "application/json"}


async def refusal(stand: Stand, document: object) -> str:
    """What a budget that cannot be is answered with."""
    document_problem = problem(await stand.admin.post("/v1/budgets", json=document), 422)
    return str(document_problem["detail"])


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("amount", "9" * 24, "/amount: too long: at most 11 digits before the point and 12 behind it"),
        ("amount", "1.0000000000001", "/amount: too long: at most 11 digits before the point and 12 behind it"),
        ("amount", "-1.00", "/amount: must not be negative"),
        ("amount", "lots", '/amount: write US dollars as a decimal string, such as "5000.00"'),
        ("name", "a\nb", "/name: write one line of text, without line breaks, tabs and other control characters"),
        ("name", "", "/name: at least 1 character"),
        ("name", "x" * 201, "/name: at most 200 characters"),
        ("name", 7, "/name: send text, in quotation marks"),
        ("enabled", "perhaps", "/enabled: send true or false"),
        ("thresholds", {}, "/thresholds: send a list: [...]"),
        ("thresholds", [7], "/thresholds/0: send an object: {...}"),
        ("thresholds", [{"percent": 0}], "/thresholds/0/percent: must be more than 0"),
        ("thresholds", [{"percent": 1.00001}], "/thresholds/0/percent: at most 4 digits behind the point"),
        ("thresholds", [{"percent": 80, "severity": "loud"}], "/thresholds/0/severity: must be 'info', "),
        ("scope", {"models": 3}, "/scope/models: send a list: [...]"),
        ("scope", [], "/scope: send an object: {...}"),
        ("labels", {"a b": "x"}, "/labels/a b: write a label: a letter or _"),
        ("labels", [], "/labels: send an object: {...}"),
        ("period", {"kind": "rolling", "days": "x"}, "/period/days: send a whole number"),
        ("period", {"kind": "lunar"}, "/period/kind: must be "),
        (
            "period",
            {"kind": "custom", "start": "2026-02-30T00:00:00Z", "end": "2026-03-01T00:00:00Z"},
            "/period/start: there is no such time",
        ),
    ],
)
async def test_a_field_that_cannot_be_is_refused_with_what_to_send(
    stand: Stand, field: str, value: Any, words: str
) -> None:
    await stand.create("/sources", SOURCE)
    said = await refusal(stand, {**BUDGET, field: value})
    assert words in said
    assert not RAW.search(said)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("since=2026-11-01T00:00:00%2B24:00", "/since: there is no such time: check the day, the hour and the offset"),
        ("since=2026-13-01", "/since: there is no such day in the calendar"),
        ("since=yesterday", "/since: write an RFC 3339 time such as"),
        ("limit=0", "/limit: must be 1 or more"),
        ("limit=501", "/limit: must be 500 or less"),
        ("limit=x", "/limit: send a whole number"),
        ("state=odd", "/state: must be 'firing'"),
        ("cursor=%20", "/cursor: write the `next` of an earlier answer"),
        ("colour=1", "/colour: unknown field"),
    ],
)
async def test_a_query_that_cannot_be_is_refused_with_what_to_send(stand: Stand, query: str, words: str) -> None:
    said = str(problem(await stand.admin.get(f"/v1/alerts?{query}"), 422)["detail"])
    assert words in said
    assert not RAW.search(said)


@pytest.mark.parametrize("body", [b"[]", b"null", b'"x"', b"", b"12"])
async def test_a_body_that_is_no_object_is_told_so_without_an_empty_pointer(stand: Stand, body: bytes) -> None:
    refused = problem(await stand.admin.post("/v1/budgets", content=body, headers=JSON), 422)
    assert refused["detail"] == NO_BODY
    without_type = problem(await stand.admin.post("/v1/budgets", content=json.dumps(BUDGET).encode()), 422)
    assert without_type["detail"] == NO_BODY


async def test_every_pattern_of_the_api_is_known_in_words(described: dict[str, Any]) -> None:
    own = {"^[0-9]{1,7}[smhd]$", r"^([01][0-9]|2[0-4]):([0-5][0-9])$"}  # read by functions with words of theirs
    found = re.findall(r'"pattern": ("(?:[^"\\]|\\.)*")', json.dumps(described))
    assert {json.loads(one) for one in found} - own <= set(PATTERNS)
