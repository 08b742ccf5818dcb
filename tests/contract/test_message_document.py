"""docs/messages.md shows what people really receive."""

from __future__ import annotations

import pytest

from service.domain.notify.channels.registry import KINDS
from tests.contract.message_document import DOCUMENT, SAMPLES, TITLES, Sample, document

PHONE = 110
"""Characters that a phone shows of a notification."""


async def test_the_page_shows_what_the_product_sends() -> None:
    assert DOCUMENT.read_text() == await document(), "make messages writes it again"


def test_every_channel_has_a_title() -> None:
    assert set(TITLES) == set(KINDS)


@pytest.mark.parametrize("one", SAMPLES, ids=lambda one: one.title)
def test_the_line_that_a_phone_shows_fits_and_names_what_it_is_about(one: Sample) -> None:
    beginning = one.message.one_line[:PHONE]
    subjects = ("$", "source acme", "receiver eng-oncall", "Silence 'load test'", "claude-next", "test")
    assert any(subject in beginning for subject in subjects)


@pytest.mark.parametrize("one", SAMPLES, ids=lambda one: one.title)
def test_nothing_is_said_twice_in_what_is_read_first(one: Sample) -> None:
    message = one.message
    lines = [message.title or message.headline, *message.summary.splitlines()]
    sentences = [text for line in lines for text in line.split(". ")]
    assert len(set(sentences)) == len(sentences)
    assert message.change not in message.summary or not message.change
