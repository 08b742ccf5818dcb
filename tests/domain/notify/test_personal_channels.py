"""How a person is reached who has no receiver yet."""

from __future__ import annotations

from dataclasses import replace

import pytest

from service.domain.notify.channels.email import Email
from service.domain.notify.channels.slack import SlackBot
from service.domain.notify.personal_channels import follow_token, is_personal, personal_channel
from service.domain.notify.receivers import Receiver
from service.domain.values.errors import Invalid
from tests.factories import SEALED

BOT = SlackBot(SEALED, "#claude-spend", mention="<!here>")


def test_a_mail_address_is_mailed_and_a_slack_user_written_to_by_the_bot_that_there_is() -> None:
    assert personal_channel("ann@example.com", [], "/owner") == Email(("ann@example.com",))
    found = personal_channel("U012AB3CD", [Receiver((BOT,))], "/owner")
    assert found == replace(BOT, channel="U012AB3CD", mention="")


def test_a_slack_user_without_any_bot_is_refused_and_other_texts_are_nobody_s() -> None:
    with pytest.raises(Invalid, match="no receiver has a Slack bot"):
        personal_channel("U012AB3CD", [], "/owner")
    assert personal_channel("oncall", [Receiver((BOT,))], "/owner") is None
    assert not is_personal("ann@")


def test_a_person_is_written_to_with_the_bot_s_new_token() -> None:
    fresh = replace(BOT, token=replace(SEALED, digest="fedcba9876543210"))
    ann, channel = replace(BOT, channel="U012AB3CD"), replace(BOT, channel="#other")
    assert follow_token((ann, channel), BOT, fresh) == (replace(ann, token=fresh.token), channel)
