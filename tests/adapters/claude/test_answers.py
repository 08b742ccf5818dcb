"""What stands beside a list is read whatever the list looks like: it says whether the report goes on."""

from __future__ import annotations

import json

import pytest

from service.adapters.claude.answers import page

MORE = b'"has_more": true, "next_page": "p2"'


@pytest.mark.parametrize(
    "body",
    [
        b'{"data": [{"a": 1}, {"a": 2}], ' + MORE + b"}",
        b'{"data":[{"a":1},\r\n\t{"a":2} ,{"a":3} ] ,' + MORE + b"}",
        b"{" + MORE + b', "data": [{"a": 1}]}',
        b'{"data": [], ' + MORE + b"}",
        b'{"before": [{"a": 1}, {"b": 2}], "data": [{"a": 1}], ' + MORE + b"}",
        b'{"before": {"a": 1}, "data": [{"a": 1}], ' + MORE + b"}",
        b'{"before": [{"a": 1}], "data": [{"a": 1}], ' + MORE + b"}",
        b'{"data": [1, 1], "count": 1, ' + MORE + b"}",
        b'{"data": [[1], [1, [1]]], ' + MORE + b"}",
        b'{"data": ["has_more\\": false", "[x]"], ' + MORE + b"}",
    ],
)
def test_a_page_has_its_entries_and_what_stands_beside_them(body: bytes) -> None:
    read = page(body)
    assert [json.loads(bytes(entry)) for entry in read.entries] == json.loads(body)["data"]
    assert (read.answer["has_more"], read.answer["next_page"]) == (True, "p2")
