from __future__ import annotations

from datetime import timedelta

import pytest

from service.domain.notify.routing.matchers import Matcher, Op
from service.domain.slack.silence_command import EVERY_ALERT, SilenceCommand, read_silence_command
from service.domain.values.errors import Invalid

TWO_HOURS = timedelta(hours=2)


@pytest.mark.parametrize(
    ("words", "matchers"),
    [
        ("severity=warning", [Matcher("severity", Op.EQUAL, "warning")]),
        (
            "severity!=critical workspace=eng",
            [Matcher("severity", Op.NOT_EQUAL, "critical"), Matcher("workspace", Op.EQUAL, "eng")],
        ),
        (
            'severity=~.+ team=~".+"',
            [Matcher("severity", Op.LIKE, ".+"), Matcher("team", Op.LIKE, ".+")],
        ),
        ("kind=~budget|rule", [Matcher("kind", Op.LIKE, "budget|rule")]),
        (r'model!~"claude-(opus|.*\d)"', [Matcher("model", Op.UNLIKE, r"claude-(opus|.*\d)")]),
        ('workspace="load test"', [Matcher("workspace", Op.EQUAL, "load test")]),
        ("workspace=“load test”", [Matcher("workspace", Op.EQUAL, "load test")]),
        ('team="a=b, c!"', [Matcher("team", Op.EQUAL, "a=b, c!")]),
    ],
)
def test_matchers_are_read_with_every_comparison(words: str, matchers: list[Matcher]) -> None:
    assert read_silence_command(f"2h {words} planned  work") == SilenceCommand(
        TWO_HOURS, tuple(matchers), "planned work"
    )


def test_every_alert_takes_the_word_all() -> None:
    asked = read_silence_command("2h all moving house")
    assert asked == SilenceCommand(TWO_HOURS, (EVERY_ALERT,), "moving house")
    assert asked.what == "Every alert"


def test_what_will_be_silent_is_said_as_it_would_be_typed() -> None:
    asked = read_silence_command('2h severity=warning workspace="load test" kind=~"budget|rule" x')
    assert asked.what == 'severity=warning, workspace="load test", kind=~budget|rule'
    assert read_silence_command(f"2h {asked.what.replace(',', '')} x") == asked


def test_a_comment_in_quotation_marks_may_have_any_sign() -> None:
    assert read_silence_command('2h severity=warning "done ~5 pm, a=b!"').comment == "done ~5 pm, a=b!"


@pytest.mark.parametrize(
    "words",
    [
        "severity= x",
        'severity="" x',
        'severity!="" x',
        "severity=",
        "= x",
        "severity = warning x",
        "workspace = production load",
        "severity= warning x",
        "severity =warning x",
        "severity==warning x",
        "severity!critical x",
        "severity~warning x",
        "kind=~budget =~rule x",
        'workspace="load test x',
        'workspace="load test"x y',
        "workspace='load test' x",
        "severity=warning,workspace=eng x",
        "severity=warning, workspace=eng x",
        "severity=warning planned workspace=eng",
        "severity=warning planned load test team!=x",
        "all severity=warning x",
        "all quiet workspace=eng",
        "sevérité=warning x",
        '{severity="warning"} x',
    ],
)
def test_a_word_with_a_sign_is_a_matcher_or_an_error_that_says_how_to_write_it(words: str) -> None:
    with pytest.raises(Invalid, match=r"cannot be read: write matchers without spaces.*workspace=\"load test\""):
        read_silence_command(f"2h {words}")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "say for how long, such as 2h"),
        ("soon all x", "not a duration: 'soon'"),
        ("0h all x", "0h is no time at all"),
        ("91d all x", "a silence lasts 90 days at most"),
        ("9999999d all x", "a silence lasts 90 days at most"),
        ("2h planned load test", "say which alerts: .*; or all for every alert"),
        ("2h", "say which alerts"),
        ("2h ALL quiet", "say which alerts"),
        ("2h severity=~.+ x", "this matches every alert: write all"),
        ('2h kind=~".*" severity=~"info|warning|error|critical" x', "this matches every alert: write all"),
        ("2h source=~.+ scope=~.+ x", "this matches every alert: write all"),
        ("2h severity=~( x", "no regular expression"),
        ("2h all", "say why"),
        ("2h severity=warning", "say why"),
        ('2h severity=warning "  "', "say why"),
        ("2h " + "severity=warning " * 51 + "x", "50 matchers at most"),
    ],
)
def test_what_is_missing_is_said(text: str, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        read_silence_command(text)
