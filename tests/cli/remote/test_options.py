"""What is wrong with an option is said in its own words, never by a pointer into a request."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from typer.testing import CliRunner

from service.bootstrap.errors import OptionError
from service.cli.app import cli
from service.cli.remote.options import given_by
from service.client.errors import Mistake, ValueRefused
from tests.cli.remote.rest import Answering, answering


@pytest.fixture
def rest() -> Iterator[Answering]:
    with answering({"GET /clock": {"now": "2026-11-16T12:00:00Z"}}) as server:
        yield server


def complaint(rest: Answering, *arguments: str) -> tuple[int, str]:
    """The exit code of what ends by itself, and what is said of the option."""
    environment = {"TOCSIN_TOKEN": "tcn_FAKE", "TERM": "dumb", "COLUMNS": "300"}
    ended = CliRunner().invoke(cli, [*arguments, "--url", rest.url], env=environment)
    return (2, str(ended.exception)) if isinstance(ended.exception, OptionError) else (ended.exit_code, ended.output)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("spend", "--by", "nonsense"), "--by: expected workspace, model, api_key, actor, product, cost_type,"),
        (("spend", "--by", "tag:"), "not 'tag:'"),
        (("top", "--by", "nonsense"), "'nonsense' is not one of 'workspace', 'model', 'api_key'"),
        (("drill", "--severity", "loud"), "'loud' is not one of 'info', 'warning', 'error', 'critical'"),
    ],
)
def test_what_is_no_choice_is_refused_with_the_choices_before_anything_is_asked(
    rest: Answering, arguments: tuple[str, ...], said: str
) -> None:
    code, text = complaint(rest, *arguments)
    assert (code, rest.asked) == (2, [])
    assert said in text


REFUSED = [
    ("spend --by tag:teem", "GET /spend/breakdown", "/group_by", "--by"),
    ("spend --last 9000d", "GET /spend/breakdown", "/since", "--last"),
    ("spend --source x", "GET /spend/breakdown", "/source", "--source"),
    ("top --last 9000d", "GET /spend/breakdown", "/since", "--last"),
    ("explain --rule jumps --scope eng", "GET /explanations", "/scope", "--scope"),
    ("explain --budget eng --at 2036-01-01", "GET /explanations", "/at", "--at"),
    ("ack alert_1 --note x", "POST /alerts/alert_1/acknowledge", "/note", "--note"),
    ("snooze alert_1 --for 900d", "POST /alerts/alert_1/snooze", "/until", "--for"),
    ("hand-on alert_1 nobody", "POST /alerts/alert_1/hand-on", "/to", "TO"),
    ("silence team=~x --json", "POST /silences", "/matchers/0/value", "MATCHERS"),
    ("silence team=x --for 9000d", "POST /silences", "/ends_at", "--for"),
    ("drill --json --source x", "POST /drills", "/source", "--source"),
    ("drill --json --label kind=drill", "POST /drills", "/labels/kind", "--label"),
    ("backtest --json --rule nobody", "POST /backtests", "/rule", "--rule"),
    ("backtest --json --budget eng --since 2036-01-01", "POST /backtests", "/since", "--since"),
]


@pytest.mark.parametrize(("line", "asked", "pointer", "option"), REFUSED, ids=[line for line, *_ in REFUSED])
def test_a_value_that_the_server_refuses_is_named_by_its_option(
    rest: Answering, line: str, asked: str, pointer: str, option: str
) -> None:
    refusal = {"detail": "no", "errors": [{"pointer": pointer, "detail": "cannot be", "in": "body"}]}
    rest.answers |= {asked: refusal, "GET /spend": {"items": []}}
    rest.statuses[asked] = 422
    assert complaint(rest, *line.split()) == (2, f"{option}: cannot be")


def test_what_no_option_gave_stays_the_servers_sentence() -> None:
    refused = ValueRefused(422, "both are wrong", (Mistake("/since", "too early"), Mistake("/limit", "too large")))
    with pytest.raises(ValueRefused, match="both are wrong"), given_by({"since": "--last"}):
        raise refused
    with pytest.raises(ValueRefused, match="as a whole"), given_by({"since": "--last"}):
        raise ValueRefused(422, "as a whole", (Mistake("", "as a whole"),))
