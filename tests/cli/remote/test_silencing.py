"""A silence is made of matchers as people type them, and ended by its name."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from service.bootstrap.errors import StartError
from service.cli.remote.silencing import SilenceWanted, end, read_matchers, silence
from service.client import Server
from tests.cli.remote.rest import answering, screen

NOW = datetime(2026, 11, 16, 12, tzinfo=UTC)
MADE = {
    "id": "sil_1",
    "name": "load test",
    "ends_at": "2026-11-16T16:00:00Z",
    "doubts": ["no alert has team='enq' so far; the nearest: eng"],
}


def test_all_four_comparisons_are_read_and_a_value_may_hold_signs() -> None:
    read = read_matchers(["team=eng", "team!=eng", "workspace=~prod-.*", "workspace!~a=b"])
    assert [(one["label"], one["op"], one["value"]) for one in read] == [
        ("team", "=", "eng"),
        ("team", "!=", "eng"),
        ("workspace", "=~", "prod-.*"),
        ("workspace", "!~", "a=b"),
    ]
    for wrong in ("team", "=eng", "te am=eng"):
        with pytest.raises(StartError, match="is no matcher"):
            read_matchers([wrong])


def test_its_end_and_its_doubts_are_said() -> None:
    out, text = screen()
    with answering({"POST /silences": MADE}) as rest:
        silence(Server(rest.url, "tcn_FAKE"), SilenceWanted(("team=enq",), "4h", "load test", ""), NOW, out)
    assert text.getvalue().splitlines() == [
        "load test: silent until 16:00 UTC, Mon 16 Nov.",
        "    no alert has team='enq' so far; the nearest: eng",
        "End it before: tocsin silence --end sil_1",
    ]
    assert rest.asked[0][2] == {
        "name": "team=enq since 2026-11-16 12:00:00",
        "matchers": [{"label": "team", "op": "=", "value": "enq"}],
        "ends_at": "2026-11-16T16:00:00+00:00",
        "comment": "load test",
    }


def test_it_is_ended_by_a_name_with_a_slash() -> None:
    out, text = screen()
    with answering({"POST /silences/load%2Ftest/expire": MADE}) as rest:
        end(Server(rest.url, "tcn_FAKE"), "load/test", out)
    assert text.getvalue().startswith("load test has ended")


def test_a_length_that_is_none_is_refused() -> None:
    with pytest.raises(StartError, match="--for: not a duration"):
        SilenceWanted(("team=eng",), "a while", "", "").body(NOW)
