"""The controls of a form. Each is named by the JSON pointer of its value in the document that REST takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pydantic import JsonValue

Document = Mapping[str, JsonValue]


class ControlKind(StrEnum):
    """How a value is entered. What is left empty is not sent, so that REST's default holds."""

    LINE = "line"
    TEXT = "text"
    SECRET = "secret"
    """Never shown. Empty: the stored one stays."""
    NUMBER = "number"
    CHOICE = "choice"
    TICK = "tick"
    LINES = "lines"
    """A list: one a line."""
    PAIRS = "pairs"
    """Labels: "team=eng", one a line."""
    MATCHERS = "matchers"
    """A list of matchers: "severity=critical", "workspace=~eng-.*", one a line."""
    INTERVALS = "intervals"
    """Times of the week: "monday-friday 20:00-08:00 Europe/Berlin", one a line."""
    SCHEDULE = "schedule"
    """Days and a time of the day, or a cron text."""
    INSTANT = "instant"
    """Minutes of UTC, on a 24-hour clock: "2026-12-05 08:00"."""
    FIXED = "fixed"
    """Sent along, and not to be changed here."""


@dataclass(frozen=True, slots=True)
class Control:
    """One value. `choices` are pairs of a value and the words for it.

    `only` names the values of a choice in the same form, between spaces: with others of it the control is out of sight.
    """

    pointer: str
    label: str
    entry: ControlKind = ControlKind.LINE
    hint: str = ""
    choices: Sequence[tuple[str, str]] = ()
    is_required: bool = False
    only: str = ""


def _untitled(_: Document) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Rows:
    """A list of objects. `columns` returns the controls of one, with pointers inside it: "/after".

    `spare` is how many empty ones wait at the end; one that stays empty is not sent. `title` names one beside its
    number.
    """

    pointer: str
    label: str
    noun: str
    columns: Callable[[Document], Sequence[Control]]
    spare: int = 1
    title: Callable[[Document], str] = _untitled


Parts = Sequence[Control | Rows]
