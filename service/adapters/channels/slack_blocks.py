"""A message as Slack shows it: Block Kit within its limits, with nothing in it that pings by accident.

Slack's limits (Block Kit reference; the total is undocumented, slackapi/bolt-js#2509): 50 blocks, header 150
characters, section 3000, ten fields of 2000, 13,200 in all, text 40,000. The lengths below add up to less.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from service.domain.alerts import AlertState, Severity
from service.domain.messages import badge
from service.domain.notifications import Message

Block = dict[str, object]

HEADER = 150
SECTION = 1500
FIELD = 400
LABEL = 50
FIELDS_A_SECTION = 10
MOST_FIELDS = 12
TEXT = 2000

_SEVERITY_SIGNS: Mapping[Severity, str] = {
    Severity.INFO: "🔵",
    Severity.WARNING: "🟡",
    Severity.ERROR: "🟠",
    Severity.CRITICAL: "🔴",
}
_STATE_SIGNS: Mapping[AlertState, str] = {
    AlertState.ACKNOWLEDGED: "👀",
    AlertState.SNOOZED: "💤",
    AlertState.RESOLVED: "✅",
}
_HALF_AN_ENTITY = re.compile(r"&[a-z]*$")


def blocks(message: Message, mention: str = "") -> list[Block]:
    """The whole message. `mention` is Slack's own markup, from the configuration: "<!subteam^S0123>"."""
    change = f"*{mrkdwn(message.change, SECTION)}*"
    return [
        {"type": "header", "text": _plain(f"{_sign(message)} {message.headline}", HEADER)},
        _section(f"{mention} {change}" if mention else change),
        *_fields(message.facts[:MOST_FIELDS]),
        _section(mrkdwn(message.next_step, SECTION)),
        {"type": "context", "elements": [_mrkdwn(f"{badge(message)} · {_link(message)}")]},
    ]


def text(message: Message) -> str:
    """What phones and screen readers show instead of the blocks."""
    return mrkdwn(f"{_sign(message)} {badge(message)}: {message.headline}. {message.change}", TEXT)


def reply(message: Message, mention: str = "") -> str:
    """A thread reply: what just happened, and where it stands."""
    said = f"*{mrkdwn(message.change, SECTION)}* {mrkdwn(message.headline, SECTION)}"
    return f"{mention} {said}" if mention else said


def mrkdwn(raw: str, limit: int) -> str:
    """Plain text for mrkdwn: `&`, `<` and `>` escaped, so that no name becomes a mention or a link."""
    escaped = raw[:limit].replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    if len(raw) <= limit and len(escaped) <= limit:
        return escaped
    return _HALF_AN_ENTITY.sub("", escaped[: limit - 1]) + "…"


def _sign(message: Message) -> str:
    return _STATE_SIGNS.get(message.state) or _SEVERITY_SIGNS[message.severity]


def _link(message: Message) -> str:
    # A bar or an angle bracket would end the address early; both are legal only when percent-encoded.
    url = message.link.replace("&", "&amp;").replace("<", "%3C").replace(">", "%3E").replace("|", "%7C")
    return f"<{url}|Open in Tocsin>"


def _plain(raw: str, limit: int) -> Block:
    # It is not documented whether entities are decoded in plain text, so brackets become lookalikes.
    shown = raw.replace("<", "‹").replace(">", "›")
    shown = shown if len(shown) <= limit else f"{shown[: limit - 1]}…"
    return {"type": "plain_text", "text": shown, "emoji": False}


def _mrkdwn(escaped: str) -> Block:
    # verbatim: Slack must not turn "@here", "#channel" or an address inside a name into something live.
    return {"type": "mrkdwn", "text": escaped, "verbatim": True}


def _section(escaped: str) -> Block:
    return {"type": "section", "text": _mrkdwn(escaped)}


def _fields(facts: Sequence[tuple[str, str]]) -> list[Block]:
    fields = [_mrkdwn(f"*{mrkdwn(label, LABEL)}*\n{mrkdwn(value, FIELD)}") for label, value in facts]
    return [
        {"type": "section", "fields": fields[start : start + FIELDS_A_SECTION]}
        for start in range(0, len(fields), FIELDS_A_SECTION)
    ]
