"""A plan and its backtests as text, as Markdown for a pull request, and as JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from service.cli.remote.replaying import Firing, ReplayAnswer, ReplayedChange
from service.cli.remote.showing import usd
from service.client.errors import Json

MARKS = {"create": "+", "change": "~", "delete": "-", "keep": "?"}
KEPT = "stored, and not in the file: left as it is; --prune deletes it"
MOST_FIRINGS = 10
"""Messages of a rule that a report lists, of each kind the newest."""
_REFERENCES = re.compile(r"[@#]|:(?=//)|(?<=www)\.", re.IGNORECASE)
"""The beginnings of mentions, issues and addresses, which forges find in text that is shown already."""
NOTHING_SEEN = "&#8203;"
_NAMES = {
    **{"\\": "bsol", "`": "grave", "*": "ast", "_": "lowbar", "[": "lbrack", "]": "rbrack"},
    **{"|": "vert", "<": "lt", ">": "gt", "&": "amp", "~": "tilde"},
}
"""Entities by what they stand for; with numbers, `#` would be one of them."""

Change = dict[str, Json]


def as_document(changes: Sequence[Change], replays: Sequence[ReplayedChange] | None) -> dict[str, Json]:
    """Returns what `--json` writes; `replays` is None where nothing was to be backtested."""
    shown: list[Json] = [asdict(one) | {"new": one.new, "gone": one.gone} for one in replays or ()]
    return {"changes": list(changes), **({"backtests": shown} if replays is not None else {})}


def backtest_lines(replays: Sequence[ReplayedChange]) -> Iterator[str]:
    """Yields the lines of a terminal."""
    if not replays:
        yield "No rule and no budget changes: nothing to backtest."
    for one in replays:
        yield f"{one.kind} {one.name}: {verdict(one)}"
        yield from (f"    + {_firing(firing)}" for firing in one.new[-MOST_FIRINGS:])
        yield from (f"    - {_firing(firing)}" for firing in one.gone[-MOST_FIRINGS:])
        listed = min(len(one.new), MOST_FIRINGS) + min(len(one.gone), MOST_FIRINGS)
        if len(one.new) + len(one.gone) > listed:
            yield f"    and {len(one.new) + len(one.gone) - listed} older ones"


def verdict(one: ReplayedChange) -> str:
    """Returns what a change would have done: "fired 4 times before, would have fired 9 times, 2026-09-01 to ..."."""
    if one.error:
        return f"not replayed: {one.error}"
    said = []
    if one.before is not None:
        said.append(f"fired {_times(one.before)} as it is" if one.before.alerts else "never fired as it is")
    if one.after is not None:
        said.append(f"would have fired {_times(one.after)}" if one.after.alerts else "would never have fired")
    span = one.after or one.before
    return f"{', '.join(said)}, {span.since} to {span.until}, as known then" if span else ""


def _times(replay: ReplayAnswer) -> str:
    return "once" if replay.alerts == 1 else f"{replay.alerts} times"


def _firing(firing: Firing) -> str:
    more = " (more severe)" if firing["raised"] else ""
    return f"{firing['day']} {firing['name']}, {firing['severity']}{more}: {firing['cause']}"


def markdown(changes: Sequence[Change], replays: Sequence[ReplayedChange]) -> str:
    """Returns a comment. Names and causes come from outside: none of them is markup, a link or a mention."""
    return "\n".join([*_plan(changes), *_backtests(replays)]) + "\n"


def _plan(changes: Sequence[Change]) -> Iterator[str]:
    yield "### Tocsin: what this changes"
    yield ""
    if not changes:
        yield "Nothing differs."
        return
    yield "| | kind | name | field | before | after |"
    yield "|---|---|---|---|---|---|"
    for change in changes:
        head = f"| {MARKS[str(change['action'])]} | {change['kind']} | {plain(change['name'])} |"
        fields = change["fields"]
        assert isinstance(fields, list)
        if not fields:
            yield f"{head} | | {KEPT if change['action'] == 'keep' else ''} |"
        for field in fields:
            assert isinstance(field, dict)
            pointer = plain(str(field["pointer"]).removeprefix("/"))
            yield f"{head} {pointer} | {plain(field['before'])} | {plain(field['after'])} |"


def _backtests(replays: Sequence[ReplayedChange]) -> Iterator[str]:
    if not replays:
        return
    yield ""
    yield "### What it would have fired"
    for one in replays:
        yield ""
        yield f"**{one.kind} {plain(one.name)}**: {plain(verdict(one))}."
        rows = [("new", firing) for firing in one.new[-MOST_FIRINGS:]]
        rows += [("gone", firing) for firing in one.gone[-MOST_FIRINGS:]]
        if rows:
            yield ""
            yield "| | day | scope | severity | excess | why |"
            yield "|---|---|---|---|---:|---|"
        for mark, firing in rows:
            texts = (firing["day"], firing["name"], firing["severity"], usd(firing["excess"]), firing["cause"])
            yield f"| {mark} | {' | '.join(map(plain, texts))} |"


def plain(value: Json) -> str:
    """Returns a value as text that Markdown shows as it is, in one line; empty for none."""
    written = json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)
    text = "" if value is None else " ".join(written.split())
    unmarked = "".join(f"&{_NAMES[one]};" if one in _NAMES else one for one in text)
    return _REFERENCES.sub(rf"\g<0>{NOTHING_SEEN}", unmarked)
