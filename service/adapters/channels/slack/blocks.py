"""A message as Slack shows it: Block Kit within its limits, with nothing in it that pings by accident.

People are named by their Slack ids alone where they acted in Slack themselves; a name that looks like an id is text.

Slack's limits (Block Kit reference; the total is undocumented, slackapi/bolt-js#2509): 50 blocks, header 150
characters, section 3000, ten fields of 2000, 13,200 in all, text 40,000. The lengths below add up to less, in a
summary with links of up to 300 characters.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from service.adapters.channels.dependencies import Block
from service.domain.alerts.alert import AlertState
from service.domain.messages.console_pages import NAMES as PAGE_NAMES
from service.domain.messages.message import badge, unlisted_words
from service.domain.notify.notification import FIRING_ACTIONS, Delivery, Listed, Message, MessageType, Picture
from service.domain.slack.requests import who
from service.domain.values.severity import Severity

HEADER = 150
SECTION = 1200
SMALL_PRINT = 400
FIELD = 400
LABEL = 50
FIELDS_A_SECTION = 10
MOST_FIELDS = 12
DETAILS = 3500
TEXT = 2000
LISTED = 150
"""Characters of the headline of each alert in a summary, and of how it stands."""
LISTED_A_SECTION = 4

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
    return [*_told(message, mention), *_listed(message), *_step(message), *_fields(message), _small_print(message)]


def parent(message: Message, mention: str = "") -> list[Block]:
    """A post with a thread: what people must see at once. Of what is no alert, all."""
    return blocks(message if message.kind is None else replace(message, facts=()), mention)


def details(message: Message) -> str:
    """All facts of an alert, for the thread; empty where there are none."""
    if message.kind is None:
        return ""
    said = [f"*{mrkdwn(label, LABEL)}*  {mrkdwn(value, FIELD)}" for label, value in message.facts]
    while len("\n".join(said)) > DETAILS:
        said.pop()
    return "\n".join(said)


def _told(message: Message, mention: str) -> list[Block]:
    """The headline, what just happened, and the two lines below."""
    change = f"*{_naming(message, mrkdwn(message.change, SECTION))}*" if message.change else ""
    said = [line for line in (" ".join(filter(None, (mention, change))), mrkdwn(message.summary, SECTION)) if line]
    headline = message.title or message.headline
    return [
        {"type": "header", "text": _plain(f"{_sign(message)} {headline}", HEADER)},
        *([_section("\n".join(said))] if said else []),
    ]


def _step(message: Message) -> list[Block]:
    step = _with_its_page(message, mrkdwn(message.next_step, SECTION))
    return [_section(step)] if step else []


def _small_print(message: Message) -> Block:
    """How it stands, remarks, and the way to the alert."""
    small = " · ".join(message.small_print) or badge(message)
    link = _link(message.link, "Open in Tocsin")
    said = f"{_naming(message, mrkdwn(small, SMALL_PRINT))} · {link}"
    return {"type": "context", "elements": [_mrkdwn(said)]}


def _with_its_page(message: Message, step: str) -> str:
    """Makes the address of the Console's page a link."""
    address = mrkdwn(message.page, TEXT)
    return step.replace(address, _link(message.page, PAGE_NAMES[message.page]), 1) if message.page else step


def mention_of(delivery: Delivery, mention: str) -> str:
    """The configured mention, where the message is to notify people: nobody has to answer a digest."""
    is_digest = delivery.message.type is MessageType.DIGEST
    return mention if delivery.action in FIRING_ACTIONS and not is_digest else ""


def image(picture: Picture | None) -> list[Block]:
    """A chart that Slack fetches by its public address; nothing where it has none. Its text: 2000 characters."""
    if picture is None or picture.url is None:
        return []
    return [{"type": "image", "image_url": picture.url, "alt_text": picture.alt[:TEXT]}]


def text(message: Message) -> str:
    """Returns the one line that phones and screen readers show instead of the blocks."""
    return f"{_sign(message)} {_naming(message, mrkdwn(message.one_line, TEXT))}"


def plainest(message: Message, mention: str = "") -> str:
    """Returns all of a message that is sent without blocks: with the way to the alert."""
    said = f"{text(message)} {_link(message.link, 'Open in Tocsin')}"
    return f"{mention} {said}" if mention else said


def reply(message: Message, mention: str = "") -> str:
    """A thread reply: what just happened."""
    said = f"*{_naming(message, mrkdwn(message.change or message.headline, SECTION))}*"
    return f"{mention} {said}" if mention else said


def mrkdwn(raw: str, limit: int) -> str:
    """Plain text for mrkdwn: `&`, `<` and `>` escaped, so that no name becomes a mention or a link."""
    escaped = raw[:limit].replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    if len(raw) <= limit and len(escaped) <= limit:
        return escaped
    return _HALF_AN_ENTITY.sub("", escaped[: limit - 1]) + "…"


def _sign(message: Message | Listed) -> str:
    return _STATE_SIGNS.get(message.state) or _SEVERITY_SIGNS[message.severity]


def _link(address: str, escaped: str) -> str:
    # A bar or an angle bracket would end the address early; both are legal only when percent-encoded.
    url = address.replace("&", "&amp;").replace("<", "%3C").replace(">", "%3E").replace("|", "%7C")
    return f"<{url}|{escaped}>"


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
    """Escaped text with the Slack ids of people who acted made into mentions: the first of each, which is our own.

    Slack shows a mention's name itself, so that the one behind the id goes.
    """
    for actor in sorted(message.people):
        mention = who(actor)
        if mention.startswith("<@"):
            said = re.sub(rf"\b{re.escape(actor)}\b(?: \([^()]*\))?", mention, said, count=1)
    return said


def _fields(message: Message) -> list[Block]:
    fields = [
        _mrkdwn(f"*{mrkdwn(label, LABEL)}*\n{mrkdwn(value, FIELD)}") for label, value in message.facts[:MOST_FIELDS]
    ]
    return [
        {"type": "section", "fields": fields[start : start + FIELDS_A_SECTION]}
        for start in range(0, len(fields), FIELDS_A_SECTION)
    ]


def _listed(message: Message) -> list[Block]:
    """The alerts of a summary, a line each."""
    lines = [_line(message, one) for one in message.listed]
    if more := unlisted_words(message):
        lines.append(more)
    return [
        _section("\n".join(lines[start : start + LISTED_A_SECTION])) for start in range(0, len(lines), LISTED_A_SECTION)
    ]


def _line(message: Message, one: Listed) -> str:
    standing = _naming(message, mrkdwn(one.standing, LISTED))
    return f"{_sign(one)} {_link(one.link, mrkdwn(one.headline, LISTED))} · {standing}"
