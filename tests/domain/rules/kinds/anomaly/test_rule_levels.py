"""The anomaly rule while a launch lasts: one alert, an end that names the level, an answer that takes it back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest

from service.domain.alerts.alert import AlertEvent, Command, Reason
from service.domain.alerts.evidence import RuleEvidence
from service.domain.detectors.memory.baselines import Memo
from service.domain.rules.feedback import Feedback, FeedbackKind
from service.domain.rules.kinds.anomaly.rule import AnomalyGranularity, observe
from service.domain.values.scopes import ORGANISATION
from tests.domain.rules.spending import ENG, ENG_CI, WEEK, WOBBLE, a_rule, hourly, hours, steady, with_days, with_hours
from tests.domain.rules.spending import usual as usual_day
from tests.domain.rules.test_assessment import Life
from tests.domain.rules.views import TODAY, view

DAY = timedelta(days=1)
DAYS = 98
RULE = a_rule()
LAUNCH = TODAY - 9 * DAY
"""A Thursday: its first weekend is two days later."""
MOVES = frozenset({Command.OPEN, Command.RESOLVE})


def usual(on: date) -> float:
    return WEEK[on.weekday()] * WOBBLE[on.toordinal() % len(WOBBLE)]


def lived(times: float, until: date, days: int = 24, said: Sequence[Feedback] = ()) -> list[AlertEvent]:
    """All moves of an organisation's alerts, looked at each noon, where it costs so many times as much until a day."""
    life, moved, memo = Life(RULE), [], Memo()
    for today in (LAUNCH + offset * DAY for offset in range(-2, days)):
        row = [times * usual(on) if LAUNCH <= on < until else usual(on) for on in past(today)]
        life.seen = replace(view({ENG_CI: [*row[:-1], row[-1] / 2]}, today=today), memo=memo)
        life.now = life.seen.as_of - DAY
        answers = [one for one in said if one.given_at <= life.seen.as_of]
        moved += life.events({ORGANISATION: observe(life.seen, RULE, answers)[ORGANISATION]}, after=DAY)
    return [event for event in moved if event.command in MOVES]


def past(today: date) -> list[date]:
    return [today - ago * DAY for ago in range(DAYS, -1, -1)]


@pytest.mark.parametrize("times", [1.6, 2.0, 4.0])
def test_a_launch_is_one_alert_whose_end_names_the_level(times: float) -> None:
    opened, ended = lived(times, date.max)
    assert opened.at.date() <= LAUNCH + DAY
    assert ended.reason is Reason.ACCEPTED
    assert ended.at - opened.at <= 10 * DAY
    assert isinstance(ended.alert.evidence, RuleEvidence)
    level = ended.alert.evidence.level
    assert level is not None
    assert (level.scope_name, level.since) == ("the organisation", LAUNCH)
    assert float(level.after.usd / level.before.usd) == pytest.approx(times, rel=0.1)


def test_a_launch_that_is_taken_back_is_one_message_more() -> None:
    _, ended = lived(2.0, LAUNCH + 5 * DAY)
    assert ended.reason is Reason.RECOVERED


@pytest.mark.parametrize("later", [timedelta(hours=1), 4 * DAY])
def test_a_level_answered_as_fixed_fires_again_while_it_lasts(later: timedelta) -> None:
    """Also where it was expected for some days meanwhile."""
    _, ended = lived(2.0, date.max)
    answer = Feedback(ORGANISATION, FeedbackKind.FIXED, LAUNCH, ended.at.date() - DAY, ended.at + later)
    moves = [event.reason for event in lived(2.0, date.max, said=[answer])]
    assert moves == [Reason.FIRST, Reason.ACCEPTED, Reason.FIRST, Reason.ACCEPTED]


@pytest.mark.parametrize(("times", "ago", "up"), [(1.4, (1, 2), True), (1.4, (2,), False), (1.1, (1, 2, 3), False)])
def test_the_organisation_is_up_where_most_of_its_last_hours_are_well_above_the_usual(
    times: float, ago: Sequence[int], up: bool
) -> None:
    """Whether it fires does not matter; of a part of it that is never said."""
    row = hourly()
    for back in ago:
        row[-back] *= times
    seen = observe(with_hours(view({ENG_CI: steady()}), hours({ENG_CI: row})), a_rule(AnomalyGranularity.BOTH))
    found = seen[ORGANISATION]
    assert found.calm is not None
    assert (found.candidate, found.calm.up) == (False, up)
    assert not (seen[ENG].calm or found.calm).up


def test_without_hours_the_organisation_is_up_with_its_newest_day() -> None:
    for times, up in ((1.4, True), (1.1, False)):
        found = observe(view({ENG_CI: with_days(steady(), {1: times * usual_day(1), 0: 0.0})}), RULE)[ORGANISATION]
        assert found.calm is not None
        assert found.calm.up is up
