"""What Slack is given stays inside its limits and does nothing that a name asks for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from service.adapters.channels.dependencies import Block
from service.adapters.channels.slack import blocks as slack_blocks
from service.domain.alerts.alert import Command, Reason
from service.domain.notify.notification import Action, Message
from tests.fakes.slack import broken_limit, shown_texts
from tests.sample_alerts import EVIDENCE, RESOLVED_EVENT, event, message

INJECTION = "<!channel> <@U0FAKE> <https://evil.example|click> & @here #general"


def named(name: str) -> Message:
    return message(event(evidence=replace(EVIDENCE, budget_name=name, scope_name=name)))


def test_the_parent_post_shows_dollars_change_facts_next_step_and_link() -> None:
    shown = shown_texts(slack_blocks.blocks(message()))
    assert shown[0] == "🔴 Budget eng monthly (workspace Research) exceeded: $12.34 of $10.00, 18 days left"
    assert shown[1] == "Top: model claude-opus-4-5 $9.10 (73%)."
    assert "*Budget*\n$10.00 for October 2026" in shown
    assert shown[2] == (
        "Find and stop the largest spender, API key ci-runner: <https://platform.claude.com/settings/keys|API keys in"
        " the Console> – then acknowledge, or raise the budget."
    )
    assert shown[-1] == f"critical, firing · <{message().link}|Open in Tocsin>"


def test_a_resolved_post_shows_who_resolved_it() -> None:
    shown = shown_texts(slack_blocks.blocks(message(RESOLVED_EVENT, Action.RESOLVE)))
    assert shown[0].startswith("✅ ")
    assert shown[1] == "*Resolved by Ada: Budget eng monthly (workspace Research) exceeded: $12.34 of $10.00.*"
    assert shown[-1].startswith("resolved by Ada · ")


def test_the_fallback_text_is_the_one_line_that_a_phone_shows() -> None:
    said = "🔴 Budget eng monthly (workspace Research) exceeded: $12.34 of $10.00, 18 days left"
    assert slack_blocks.text(message()) == said


@pytest.mark.parametrize("raw", ["<!channel>", "<@U0FAKE>", "<!subteam^S0FAKE>", "<https://evil.example|click>"])
def test_markup_in_a_name_is_text(raw: str) -> None:
    for written in (slack_blocks.mrkdwn(raw, 100), slack_blocks.text(named(raw)), slack_blocks.reply(named(raw))):
        assert "<" not in written
        assert "&lt;" in written


def test_no_text_object_is_preprocessed_by_slack() -> None:
    built = slack_blocks.blocks(named(INJECTION))
    objects = [part for block in built for part in _text_objects(block)]
    assert {part["type"] for part in objects} == {"plain_text", "mrkdwn"}
    assert all(part["verbatim"] is True for part in objects if part["type"] == "mrkdwn")
    assert not any("<" in str(part["text"]) for part in objects if part["type"] == "plain_text")


def test_the_configured_mention_is_the_only_thing_that_pings() -> None:
    shown = "\n".join(shown_texts(slack_blocks.blocks(named(INJECTION), "<!subteam^S0FAKE>")))
    assert shown.count("<!") == 1
    assert "<@" not in shown


@pytest.mark.parametrize("filler", ["x", "&", "<", "🔥", "ש"])
def test_the_largest_message_is_within_slacks_limits(filler: str) -> None:
    endless = filler * 10_000
    said = Message(
        alert_id="alrt_1",
        state=message().state,
        severity=message().severity,
        headline=endless,
        summary=endless,
        change=endless,
        facts=((endless, endless),) * 100,
        next_step=endless,
        link=message().link,
        title=endless,
        notice=endless,
        small_print=(endless,) * 10,
    )
    body = {"text": slack_blocks.text(said), "blocks": slack_blocks.blocks(said, "<!here>")}
    assert broken_limit(body) is None


@pytest.mark.parametrize("limit", range(4, 12))
def test_a_cut_never_leaves_half_an_entity(limit: int) -> None:
    written = slack_blocks.mrkdwn("a&b<c>d&e", limit)
    assert len(written) <= limit
    assert written.removesuffix("…").count("&") == written.count(";")


def test_an_address_cannot_break_out_of_its_link() -> None:
    said = replace(message(), link="https://tocsin.example.com/|<!channel>")
    assert shown_texts(slack_blocks.blocks(said))[-1].endswith(
        "<https://tocsin.example.com/%7C%3C!channel%3E|Open in Tocsin>"
    )


def test_a_long_headline_keeps_within_the_header() -> None:
    header = shown_texts(slack_blocks.blocks(replace(message(), title="x" * 400)))[0]
    assert len(header) == 150
    assert header.endswith("…")


def test_a_note_by_a_person_is_escaped_too() -> None:
    noted = event(Command.ACKNOWLEDGE, Reason.PERSON, actor="<!channel>", note="<!here>")
    shown = shown_texts(slack_blocks.blocks(message(noted, Action.ACKNOWLEDGE)))
    assert shown[1].startswith("*Acknowledged by &lt;!channel&gt;. Note: &lt;!here&gt;*\n")


def _text_objects(block: Block) -> list[dict[str, object]]:
    found = [block.get("text"), *_listed(block, "fields"), *_listed(block, "elements")]
    return [part for part in found if isinstance(part, dict)]


def _listed(block: Block, name: str) -> list[object]:
    listed = block.get(name, [])
    return listed if isinstance(listed, list) else []
