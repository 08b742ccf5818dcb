"""The channel of a person who is named by a mail address or by a Slack user's id, without a receiver of their own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from service.domain.notify.channels.email import Email
from service.domain.notify.channels.registry import ChannelConfig
from service.domain.notify.channels.slack import SlackBot, is_user
from service.domain.notify.receivers import Receiver
from service.domain.values.errors import Invalid
from service.domain.values.mail_addresses import is_mail_address


def is_personal(text: str) -> bool:
    """Whether this names a person: a mail address or a Slack user's id."""
    return is_mail_address(text) or is_user(text)


def personal_channel(text: str, receivers: Iterable[Receiver], pointer: str) -> ChannelConfig | None:
    """Returns the channel to whoever has this address or id; None for a text that is neither.

    A Slack app's bot writes to a user as to a channel: https://docs.slack.dev/reference/methods/chat.postMessage. The
    first one that a receiver has is taken. Raises Invalid where none has.
    """
    if is_mail_address(text):
        return Email((text,))
    if not is_user(text):
        return None
    bots = (one for receiver in receivers for one in receiver.channels if isinstance(one, SlackBot))
    bot = next(bots, None)
    if bot is None:
        raise Invalid(f"no receiver has a Slack bot that could write to {text}: create one with a token", pointer)
    return replace(bot, channel=text, mention="")


def follow_token(channels: tuple[ChannelConfig, ...], before: SlackBot, after: SlackBot) -> tuple[ChannelConfig, ...]:
    """Returns the channels with the bot's new token where they write to a person with its old one."""
    return tuple(
        replace(one, token=after.token, api_url=after.api_url)
        if isinstance(one, SlackBot) and is_user(one.channel) and one.token.digest == before.token.digest
        else one
        for one in channels
    )
