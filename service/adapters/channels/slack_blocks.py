"""A message as Slack shows it: Block Kit within its limits, with nothing in it that pings by accident.

People are named by their Slack ids alone where they acted in Slack themselves; a name that looks like an id is text.

Slack's limits (Block Kit reference; the total is undocumented, slackapi/bolt-js#2509): 50 blocks, header 150
characters, section 3000, ten fields of 2000, 13,200 in all, text 40,000. The lengths below add up to less.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from service.domain.alerts import AlertState, Severity
from service.domain.messages import badge
from service.domain.notifications import Message, Picture
from service.domain.slack import who

Block = dict[str, object]

HEADER = 150
SECTION = 1500
FIELD = 400
LABEL = 50
FIELDS_A_SECTION = 10
MOST_FIELDS = 12
STATE = "State"
"""The fact that says how the alert stands, and who acted. It is always shown."""
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
    change = f"*{_naming(message, mrkdwn(message.change, SECTION))}*"
    return [
        {"type": "header", "text": _plain(f"{_sign(message)} {message.headline}", HEADER)},
        _section(f"{mention} {change}" if mention else change),
        *_fields(message),
        _section(mrkdwn(message.next_step, SECTION)),
        {"type": "context", "elements": [_mrkdwn(f"{badge(message)} · {_link(message)}")]},
    ]


def image(picture: Picture | None) -> list[Block]:
    """A chart that Slack fetches by its public address; nothing where it has none. Its text: 2000 characters."""
    if picture is None or picture.url is None:
        return []
    return [{"type": "image", "image_url": picture.url, "alt_text": picture.alt[:TEXT]}]


def text(message: Message) -> str:
    """What phones and screen readers show instead of the blocks."""
    said = mrkdwn(f"{_sign(message)} {badge(message)}: {message.headline}.", TEXT)
    return f"{said} {_naming(message, mrkdwn(message.change, SECTION))}"


def reply(message: Message, mention: str = "") -> str:
    """A thread reply: what just happened, and where it stands."""
    change = _naming(message, mrkdwn(message.change, SECTION))
    said = f"*{change}* {mrkdwn(message.headline, SECTION)}"
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


def _naming(message: Message, said: str) -> str:
    """Escaped text with the Slack ids of people who acted made into mentions: the first of each, which is our own."""
    for actor in sorted(message.people):
        mention = who(actor)
        if mention.startswith("<@"):
            said = re.sub(rf"\b{re.escape(actor)}\b", mention, said, count=1)
    return said


def _fields(message: Message) -> list[Block]:
    fields = []
    for label, raw in _most_telling(message.facts):
        value = mrkdwn(raw, FIELD)
        fields.append(_mrkdwn(f"*{mrkdwn(label, LABEL)}*\n{_naming(message, value) if label == STATE else value}"))
    return [
        {"type": "section", "fields": fields[start : start + FIELDS_A_SECTION]}
        for start in range(0, len(fields), FIELDS_A_SECTION)
    ]


def _most_telling(facts: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The first facts, and the state, in their order."""
    room = MOST_FIELDS - sum(label == STATE for label, _ in facts)
    others = [place for place, (label, _) in enumerate(facts) if label != STATE][:room]
    return [fact for place, fact in enumerate(facts) if place in others or fact[0] == STATE]
