"""An expected failure is one line that says what to do, and its exit code tells a mistake of the caller from others."""

from __future__ import annotations

import pytest

from service.bootstrap.errors import OptionError, StartError
from service.cli.failures import explain
from service.client.errors import NoAnswer, RequestRefused, TokenRefused
from service.domain.values.errors import Invalid, NotFound


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (OptionError("--last: not a duration: 'soon'"), 2, "--last: not a duration"),
        (StartError("another one runs"), 1, "another one runs"),
        (NoAnswer("http://127.0.0.1:1: Connection refused"), 1, "Connection refused. Does Tocsin run there? --url"),
        (TokenRefused(401, "This token is not known"), 1, "`tocsin token create`"),
        (RequestRefused(422, "no"), 1, "no"),
        (Invalid("must be an earlier day", "/since"), 1, "since: must be an earlier day"),
        (NotFound("there is no source 'x'"), 1, "there is no source 'x'"),
    ],
)
def test_a_failure_says_what_to_do(error: Exception, code: int, said: str) -> None:
    explained = explain(error)
    assert explained is not None
    assert explained[1] == code
    assert said in explained[0]


def test_a_defect_is_none() -> None:
    assert explain(KeyError("x")) is None
