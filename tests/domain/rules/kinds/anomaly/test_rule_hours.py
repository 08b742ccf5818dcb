"""The anomaly rule on hours, and on hours and days together."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from service.domain.detectors.daily.growth import FOLLOW
from service.domain.rules.evaluation import evaluate
from service.domain.rules.feedback import Feedback, FeedbackKind
from service.domain.rules.incidents import Incident, incidents
from service.domain.rules.kinds.anomaly.ground import ground, judges
from service.domain.rules.kinds.anomaly.rule import Anomaly, AnomalyGranularity, observe, validate
from service.domain.rules.planned import PlannedActivity
from service.domain.rules.rule import Rule
from service.domain.rules.view import SpendView
from service.domain.sources.locality import LIKELY_ZONES, Locality
from service.domain.values.errors import Invalid
from service.domain.values.money import Money
from service.domain.values.scopes import ORGANISATION, Cell, Dimension, Scope, ScopeKey
from service.domain.values.severity import Severity
from tests.domain.rules.spending import (
    CI,
    ENG,
    ENG_CI,
    ENG_NEW,
    HOURS,
    NEW,
    OPS,
    OPS_BOT,
    OPUS,
    a_rule,
    hourly,
    hours,
    moved,
    steady,
    usual,
    with_days,
    with_hours,
)
from tests.domain.rules.views import NOON, day, view

HOURLY, BOTH = a_rule(AnomalyGranularity.HOURS), a_rule(AnomalyGranularity.BOTH)


def loop(dollars: float, *ago: int, row: Sequence[float] | None = None) -> list[float]:
    """An hourly row in which the hours so many hours ago cost more; 1 is the hour before noon."""
    row = list(row or hourly())
    for hour in ago:
        row[-hour] += dollars
    return row


def seen_hours(
    rows: Mapping[Cell, Sequence[float]] | Sequence[float],
    *,
    unknown: tuple[int, ...] = (),
    mature: int = 1,
    days: Mapping[int, float] | None = None,
) -> SpendView:
    """Steady days, and hours: a bare row is that of ENG_CI, beside a calm OPS_BOT."""
    given = rows if isinstance(rows, Mapping) else {ENG_CI: rows}
    by_cell = {OPS_BOT: hourly(1.0), **given}
    daily = {ENG_CI: with_days(steady(), {0: usual(0) / 2, **(days or {})}), OPS_BOT: steady(0.2)}
    return with_hours(view(daily), hours(by_cell, unknown=unknown, mature=mature))


def found(seen: SpendView, rule: Rule[Anomaly] = HOURLY, *feedback: Feedback) -> list[Incident]:
    return incidents(seen, evaluate(seen, rule, feedback))


def amounts(incident: Incident) -> dict[ScopeKey, float]:
    return {part.scope: float(str(part.amount)) for part in incident.contributions}


def calm(seen: SpendView, rule: Rule[Anomaly] = HOURLY) -> tuple[bool, str]:
    got = observe(seen, rule)[ENG].calm
    assert got is not None
    return got.over, got.found


def test_usual_hours_are_quiet() -> None:
    assert found(seen_hours(hourly())) == []
    assert found(seen_hours(hourly()), BOTH) == []


@pytest.mark.parametrize("rule", [HOURLY, BOTH])
def test_a_runaway_loop_rings_for_the_hour_just_closed_and_names_whose_it_is(rule: Rule[Anomaly]) -> None:
    [incident] = found(seen_hours(loop(60.0, 1)), rule)
    seen = incident.verdict.observation
    assert incident.scope == ORGANISATION
    assert seen.unit == "US dollars an hour"
    assert seen.since == NOON - timedelta(hours=1)
    assert seen.impact == pytest.approx(60, abs=1)
    parts = amounts(incident)
    assert {ENG, OPUS, CI} <= set(parts)
    assert all(parts[key] == pytest.approx(60, abs=1) for key in (ENG, OPUS, CI))
    assert parts.get(OPS, 0.0) < 1


def test_contributions_are_about_the_incident_s_own_hour_whatever_other_scopes_do() -> None:
    """OPS exceeds in another hour, by more: that is not what this hour's dollars went to."""
    seen = seen_hours({ENG_CI: loop(60.0, 1), OPS_BOT: loop(90.0, 3, row=hourly(1.0))})
    [incident] = found(seen)
    assert incident.verdict.observation.since == NOON - timedelta(hours=3)
    parts = amounts(incident)
    assert parts[ENG] == pytest.approx(60, abs=1)
    assert parts.get(OPS, 0.0) < 1


def test_a_new_key_in_a_loop_is_a_contribution_with_all_its_dollars() -> None:
    """Its day is not known yet: only the hours tell of it."""
    seen = seen_hours({ENG_CI: hourly(), ENG_NEW: loop(70.0, 1, row=[0.0] * HOURS)})
    [incident] = found(seen, BOTH)
    assert amounts(incident)[NEW] == 70.0


def test_a_workspace_s_hour_names_its_models_with_their_part_inside_it() -> None:
    rule = a_rule(AnomalyGranularity.HOURS, levels=(Dimension.WORKSPACE,))
    other = Cell(OPS.id, OPUS.id, "apikey_x")
    seen = seen_hours({ENG_CI: loop(60.0, 1), other: loop(2.0, 1, row=hourly(1.0))})
    [incident] = found(seen, rule)
    assert incident.scope == ENG
    parts = amounts(incident)
    assert parts[OPUS] == pytest.approx(60, abs=1)
    assert parts[CI] == pytest.approx(60, abs=1)
    assert set(parts) == {OPUS, CI}


def test_one_of_the_last_three_known_hours_rings_and_an_earlier_one_does_not() -> None:
    assert found(seen_hours(loop(60.0, 3)))
    assert not found(seen_hours(loop(60.0, 4)))
    assert found(seen_hours(loop(60.0, 4), unknown=(1,)))


def noisy_office(noise: float, now: datetime = NOON) -> list[float]:
    starts = [now - timedelta(hours=ago) for ago in range(HOURS, 0, -1)]
    busy = [10.0 if at.weekday() < 5 and 8 <= at.hour < 18 else 0.3 for at in starts]
    return [float(dollars) for dollars in busy * np.random.default_rng(3).lognormal(0, noise, HOURS)]


@pytest.mark.parametrize("noise", [0.2, 0.27, 0.3])
def test_an_hour_of_a_noisy_office_speaks_for_itself(noise: float) -> None:
    """There is no step where the change against the week before passes a quarter, only a line that rises."""
    row = noisy_office(noise)
    rule = a_rule(AnomalyGranularity.HOURS, levels=(Dimension.WORKSPACE,))
    assert found(seen_hours(row), rule) == []
    assert [one.scope for one in found(seen_hours(loop(15.0, 1, row=row)), rule)] == [ENG]


def test_the_cause_of_an_hour_can_be_checked_by_hand() -> None:
    row = loop(60.0, 1)
    cause = observe(seen_hours(row), HOURLY)[ENG].cause
    assert cause.startswith(f"Workspace eng spent ${row[-1]:.2f} (estimated) between 11:00 and 12:00 UTC on Saturday ")
    for week in range(1, 5):
        assert f"${row[-1 - 168 * week]:.2f}" in cause


def test_hours_grow_as_days_do_and_the_alert_says_by_how_much() -> None:
    """Days of four weeks bear the growth; a loop is found in the hour just closed."""
    days = [one * 1.1 ** (place / 7) for place, one in enumerate(steady())]
    row = [one * 1.1 ** (place / 168) for place, one in enumerate(hourly())]
    seen = with_hours(view({ENG_CI: days}), hours({ENG_CI: loop(60.0, 1, row=row)}))
    told = observe(seen, HOURLY)[ENG]
    growth = float(dict(told.inputs)["each week multiplied by"])
    assert growth == pytest.approx(1.1**FOLLOW, abs=0.01)
    assert f" at {growth - 1:.0%} growth a week; " in told.cause


def test_an_hour_that_fires_because_of_the_one_before_says_so_in_dollars() -> None:
    row = noisy_office(0.25, NOON + timedelta(days=2))  # as if the last hour were one of a Monday
    rule = a_rule(AnomalyGranularity.HOURS, levels=(Dimension.WORKSPACE,))
    assert not found(seen_hours(loop(12.0, 1, row=row)), rule)
    seen = observe(seen_hours(loop(12.0, 1, 2, row=row)), rule)[ENG]
    told = dict(seen.inputs)
    names = ("hour before", "fires after a usual hour", "fires after one as high")
    before, alone, half = (float(told[name].removeprefix("from ").split()[0].lstrip("$")) for name in names)
    assert seen.cause.endswith(f"{told['fires from']} after an hour of ${before:.2f} above normal.")
    line = alone - (alone - half) * min(before / half, 1)
    assert float(told["fires from"].lstrip("$")) - seen.expected == pytest.approx(line, abs=0.03)
    assert "hour before" not in dict(observe(seen_hours(loop(60.0, 1)), rule)[ENG].inputs)


def test_of_a_loud_hour_and_a_less_loud_day_the_hour_is_told_of_and_the_other_way_round() -> None:
    hour = found(seen_hours(loop(200.0, 1), days={0: 200.0}), BOTH)
    day_alone = found(seen_hours(loop(25.0, 1), days={1: 9000.0}), BOTH)
    assert [one.verdict.observation.unit for one in (*hour, *day_alone)] == ["US dollars an hour", "US dollars a day"]
    assert hour[0].verdict.observation.severity is Severity.CRITICAL


def test_an_hour_that_is_not_complete_yet_rings_as_soon_as_it_is_too_much() -> None:
    assert found(seen_hours(loop(60.0, 1), mature=5))


@pytest.mark.parametrize(
    ("ago", "unknown", "mature", "expected"),
    [
        ((), (), 0, (True, "6 normal hours")),
        ((1,), (), 0, (False, "0 normal hours")),
        ((4,), (), 0, (False, "3 normal hours")),
        ((7,), (), 0, (True, "6 normal hours")),
        ((4,), (2,), 0, (False, "2 normal hours")),
        ((4,), (), 2, (False, "1 normal hour")),
    ],
)
def test_six_normal_complete_hours_make_an_end(
    ago: tuple[int, ...], unknown: tuple[int, ...], mature: int, expected: tuple[bool, str]
) -> None:
    assert calm(seen_hours(loop(60.0, *ago), unknown=unknown, mature=mature)) == expected


def test_with_both_an_end_needs_normal_days_and_normal_hours() -> None:
    assert calm(seen_hours(hourly()), BOTH) == (True, "2 normal days and 6 normal hours")
    assert calm(seen_hours(loop(60.0, 2), mature=0), BOTH) == (False, "2 normal days and 1 normal hour")
    assert calm(seen_hours(hourly(), days={2: 900.0}), BOTH) == (False, "1 normal day and 6 normal hours")


def test_an_incident_of_several_hours_began_with_its_first_and_costs_all_of_them() -> None:
    seen = observe(seen_hours(loop(60.0, 1, 2, 4, 5)), HOURLY)[ENG]
    assert seen.since == NOON - timedelta(hours=5)
    assert seen.impact == pytest.approx(240, abs=6)


def test_six_normal_hours_part_two_incidents() -> None:
    assert observe(seen_hours(loop(60.0, 1, 8)), HOURLY)[ENG].since == NOON - timedelta(hours=1)
    assert observe(seen_hours(loop(60.0, 1, 7)), HOURLY)[ENG].since == NOON - timedelta(hours=7)


def test_an_hour_of_an_incident_that_began_on_an_earlier_day_dates_from_that_day() -> None:
    seen = observe(seen_hours(loop(60.0, 1), days={1: 900.0}), BOTH)[ENG]
    assert seen.since == NOON.replace(hour=0) - timedelta(days=1)


# ------------------------------------------------------------------------------------------------- what people say


def expected(given: datetime, *scopes: ScopeKey) -> list[Feedback]:
    return [Feedback(scope, FeedbackKind.EXPECTED, day(0), day(0), given) for scope in scopes]


def test_an_expected_loop_rings_no_more_in_the_hours_after_the_answer() -> None:
    seen = seen_hours(loop(60.0, *range(1, 9)))
    answers = expected(NOON - timedelta(hours=5), ORGANISATION, ENG)
    assert found(seen)
    assert not found(seen, HOURLY, *answers)


def test_an_answer_about_one_scope_leaves_the_others_ringing() -> None:
    seen = seen_hours(loop(60.0, *range(1, 9)))
    answers = expected(NOON - timedelta(hours=5), ORGANISATION)
    assert [one.scope for one in found(seen, HOURLY, *answers)] == [ENG]


def test_a_planned_activity_raises_what_its_hours_are_expected_to_cost() -> None:
    activity = PlannedActivity("src_1", Scope(), NOON - timedelta(hours=2), NOON, Money.of("130"))
    seen = replace(seen_hours(loop(60.0, 1)), planned=(activity,))
    assert not found(seen)
    before, after = (observe(one, HOURLY)[ENG] for one in (seen_hours(loop(60.0, 1)), seen))
    assert after.expected == pytest.approx(before.expected + 65)


# ------------------------------------------------------------------------------------------------------------ edges


@pytest.mark.parametrize("length", [1, 2, 200, 900])
@pytest.mark.parametrize("dollars", [0.0, 3.0])
def test_a_short_or_empty_past_rings_nothing(length: int, dollars: float) -> None:
    seen = with_hours(view({ENG_CI: steady(), OPS_BOT: steady()}), hours({ENG_CI: [dollars] * length}))
    assert found(seen) == []


def test_hours_that_are_all_unknown_are_as_good_as_none() -> None:
    seen = with_hours(view({ENG_CI: steady()}), hours({ENG_CI: hourly(hours=5)}, unknown=(1, 2, 3, 4, 5)))
    assert observe(seen, HOURLY) == {}
    assert observe(seen, BOTH)[ENG].unit == "US dollars a day"


def test_an_hour_restated_below_zero_is_not_judged() -> None:
    seen = observe(seen_hours([*hourly()[:-1], -5.0]), HOURLY)[ENG]
    assert math.isnan(seen.actual)
    assert not seen.candidate


def test_whole_weeks_away_all_is_the_same() -> None:
    seen = seen_hours(loop(60.0, 1))
    one, other = (observe(each, BOTH)[ENG] for each in (seen, moved(seen, timedelta(weeks=9))))
    assert (one.actual, one.expected, one.impact, one.severity) == (
        other.actual,
        other.expected,
        other.impact,
        other.severity,
    )


CLOCKS_FORWARD, CLOCKS_BACK = datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)
MADRID = ZoneInfo("Europe/Madrid")
LEARNT = Locality(LIKELY_ZONES)


def by_clocks(end: datetime, zone: tzinfo) -> list[float]:
    """$40 an hour from 9 to 18 on working days, else $4."""
    local = [(end - timedelta(hours=ago)).astimezone(zone) for ago in range(HOURS, 0, -1)]
    return [40.0 if 9 <= at.hour < 18 and at.weekday() < 5 else 4.0 for at in local]


def at_hour(end: datetime, row: Sequence[float], locality: Locality) -> SpendView:
    seen = view({ENG_CI: steady()}, today=end.date())
    return with_hours(replace(seen, as_of=end, locality=locality), hours({ENG_CI: row}, end=end))


def rang(end: datetime, row: Sequence[float], locality: Locality = LEARNT) -> bool:
    """Whether the hour that ends there rings."""
    found_then = found(at_hour(end, row, locality))
    return any(one.verdict.observation.since == end - timedelta(hours=1) for one in found_then)


def working_days(change: datetime) -> list[datetime]:
    """The ends of the hours at the edges of an office's day, of the ten working days after a change."""
    midnights = [change.replace(hour=0) + timedelta(days=day) for day in range(1, 13)]
    return [
        night + timedelta(hours=hour) for night in midnights if night.weekday() < 5 for hour in (7, 8, 9, 16, 17, 18)
    ]


@pytest.mark.slow
@pytest.mark.parametrize("change", [CLOCKS_FORWARD, CLOCKS_BACK])
@pytest.mark.parametrize("locality", [LEARNT, Locality(("Europe/Madrid",), is_set=True)])
def test_office_hours_across_a_clock_change_ring_nothing(change: datetime, locality: Locality) -> None:
    ends = working_days(change)
    assert not [end for end in ends if rang(end, by_clocks(end, MADRID), locality)]


@pytest.mark.slow
def test_where_no_clock_is_thought_of_one_hour_of_utc_rings_on_each_working_day() -> None:
    ends = working_days(CLOCKS_BACK)
    assert [end.hour for end in ends if rang(end, by_clocks(end, MADRID), Locality())] == [17] * 10


@pytest.mark.slow
@pytest.mark.parametrize("change", [CLOCKS_FORWARD, CLOCKS_BACK])
def test_a_job_by_utc_rings_nothing_after_a_clock_change_either(change: datetime) -> None:
    assert not [end for end in working_days(change) if rang(end, by_clocks(end, UTC))]


@pytest.mark.parametrize("zone", [MADRID, UTC])
def test_on_the_day_after_a_clock_change_a_loop_is_found(zone: tzinfo) -> None:
    midnight = CLOCKS_BACK.replace(hour=0) + timedelta(days=1)
    ends = [midnight + timedelta(hours=hour) for hour in range(9, 16, 3)]
    assert all(rang(end, loop(120.0, 1, row=by_clocks(end, zone))) for end in ends)


def clock_told(end: datetime, zone: tzinfo) -> tuple[str, str]:
    """What is said of the clock, and the newest of the hours that a loop is compared with."""
    seen = at_hour(end, loop(120.0, 1, row=by_clocks(end, zone)), LEARNT)
    numbers = observe(seen, HOURLY)[ENG].inputs
    return dict(numbers).get("clock", ""), numbers[-1][0]


def test_an_alert_says_by_which_clock_it_compares_and_names_the_hours() -> None:
    monday, tuesday = (datetime(2026, 10, day, 17, tzinfo=UTC) for day in (26, 27))
    assert clock_told(monday, MADRID)[0].endswith(
        "whether spend moved with the clock is not known yet, and this one asks for more dollars"
    )
    moved_with_it = "Europe/Berlin, changed on 25 October 2026: spend moved with it"
    assert clock_told(tuesday, MADRID) == (moved_with_it, "15:00 UTC on 20 October 2026")
    by_utc, hour = clock_told(tuesday, UTC)
    assert by_utc.startswith("UTC: spend did not move with the clock")
    assert hour == "16:00 UTC on 20 October 2026"
    assert clock_told(datetime(2026, 9, 15, 16, tzinfo=UTC), MADRID) == ("", "15:00 UTC on 8 September 2026")


def test_what_is_known_later_changes_no_verdict_about_a_clock() -> None:
    """The hours of tomorrow are appended, and today's verdict is the same to the last digit."""
    monday = datetime(2026, 10, 26, 16, tzinfo=UTC)
    later = monday + timedelta(hours=24)
    row = loop(120.0, 25, row=by_clocks(later, MADRID))
    then, now = (
        at_hour(end, row[:stop], replace(LEARNT, zones=LEARNT.zones)) for end, stop in ((monday, -24), (later, None))
    )
    readings = [
        judges(ground(seen, Scope()), HOURLY.params.sensitivity, ()).hours.reading(0, place)  # type: ignore[union-attr]
        for seen, place in ((then, HOURS - 25), (now, HOURS - 25))
    ]
    assert repr(readings[0]) == repr(readings[1])


# ------------------------------------------------------------------------------------------------------------- calm


def lull(seen: SpendView, rule: Rule[Anomaly] = BOTH) -> tuple[bool, datetime | None, datetime | None]:
    got = observe(seen, rule)[ENG].calm
    assert got is not None
    return got.over, got.since, got.until


def hour_of_noon(hours: int) -> datetime:
    return NOON + timedelta(hours=hours)


@pytest.mark.parametrize("rule", [HOURLY, BOTH])
def test_two_normal_hours_are_calm_and_six_would_be_an_end(rule: Rule[Anomaly]) -> None:
    assert lull(seen_hours(loop(60.0, 2), mature=0), rule) == (False, None, None)
    assert lull(seen_hours(loop(60.0, 3), mature=0), rule) == (False, hour_of_noon(-2), hour_of_noon(4))
    assert lull(seen_hours(loop(60.0, 7), mature=0), rule) == (True, None, None)


def test_hours_that_are_not_known_are_not_calm() -> None:
    assert lull(seen_hours(loop(60.0, 3), unknown=(1,), mature=0)) == (False, None, None)


def test_a_spike_of_five_hours_is_over_by_its_hours_though_its_days_look_high() -> None:
    yesterday = (18, 17, 16, 15, 14)
    spent = {1: usual(1) + 300.0}
    seen = seen_hours(loop(60.0, *yesterday), days=spent)
    assert calm(seen, BOTH) == (True, "2 normal days and 6 normal hours")
    at_least = observe(seen, BOTH)[ENG].calm
    assert at_least is not None
    assert at_least.at_least == timedelta(hours=6)


def test_a_spike_of_three_days_ago_is_over_too() -> None:
    """Longer ago than incidents of hours are followed."""
    ago = tuple(hours + 48 for hours in (18, 17, 16, 15, 14))
    assert calm(seen_hours(loop(60.0, *ago), days={3: usual(3) + 300.0}), BOTH)[0]


def test_a_day_that_its_loud_hour_does_not_explain_is_not_over_with_it() -> None:
    seen = seen_hours(loop(60.0, 16), days={1: usual(1) + 900.0})
    assert calm(seen, BOTH) == (False, "0 normal days and 6 normal hours")


def test_of_a_day_alone_one_normal_day_is_calm_and_small_days_are_no_end() -> None:
    """Friday was normal, and Monday will be the next day that says something."""
    midnight = NOON.replace(hour=0)
    seen = seen_hours(hourly(), days={2: 900.0})
    assert lull(seen) == (False, midnight - timedelta(days=1), midnight + timedelta(days=3))
    assert lull(seen_hours(hourly(), days={1: 900.0})) == (False, None, None)


# --------------------------------------------------------------------------------------------------------- severity


def weighed(seen: SpendView, rule: Rule[Anomaly] = HOURLY) -> tuple[Severity | None, str]:
    got = observe(seen, rule)[ORGANISATION]
    return got.severity, got.because


def with_bars(dollars: str = "250", percent: int = 100, hours: int = 2) -> Rule[Anomaly]:
    bars = replace(
        HOURLY.params,
        critical_spent=Money.of(dollars),
        critical_percent_of_day=Decimal(percent),
        critical_hours=hours,
    )
    return replace(HOURLY, params=bars)


def test_one_hour_at_a_high_speed_is_not_critical_and_says_what_it_waits_for() -> None:
    severity, because = weighed(seen_hours(loop(60.0, 1)), with_bars())
    assert severity is Severity.WARNING
    assert because == "warning until two hours in a row, $250 or 100% of a usual day confirm it"


def test_two_hours_in_a_row_confirm_it_and_two_with_a_pause_do_not() -> None:
    in_a_row = weighed(seen_hours(loop(60.0, 1, 2)), with_bars())
    assert in_a_row == (Severity.CRITICAL, "critical: two hours in a row")
    assert weighed(seen_hours(loop(60.0, 1, 3)), with_bars())[0] is Severity.WARNING
    assert weighed(seen_hours(loop(60.0, 1, 2)), with_bars(hours=3))[0] is Severity.WARNING


def test_what_is_spent_already_is_critical_at_once() -> None:
    severity, because = weighed(seen_hours(loop(300.0, 1)), with_bars())
    assert severity is Severity.CRITICAL
    assert because.startswith("critical because $3")
    assert because.endswith(" above normal is spent already")


def test_a_share_of_a_usual_day_is_critical_at_once() -> None:
    severity, because = weighed(seen_hours(loop(60.0, 1)), with_bars(dollars="9999", percent=10))
    assert severity is Severity.CRITICAL
    assert because.endswith("% of a usual day")


def test_speed_alone_is_critical_where_one_hour_is_asked_for() -> None:
    assert weighed(seen_hours(loop(60.0, 1)), with_bars(hours=1))[0] is Severity.CRITICAL


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        (replace(HOURLY.params, critical_spent=Money.of("0")), "/params/critical_spent"),
        (replace(HOURLY.params, critical_percent_of_day=Decimal(101)), "/params/critical_percent_of_day"),
        (replace(HOURLY.params, critical_hours=0), "/params/critical_hours"),
    ],
)
def test_bars_that_mean_nothing_are_refused(changed: Anomaly, pointer: str) -> None:
    with pytest.raises(Invalid) as refused:
        validate(replace(HOURLY, params=changed))
    assert refused.value.pointer == pointer
