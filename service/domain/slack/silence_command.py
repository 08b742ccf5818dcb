"""Reads what `/tocsin silence` asks for: for how long, which alerts, why. Strict: a misread could silence more."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta

from service.domain.alerts.evidence import ALERT_KINDS
from service.domain.notify.routing.labels import OF_EVERY_ALERT
from service.domain.notify.routing.matchers import Matcher, Op, matches, validate_matchers
from service.domain.notify.routing.silences import LONGEST_SILENCE
from service.domain.values.durations import LONGEST_QUOTE, parse_duration
from service.domain.values.errors import Invalid
from service.domain.values.severity import Severity

EVERY = "all"
EVERY_ALERT = Matcher("severity", Op.LIKE, ".+")
MOST_MATCHERS = 50
LONGEST_COMMAND = 3000
HOW = 'write matchers without spaces, before the comment: severity=warning, severity!=critical, workspace="load test"'

_MATCHER = re.compile(
    r"""(?P<label>[A-Za-z_][A-Za-z0-9_./-]{0,62})(?P<op>!=|=~|!~|=)"""
    r"""(?:"(?P<quoted>[^"\x00-\x1f\x7f]{1,500})"|(?P<bare>[^\s"'=!~,]{1,500}))(?!\S)"""
)
_VALUES: Mapping[str, Collection[str]] = {label: ("any text",) for label in OF_EVERY_ALERT} | {
    "severity": tuple(Severity),
    "kind": ALERT_KINDS.keys(),
}
"""Labels that every alert has, with what stands for all their values."""
_CURLED = str.maketrans("\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}", '""')
"""Phones and Macs write these for quotation marks."""
_SIGNS = "=!~"
_QUOTED = re.compile(r'"([^"]*)"')


@dataclass(frozen=True, slots=True)
class SilenceCommand:
    length: timedelta
    matchers: tuple[Matcher, ...]
    comment: str

    @property
    def what(self) -> str:
        """The alerts in words, as they would be typed."""
        return "Every alert" if self.matchers == (EVERY_ALERT,) else ", ".join(map(_spelt, self.matchers))


def read_silence_command(text: str) -> SilenceCommand:
    """`<duration> <matcher>... <comment>`, or `all` for the matchers. Raises Invalid, which says how to write it.

    Outside quotation marks a word with one of `=`, `!`, `~` is a matcher or an error: were it taken as part of the
    comment, the silence would be wider than what was asked for.
    """
    if len(text) > LONGEST_COMMAND:
        raise Invalid(f"a command has {LONGEST_COMMAND} characters at most; this one has {len(text)}")
    length, rest = _cut(text.translate(_CURLED))
    which, comment = _cut(rest)
    matchers: tuple[Matcher, ...] = (EVERY_ALERT,)
    if which != EVERY:
        matchers, comment = _matchers(rest)
    return SilenceCommand(_length(length), matchers, _comment(comment, matchers))


def _cut(text: str) -> tuple[str, str]:
    """The first word, and what follows."""
    first, *rest = text.split(maxsplit=1) or [""]
    return first, "".join(rest)


def _length(word: str) -> timedelta:
    if not word:
        raise Invalid("say for how long, such as 2h")
    try:
        length = parse_duration(word)
    except ValueError as error:
        raise Invalid(str(error)) from error
    if not length:
        raise Invalid(f"{word} is no time at all: say for how long, such as 2h")
    if length > LONGEST_SILENCE:
        raise Invalid(f"a silence lasts {LONGEST_SILENCE.days} days at most")
    return length


def _matchers(text: str) -> tuple[tuple[Matcher, ...], str]:
    """Those at the beginning, and what follows them."""
    found: list[Matcher] = []
    rest = text.lstrip()
    while (match := _MATCHER.match(rest)) and len(found) <= MOST_MATCHERS:
        found.append(Matcher(match["label"], Op(match["op"]), match["quoted"] or match["bare"]))
        rest = rest[match.end() :].lstrip()
    if len(found) > MOST_MATCHERS:
        raise Invalid(f"{MOST_MATCHERS} matchers at most")
    validate_matchers(found, "/matchers")
    if found and all(map(_is_every_value, found)):
        raise Invalid(f"this matches every alert: write {EVERY} where that is meant")
    return tuple(found), rest


def _is_every_value(matcher: Matcher) -> bool:
    """Whether it holds for whatever an alert has, of a label that no alert is without."""
    values = _VALUES.get(matcher.label, ())
    return bool(values) and all(matches(matcher, {matcher.label: frozenset({value})}) for value in values)


def _comment(text: str, matchers: tuple[Matcher, ...]) -> str:
    quoted = _QUOTED.fullmatch(text.strip())
    signed = None if quoted else next((word for word in text.split() if any(one in word for one in _SIGNS)), None)
    if signed is not None:
        shown = signed[:LONGEST_QUOTE]
        raise Invalid(f"{shown!r} cannot be read: {HOW}; put a comment with =, ! or ~ in quotation marks")
    if not matchers:
        raise Invalid(f"say which alerts: {HOW}; or {EVERY} for every alert")
    comment = " ".join((quoted[1] if quoted else text).split())
    if not comment:
        raise Invalid("say why, for the others: a few words at the end")
    return comment


def _spelt(matcher: Matcher) -> str:
    quote = "" if re.fullmatch(r"""[^\s"'=!~,]+""", matcher.value) else '"'
    return f"{matcher.label}{matcher.op.value}{quote}{matcher.value}{quote}"
