"""What is read from Slack's requests, who may do what, and how people are named back to Slack."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from service.domain.slack.requests import (
    SNOOZES,
    Deed,
    Press,
    SlackPerson,
    SlackRole,
    SlackUser,
    SlackUsers,
    button_value,
    read_press,
    read_typed,
    tomorrow_morning,
    who,
)
from service.domain.slack.signatures import Refusal, sign, verify
from tests.slack_presses import ADA, command, press

# Slack's own example (docs.slack.dev, "Verifying requests from Slack").
PUBLISHED_SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
PUBLISHED_TIME = "1531420618"
PUBLISHED_BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
    b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
    b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
    b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
PUBLISHED_SIGNATURE = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
THEN = datetime.fromtimestamp(int(PUBLISHED_TIME), UTC)
ALERT: dict[str, Any] = {"id": "alert_019a0e3b", "version": 3}


def judged(
    timestamp: str = PUBLISHED_TIME,
    body: bytes = PUBLISHED_BODY,
    signature: str = PUBLISHED_SIGNATURE,
    now: datetime = THEN,
) -> Refusal | None:
    return verify(PUBLISHED_SECRET, timestamp, body, signature, now)


def test_slacks_published_example_is_signed_as_published() -> None:
    assert sign(PUBLISHED_SECRET, PUBLISHED_TIME, PUBLISHED_BODY) == PUBLISHED_SIGNATURE
    assert judged() is None


@pytest.mark.parametrize("off", [timedelta(minutes=-5), timedelta(minutes=5)])
def test_five_minutes_either_way_are_allowed_and_no_second_more(off: timedelta) -> None:
    assert judged(now=THEN + off) is None
    assert judged(now=THEN + off + off / 300) is Refusal.OLD


@pytest.mark.parametrize(
    "changed",
    [
        {"body": PUBLISHED_BODY + b"&"},
        {"timestamp": str(int(PUBLISHED_TIME) + 1)},
        {"timestamp": "soon"},
        {"timestamp": "９"},
        {"timestamp": "9" * 400},
        {"signature": PUBLISHED_SIGNATURE.upper()},
        {"signature": PUBLISHED_SIGNATURE[:-1]},
        {"signature": "v0=\udcff"},
        {"body": b"\xff\x00"},
    ],
)
def test_whatever_is_altered_is_refused(changed: dict[str, Any]) -> None:
    assert judged(**changed) is Refusal.ALTERED


@pytest.mark.parametrize("missing", ["timestamp", "signature"])
def test_a_request_without_a_header_is_unsigned(missing: str) -> None:
    assert judged(**{missing: ""}) is Refusal.UNSIGNED  # type: ignore[arg-type]


@pytest.mark.parametrize("deed", Deed)
def test_every_button_is_read_back_as_it_was_written(deed: Deed) -> None:
    payload = press(ALERT, deed, response_url="https://hooks.slack.example/actions/1")
    person = SlackPerson(ADA, "ada")
    assert read_press(payload) == Press(person, deed, ALERT["id"], 3, "https://hooks.slack.example/actions/1")


@pytest.mark.parametrize("deed", Deed)
def test_the_values_fit_into_slacks_options(deed: Deed) -> None:
    assert len(button_value(deed, f"alert_{'0' * 32}", 10**9 - 1)) <= 75
    assert len(SNOOZES.get(deed, "")) <= 75


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"type": "view_submission"},
        {"type": "block_actions", "actions": []},
        {"type": "block_actions", "actions": ["x"]},
        {"type": "block_actions", "actions": [{"action_id": "of_another_app", "value": "x"}]},
    ],
)
def test_what_is_none_of_our_buttons_is_passed_over(payload: dict[str, Any]) -> None:
    assert read_press(payload) is None


@pytest.mark.parametrize("value", ["", "acknowledge", "dance:alert_1:1", "resolve:alert_1:x", "resolve:a b:1", None, 7])
def test_a_button_of_ours_with_another_value_is_an_error(value: object) -> None:
    payload = press(ALERT, Deed.RESOLVE)
    payload["actions"][0]["value"] = value
    with pytest.raises(ValueError, match="value"):
        read_press(payload)


@pytest.mark.parametrize("user", ["", "slack:U1", "u1", "<!channel>", None])
def test_nobody_without_a_slack_id_acts(user: object) -> None:
    payload = press(ALERT, Deed.RESOLVE)
    payload["user"]["id"] = user
    with pytest.raises(ValueError, match="user"):
        read_press(payload)
    with pytest.raises(ValueError, match="user"):
        read_typed({**command("status"), "user_id": user})


def test_tomorrow_is_the_next_morning_in_the_persons_zone() -> None:
    late = datetime(2026, 10, 24, 22, 30, tzinfo=UTC)  # in Berlin it is the 25th already, and summer time ends on it
    assert tomorrow_morning(late, "UTC") == datetime(2026, 10, 25, 9, tzinfo=UTC)
    assert tomorrow_morning(late, "Europe/Berlin") == datetime(2026, 10, 26, 8, tzinfo=UTC)
    assert tomorrow_morning(late, "Pacific/Auckland") == datetime(2026, 10, 25, 20, tzinfo=UTC)


def test_responders_acknowledge_snooze_and_hand_on_and_operators_do_the_rest() -> None:
    allowed = {role: [deed for deed in Deed if role.allows(deed.needs)] for role in SlackRole}
    assert allowed[SlackRole.NONE] == allowed[SlackRole.VIEWER] == []
    assert allowed[SlackRole.RESPONDER] == [Deed.ACKNOWLEDGE, *SNOOZES, Deed.HAND_ON]
    assert allowed[SlackRole.OPERATOR] == allowed[SlackRole.ADMIN] == list(Deed)


def test_whoever_is_not_listed_has_the_default_role() -> None:
    users = SlackUsers((SlackUser(ADA, SlackRole.OPERATOR, "Europe/Berlin"),))
    assert users.find(ADA, SlackRole.NONE).role is SlackRole.OPERATOR
    assert users.find("U0ELSE", SlackRole.RESPONDER) == SlackUser("U0ELSE", SlackRole.RESPONDER, "UTC")


@pytest.mark.parametrize(
    ("actor", "shown"),
    [
        ("slack:U0ADAFAKE", "<@U0ADAFAKE>"),
        ("token:U0ADAFAKE", "token:U0ADAFAKE"),
        ("slack:<!channel>", "slack:&lt;!channel&gt;"),
        ("token:<@U0ADAFAKE>", "token:&lt;@U0ADAFAKE&gt;"),
    ],
)
def test_only_a_slack_id_becomes_a_mention(actor: str, shown: str) -> None:
    assert who(actor) == shown
