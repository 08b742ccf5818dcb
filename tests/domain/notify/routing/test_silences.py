from __future__ import annotations

from dataclasses import replace

import pytest

from service.domain.notify.routing.labels import Labels
from service.domain.notify.routing.matchers import Matcher, Op
from service.domain.notify.routing.silences import Silence, SilenceState, silencing, validate_silence
from service.domain.values.errors import Invalid
from tests.factories import resource, utc

ENG = Matcher("team", Op.EQUAL, "eng")
SILENCE = Silence((ENG,), utc("2026-11-16T12:00"), utc("2026-11-16T14:00"))
LABELS: Labels = {"team": frozenset({"eng"})}


def test_a_silence_holds_from_its_start_until_before_its_end() -> None:
    states = [SILENCE.state(utc(f"2026-11-16T{time}")) for time in ("11:59", "12:00", "13:59", "14:00")]
    assert states == [SilenceState.PENDING, SilenceState.ACTIVE, SilenceState.ACTIVE, SilenceState.EXPIRED]


def test_a_silence_that_somebody_ended_is_over() -> None:
    ended = replace(SILENCE, expired_at=utc("2026-11-16T11:00"))
    assert ended.state(utc("2026-11-16T12:30")) is SilenceState.EXPIRED


def test_where_two_overlap_it_is_quiet_until_the_later_one_ends() -> None:
    first = resource("sil_1", SILENCE)
    second = resource("sil_2", replace(SILENCE, starts_at=utc("2026-11-16T13:00"), ends_at=utc("2026-11-16T15:00")))
    at = {time: silencing([first, second], LABELS, utc(f"2026-11-16T{time}")) for time in ("12:30", "13:30", "14:30")}
    assert [[one.id for one in found] for found in at.values()] == [["sil_1"], ["sil_1", "sil_2"], ["sil_2"]]
    assert not silencing([first, second], LABELS, utc("2026-11-16T15:00"))


def test_what_a_silence_does_not_match_rings() -> None:
    assert not silencing([resource("sil_1", SILENCE)], {"team": frozenset({"ops"})}, SILENCE.starts_at)


@pytest.mark.parametrize(
    ("silence", "pointer"),
    [
        (replace(SILENCE, ends_at=SILENCE.starts_at), "/ends_at"),
        (replace(SILENCE, matchers=()), "/matchers"),
        (replace(SILENCE, matchers=(Matcher("team", Op.LIKE, ".*"),)), "/matchers"),
        (replace(SILENCE, matchers=(Matcher("team", Op.NOT_EQUAL, "eng"),)), "/matchers"),
        (replace(SILENCE, matchers=(Matcher("team", Op.LIKE, "("),)), "/matchers/0/value"),
    ],
)
def test_a_silence_of_everything_or_of_no_time_is_refused(silence: Silence, pointer: str) -> None:
    with pytest.raises(Invalid) as refused:
        validate_silence(silence)
    assert refused.value.pointer == pointer


def test_what_is_not_critical_may_be_silenced_for_one_team() -> None:
    validate_silence(replace(SILENCE, matchers=(Matcher("severity", Op.NOT_EQUAL, "critical"), ENG)))
