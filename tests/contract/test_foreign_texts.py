"""Every parser of foreign text: any text is read or refused with the parser's own error, and none is read twice over.

`make fuzz` tries new texts, and many more of them.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

import service
from service.adapters.channels.posting import asked_wait, json_object, json_words
from service.adapters.claude.answers import NotUnderstood, decoded
from service.adapters.cron import CrontabReader
from service.api.http.addresses import Address
from service.api.http.fields import Dollars, Duration, Instant, InstantOrDate, Labels, Name, Percent, calendar_day
from service.api.http.json_flaws import read_sound
from service.api.http.listing import decode, encode
from service.api.notify.route_documents import ClockTime, MatcherDocument, Weekdays, read_matcher
from service.domain.charts.links import ChartLink
from service.domain.notify.calendar_links import CalendarLink
from service.domain.notify.routing.labels import parse_labels
from service.domain.notify.routing.matchers import matches, validate_matchers
from service.domain.slack.requests import read_press, read_typed
from service.domain.slack.signatures import verify
from service.domain.slack.silence_command import LONGEST_COMMAND, read_silence_command
from service.domain.values.durations import parse_duration
from service.domain.values.errors import Invalid
from service.domain.values.money import Money
from service.domain.values.periods import PeriodKind, PeriodSpec, validate
from service.domain.values.plain_text import clean
from tests.factories import utc

Parser = Callable[[str], object]


def adapter(hint: Any) -> Parser:
    return TypeAdapter(hint).validate_python


def match(text: str) -> object:
    document = TypeAdapter(MatcherDocument).validate_python({"label": "team", "op": "=~", "value": text})
    matcher = read_matcher(document)
    validate_matchers([matcher], "/matchers")
    return matches(matcher, {"team": frozenset({text})})


def press(text: str) -> object:
    action = {"action_id": "tocsin_acknowledge", "value": text}
    return read_press({"type": "block_actions", "user": {"id": "U0FAKE", "name": text}, "actions": [action]})


def wait(text: str) -> object:
    return asked_wait({"Retry-After": text, "Date": "Sat, 28 Nov 2026 12:00:00 GMT"}), asked_wait({"Date": text})


PARSERS: dict[str, tuple[Parser, tuple[type[Exception], ...], str]] = {
    "slash command": (read_silence_command, (Invalid,), '2h severity=~"info|warning" a test'),
    "pressed button": (press, (ValueError,), "acknowledge:alert_1:3"),
    "typed command": (lambda text: read_typed({"user_id": text, "text": text}), (ValueError,), "U0FAKE"),
    "payload of Slack": (read_sound, (ValueError,), '{"actions": [{"value": "a"}]}'),
    "signature": (lambda text: verify("s", text, b"", text, utc("2026-11-28")), (), "1795867200"),
    "matcher": (match, (ValidationError, Invalid), "(a+)+$"),
    "labels": (lambda text: parse_labels([text]), (ValueError,), "severity=critical"),
    "duration": (parse_duration, (ValueError,), "15m"),
    "duration field": (adapter(Duration), (ValidationError,), "15m"),
    "instant": (adapter(Instant), (ValidationError,), "2026-11-28T12:00:00+01:00"),
    "instant or date": (adapter(InstantOrDate), (ValidationError,), "2026-02-30"),
    "day": (calendar_day, (ValueError,), "2026-11-28"),
    "price": (adapter(Dollars), (ValidationError,), "12.50"),
    "amount": (Money.of, (ValueError,), "1e10"),
    "percent": (adapter(Percent), (ValidationError,), "80"),
    "name": (adapter(Name), (ValidationError,), "team/status"),
    "label": (lambda text: adapter(Labels)({text: text}), (ValidationError,), "team"),  # type: ignore[arg-type]
    "address": (adapter(Address), (ValidationError,), "https://[::1]:99999/"),
    "time of day": (adapter(ClockTime), (ValidationError,), "24:00"),
    "weekdays": (adapter(Weekdays), (ValidationError,), "monday:friday"),
    "cursor": (partial(decode, "models"), (Invalid,), encode("models", "1")),
    "schedule": (lambda text: CrontabReader().require_sound(text, "UTC"), (Invalid,), "0 9 30 2 *"),
    "zone of a schedule": (lambda text: CrontabReader().require_sound("0 9 * * 1", text), (Invalid,), "Europe/Berlin"),
    "zone": (lambda text: validate(PeriodSpec(PeriodKind.DAILY, text)), (Invalid,), "../../etc/passwd"),
    "picture's link": (ChartLink.parse, (), "alert_" + "0" * 32 + "-1-99999999999"),
    "calendar's link": (CalendarLink.parse, (), "calendar-rota_" + "0" * 32 + "-" + "0" * 32),
    "answer of the Admin API": (
        lambda text: decoded(text.encode("utf-8", "replace")),
        (NotUnderstood,),
        '{"data": []}',
    ),
    "answer of a vendor": (lambda text: json_object(text.encode("utf-8", "replace")), (), '{"ok": true}'),
    "refusal of a vendor": (lambda text: json_words(text.encode("utf-8", "replace")), (), '{"errors": ["a"]}'),
    "wait of a vendor": (wait, (), "Sat, 28 Nov 2026 12:00:30 GMT"),
    "any name": (clean, (), "e\u0301\u202e"),
}
NASTY = st.text(alphabet="0123456789aeT:+-.Zz*/,=!~\"\\'[]{}() \u0000\u202e\ud800\u0663", max_size=120)


@pytest.mark.parametrize("parser", PARSERS)
def test_any_text_is_read_or_refused(parser: str) -> None:
    read, refusals, sample = PARSERS[parser]
    pieces = st.lists(st.sampled_from([sample, *re.split(r"(\W)", sample)]) | NASTY, max_size=6).map("".join)

    @given(pieces | NASTY | st.text(max_size=200))
    @example(sample)
    @example("")
    def try_it(text: str) -> None:
        try:
            read(text)
        except refusals:
            return

    try_it()


LONG = 300_000


@pytest.mark.parametrize("parser", PARSERS)
def test_a_huge_text_is_read_or_refused(parser: str) -> None:
    read, refusals, sample = PARSERS[parser]
    for piece in ("a", "9", " ", '"', "\\", "=", "a=", "[", "{", '{"a":', "(", "/", "-", "a,", "\ud800", sample):
        text = piece * (LONG // len(piece))
        for huge in (text, sample + text, text + sample, f"2h {text}"):
            try:
                read(huge)
            except refusals:
                continue


def test_a_command_of_30_000_characters_is_refused_for_its_length_before_it_is_read() -> None:
    for text in ("2h " + "a" * 30_000, "2h a=b " + '"' * 30_000, "2h " + "a=b " * 7_500, " " * 30_000):
        with pytest.raises(Invalid, match=f"{LONGEST_COMMAND} characters at most"):
            read_silence_command(text)


def test_a_refusal_repeats_little_of_what_it_refuses() -> None:
    for text in ("x" * 2_000, "2h a=b " + "!" * 2_000):
        with pytest.raises(Invalid) as refused:
            read_silence_command(text)
        assert len(str(refused.value)) < 400


# ----------------------------------------------------------------------------- expressions


def _expressions() -> dict[str, re.Pattern[Any]]:
    """Every compiled expression of the product by its module and name."""
    found: dict[str, re.Pattern[Any]] = {}
    for module in pkgutil.walk_packages(service.__path__, "service."):
        if module.name != "service.__main__":
            names = vars(importlib.import_module(module.name))
            found |= {f"{module.name}.{name}": one for name, one in names.items() if isinstance(one, re.Pattern)}
    return found


ENDLESS = re.compile(r"[*+]\??$|\{\d+,\}\??$")
GROUP = re.compile(r"\(\?(?:P<\w+>|:)|\((?!\?)")


def test_no_expression_repeats_a_repetition_without_end() -> None:
    """Such as `(a+)+`: it may try every way to divide a text."""
    nested = re.compile(r"\((?:[^()\\]|\\.)*[^\\][*+](?:[^()\\]|\\.)*\)[*+]")
    expressions = _expressions()
    assert len(expressions) > 30
    assert [name for name, one in expressions.items() if nested.search(_without_classes(one))] == []


def test_no_expression_that_is_searched_for_begins_with_an_endless_repetition() -> None:
    """Such as `\\S*=`: a search begins again at each character, and reads to the end from each."""
    begins = re.compile(r"^(?:\\.|\.|C)[*+]\??(?!(?:\\?.[?*])*$)", re.DOTALL)
    astray = [
        name for name, one in _expressions().items() if begins.search(_without_classes(one)) and _is_searched(name)
    ]
    assert astray == []


def _without_classes(expression: re.Pattern[Any]) -> str:
    """An expression's text with a letter for each class of characters."""
    text = expression.pattern if isinstance(expression.pattern, str) else expression.pattern.decode("latin-1")
    return re.sub(r"\[\^?\]?(?:[^\]\\]|\\.)*\]", "C", text)


def _is_searched(name: str) -> bool:
    module, _, own = name.rpartition(".")
    file = importlib.import_module(module).__file__ or ""
    return re.search(rf"\b{own}\.(search|sub|split|findall|finditer)\(", Path(file).read_text()) is not None


def test_a_duration_is_never_longer_than_can_be_added_to_a_time() -> None:
    assert parse_duration("9999999d") < timedelta.max
