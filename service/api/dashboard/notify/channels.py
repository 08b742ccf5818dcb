"""A channel as controls, made of its configuration: no kind has anything of its own here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING
from enum import EnumMeta
from typing import Literal, get_args, get_origin

from service.api.dashboard.documents.controls import Control, ControlKind, Document
from service.api.notify.channel_documents import ALIKE, PARTS, Part
from service.domain.notify.channels.registry import KINDS as NAMED
from service.domain.notify.channels.registry import ChannelConfig
from service.domain.notify.receivers import channel_key

WORDS: Mapping[str, str] = {
    "slack": "Slack",
    "email": "Mail",
    "pagerduty": "PagerDuty",
    "jsm": "Jira Service Management",
    "teams": "Microsoft Teams",
    "discord": "Discord",
    "webhook": "Webhook",
    "alertmanager": "Alertmanager",
    "console": "The worker's log",
}
KINDS = [*WORDS.items(), *((kind, kind) for kind in ALIKE if kind not in WORDS)]
"""Those that people know best come first; a kind without a word here has its own name."""


def channel_controls(channel: Document) -> Sequence[Control]:
    """Returns the controls of a channel by its `kind`; of one that is written in several ways, those of all."""
    kinds = ALIKE.get(str(channel.get("kind")), ())
    parts = {part.name: part for kind in kinds for part in PARTS[kind]}
    return [Control("/kind", "Kind", ControlKind.FIXED), *(_control(part, len(kinds) == 1) for part in parts.values())]


def channel_title(channel: Document) -> str:
    """Returns what a channel is, and for one that is written in several ways, how."""
    kind = str(channel.get("kind"))
    about = ALIKE[kind][0].document.about.partition(";")[0].replace("`", "") if kind in ALIKE else ""
    return _plain(about) or WORDS.get(kind, kind)


def _plain(text: str) -> str:
    """Returns names of fields as people write them."""
    return text.replace("_", " ").replace("url", "address")


def _control(part: Part, is_only_form: bool) -> Control:
    has_default = is_only_form and part.default is not MISSING and bool(part.default)
    hint = _usual(part) if has_default else _sentence(part.mark.about)
    return Control(
        f"/{part.name}",
        _plain(part.name).capitalize().replace("Api", "API"),
        _entry(part),
        hint,
        _choices(part),
        is_only_form and part.default is MISSING,
    )


def _usual(part: Part) -> str:
    return " ".join(words for words in (_sentence(part.mark.about), f"Empty: {part.default}.") if words)


def _sentence(about: str) -> str:
    return f"{about[:1].upper()}{about[1:]}." if about else ""


def _entry(part: Part) -> ControlKind:
    if part.is_secret:
        return ControlKind.SECRET
    if part.several:
        return ControlKind.LINES
    return ControlKind.CHOICE if _choices(part) else ControlKind.LINE


def _choices(part: Part) -> Sequence[tuple[str, str]]:
    is_enum, is_literal = isinstance(part.type, EnumMeta), get_origin(part.type) is Literal
    values: list[str] = [*part.type] if is_enum else [*get_args(part.type)] if is_literal else []
    return [("", "as usual"), *((value, value) for value in values)] if values else ()


def channel_name(key: str) -> str:
    """Returns the kind of a channel that is known by its key, in words."""
    kind = NAMED.get(key.partition(":")[0])
    return WORDS.get(kind.document.kind, kind.document.kind) if kind else key


def channel_words(channel: ChannelConfig) -> str:
    """Returns a channel in a line: what it is, and where it leads if that is no secret."""
    places = [str(getattr(channel, name)) for name in ("channel", "url") if hasattr(channel, name)]
    several = [", ".join(getattr(channel, name)) for name in ("to", "urls") if hasattr(channel, name)]
    kind = WORDS.get(channel.document.kind, channel.document.kind)
    return " ".join([kind, *places, *several]) or channel_key(channel)
