"""How far back or ahead: in words where it cannot be, never by the end of the calendar."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from service.bootstrap.errors import StartError
from service.cli.remote.lengths import LONGEST, length_of
from service.cli.remote.silencing import SilenceWanted
from service.domain.values.utc import DAY

NOW = datetime(2026, 11, 16, 12, 40, tzinfo=UTC)


def test_a_length_is_read() -> None:
    assert length_of("--last", "7d") == 7 * DAY
    assert NOW - 2 * LONGEST < NOW < NOW + LONGEST, "the calendar has them"


@pytest.mark.parametrize("text", ["0h", "9999999d", "36501d"])
def test_nothing_and_more_than_the_calendar_has_are_refused(text: str) -> None:
    with pytest.raises(StartError, match="--last: expected more than 0 and at most 36500d"):
        length_of("--last", text)


def test_a_silence_until_the_end_of_the_calendar_is_refused_in_words() -> None:
    with pytest.raises(StartError, match="--for: expected"):
        SilenceWanted(("team=eng",), "9999999d", "", "").body(NOW)


@pytest.mark.parametrize("label", ["cost-center", "example.com/team", "team"])
def test_a_tag_of_any_name_can_be_silenced(label: str) -> None:
    made = SilenceWanted((f"{label}=~eng-.*",), "1h", "", "").body(NOW)
    assert made["matchers"] == [{"label": label, "op": "=~", "value": "eng-.*"}]
    assert made["ends_at"] == (NOW + timedelta(hours=1)).isoformat()
