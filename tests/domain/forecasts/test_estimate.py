from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.forecasts.estimate import Running, forecast, forecast_all
from service.domain.forecasts.forecast import Estimate, Forecast, ForecastMethod, Missing, NoForecast
from service.domain.forecasts.history import DailySpend
from service.domain.values.money import ZERO, Money
from service.domain.values.periods import Window

NOVEMBER = Window(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))
EVEN = [100.0] * 70


def on(day: int, hour: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=UTC)


def running(past: list[float], spent: str, now: datetime = on(11), **today: float) -> Running:
    return Running(DailySpend.complete(past, **today), Money.of(spent), NOVEMBER, now)


def made(scope: Running) -> Forecast:
    answer = forecast(scope)
    assert isinstance(answer, Forecast)
    return answer


def near(money: Money, usd: float, share: float = 0.001) -> bool:
    return float(money.usd) == pytest.approx(usd, rel=share)


def test_even_spend_goes_on_at_the_same_rate() -> None:
    answer = made(running(EVEN, "1000"))

    assert near(answer.mid, 3000)
    assert answer.low < answer.mid < answer.high
    assert (answer.method, answer.history_days) == (ForecastMethod.WEEKDAY_LEVEL, 70)


def test_what_is_spent_is_kept_to_the_last_place() -> None:
    answer = made(running(EVEN, "1000.000000000123"))

    assert answer.spent == Money.of("1000.000000000123")
    assert str(answer.mid - answer.spent) == "2000.00"


def test_a_quiet_weekend_is_expected_to_stay_quiet() -> None:
    friday_evening = on(13, 23)  # 13 November 2026 is a Friday; the history ends on the Thursday before it
    office_weeks = ([0.0, 0.0, 100.0, 100.0, 100.0, 100.0, 100.0] * 11)[6:76]
    week = Window(on(9), on(16))
    answer = made(
        Running(DailySpend.complete(office_weeks, today=100.0, today_known=1.0), Money.of("500"), week, friday_evening)
    )

    assert answer.mid < Money.of("540")


def test_a_batch_on_one_weekday_is_expected_on_that_weekday() -> None:
    batches = [0.0, 0.0, 700.0, 0.0, 0.0, 0.0, 0.0] * 10
    answer = made(Running(DailySpend.complete(batches), ZERO, Window(on(2), on(16)), on(2)))

    assert near(answer.mid, 1400, share=0.2)
    before, after = (answer.path.when(share) for share in (0.1, 0.4))
    assert before is not None
    assert after is not None
    assert on(2) < before < after < on(5)


def test_a_single_spike_does_not_dominate() -> None:
    plain = made(running(EVEN, "1000"))
    spiked = made(running([*EVEN[:-2], 5000.0, 100.0], "5900"))

    assert spiked.mid - spiked.spent < (plain.mid - plain.spent) * Decimal("1.10")


def test_a_lasting_shift_is_accepted_within_ten_days() -> None:
    answer = made(running(EVEN[:-10] + [300.0] * 10, "3000"))

    assert near(answer.mid - answer.spent, 20 * 300, share=0.05)


def test_a_credit_in_the_history_counts_as_nothing_spent() -> None:
    credited = made(running([*EVEN[:-3], -4000.0, 100.0, 100.0], "1000"))
    nothing = made(running([*EVEN[:-3], 0.0, 100.0, 100.0], "1000"))

    assert credited == nothing


def test_a_period_in_credit_is_not_forecast_below_zero() -> None:
    answer = made(running(EVEN, "-90000"))

    assert (answer.low, answer.mid, answer.high) == (ZERO, ZERO, ZERO)


def test_a_day_of_which_nothing_is_known_is_expected_to_turn_up() -> None:
    past, known = [*EVEN[:-1], 0.0], [*(1.0 for _ in EVEN[:-1]), 0.0]
    days = DailySpend((*past, 0.0), (*known, 0.0))
    answer = made(Running(days, Money.of("900"), NOVEMBER, on(11)))

    assert near(answer.mid, 3000)
    assert answer.history_days == 69


@pytest.mark.parametrize(("back", "expected"), [(1, 0), (2, 700), (3, 0), (9, 700)])
def test_a_missing_day_turns_up_with_the_amount_of_its_weekday(back: int, expected: float) -> None:
    batches = [0.0, 0.0, 0.0, 0.0, 0.0, 700.0, 0.0] * 10  # on the day before yesterday, as every week
    known = [0.0 if place == back else 1.0 for place in range(70, 0, -1)]
    yesterday_on = Window(on(1), on(11) + timedelta(seconds=1))
    answer = made(Running(DailySpend((*batches, 0.0), (*known, 1.0)), ZERO, yesterday_on, on(11)))

    assert float(answer.mid.usd) == pytest.approx(expected, abs=250)


def test_an_amount_is_exhausted_now_when_a_missing_day_is_expected_to_pass_it() -> None:
    days = DailySpend((*EVEN[:-1], 0.0, 0.0), (*(1.0 for _ in EVEN[:-1]), 0.0, 0.0))
    answer = made(Running(days, Money.of("900"), NOVEMBER, on(11)))

    assert answer.exhausted_at(Money.of("950")) == on(11)
    assert answer.exhausted_at(Money.of("1050")) not in (None, on(11))


def test_a_missing_day_before_the_period_adds_nothing_to_it() -> None:
    days = DailySpend((*EVEN, 0.0), (*(1.0 for _ in EVEN[:-1]), 0.0, 0.0))
    answer = made(Running(days, ZERO, NOVEMBER, on(1)))

    assert near(answer.mid, 3000)


@pytest.mark.parametrize(
    ("today", "known", "expected"),
    [
        pytest.param(0.0, 0.0, 3000, id="nothing of today is known"),
        pytest.param(50.0, 0.5, 3000, id="half of it, at the usual pace"),
        pytest.param(100.0, 1.0, 3000, id="all of it"),
        pytest.param(100.0, 0.5, 3062.5, id="half of it, at twice the pace: the rest is 50 plus a quarter of 50"),
        pytest.param(0.0, 0.5, 2937.5, id="half of it, without spend: the rest is 50 less a quarter of 50"),
    ],
)
def test_todays_rest_follows_how_much_of_today_is_known(today: float, known: float, expected: float) -> None:
    answer = made(running(EVEN, str(1000 + today), on(11, 12), today=today, today_known=known))

    assert near(answer.mid, expected)


def test_days_are_those_of_the_time_zone() -> None:
    month = Window(datetime(2026, 10, 31, 23, tzinfo=UTC), datetime(2026, 11, 30, 23, tzinfo=UTC))
    scope = Running(DailySpend.complete(EVEN), ZERO, month, on(10) + timedelta(hours=23), "Europe/Berlin")

    assert near(made(scope).mid, 2000)
    assert made(scope).path.marks[1] == on(11) + timedelta(hours=23)


def test_a_custom_period_that_ends_at_noon_holds_half_of_its_last_day() -> None:
    scope = replace(running(EVEN, "0"), window=Window(on(1), on(12, 12)))

    assert near(made(scope).mid, 150)


def test_a_finished_period_is_what_was_spent_exactly() -> None:
    for past in ([], EVEN):
        answer = made(running(past, "1234.567890123456", NOVEMBER.end))
        assert answer.low == answer.mid == answer.high == Money.of("1234.567890123456")
        assert answer.method is ForecastMethod.FINISHED


@pytest.mark.parametrize(
    ("past", "reason", "days"),
    [
        pytest.param([], Missing.NO_SPEND, 0, id="nothing"),
        pytest.param([0.0] * 70, Missing.NO_SPEND, 0, id="zeros"),
        pytest.param([100.0], Missing.SHORT_HISTORY, 1, id="one day"),
        pytest.param([0.0] * 60 + [100.0] * 6, Missing.SHORT_HISTORY, 6, id="six days since the first spend"),
    ],
)
def test_too_little_history_gives_no_forecast_but_a_reason(past: list[float], reason: Missing, days: int) -> None:
    assert forecast(running(past, "100")) == NoForecast(reason, days)


def test_a_week_since_the_first_spend_is_enough() -> None:
    assert near(made(running([0.0] * 60 + [100.0] * 7, "700")).mid, 2700)


def test_a_fortnight_that_is_hardly_known_gives_no_forecast() -> None:
    days = DailySpend((*EVEN, 0.0), (*(1.0 for _ in EVEN[:-8]), *(0.0 for _ in range(9))))

    assert forecast(Running(days, ZERO, NOVEMBER, on(11))) == NoForecast(Missing.SHORT_HISTORY, 62)


def test_the_range_of_a_noisy_scope_is_wider_and_widens_with_the_days_to_come() -> None:
    noisy = [100.0 + 60.0 * (place * 37 % 11 - 5) / 5 for place in range(70)]

    def width(past: list[float], end: datetime) -> Money:
        answer = made(replace(running(past, "1000"), window=Window(on(1), end)))
        return answer.high - answer.low

    assert width(EVEN, on(21)) < width(noisy, on(21)) < width(noisy, on(30))


def test_beyond_a_week_the_range_widens_faster_than_the_rest_grows() -> None:
    def share(end: datetime) -> float:
        answer = made(replace(running(EVEN, "0"), window=Window(on(1), end)))
        return float((answer.high - answer.mid).ratio_to(answer.mid))

    assert share(on(18)) < 0.9 * share(on(30))


def test_an_amount_runs_out_when_the_path_passes_it() -> None:
    answer = made(running(EVEN, "1000"))

    exhausted = answer.exhausted_at(Money.of("1250"))
    assert exhausted is not None
    assert abs(exhausted - on(13, 12)) < timedelta(minutes=5)
    earliest = answer.exhausted_at(Money.of("1250"), Estimate.HIGH)
    latest = answer.exhausted_at(Money.of("1250"), Estimate.LOW)
    assert earliest is not None
    assert latest is not None
    assert earliest < exhausted < latest


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        pytest.param("999.99", None, id="spent already"),
        pytest.param("1000", None, id="spent just now"),
        pytest.param("3500", None, id="not within the period"),
    ],
)
def test_an_amount_outside_of_the_path(amount: str, expected: datetime | None) -> None:
    assert made(running(EVEN, "1000")).exhausted_at(Money.of(amount)) == expected


def test_the_time_at_which_an_amount_runs_out_does_not_move_with_the_minute_of_asking() -> None:
    asked = [replace(running(EVEN, "1000"), now=on(11) + timedelta(minutes=minutes)) for minutes in (0, 1, 7)]
    assert {made(one).exhausted_at(Money.of("1250")) for one in asked} == {on(13, 12)}
    assert {made(one).exhausted_at(Money.of("1000")) for one in asked} == {None}


def test_a_finished_period_exhausts_nothing_more() -> None:
    assert made(running(EVEN, "3000", NOVEMBER.end)).exhausted_at(Money.of("3000.01")) is None


def test_a_batch_answers_each_scope_as_if_it_were_alone() -> None:
    scopes = [
        running(EVEN, "1000"),
        running([100.0], "100"),
        replace(running([5.0] * 20, "70"), window=Window(on(9), on(16)), timezone="Asia/Kolkata"),
        running([0.0] * 70, "0", NOVEMBER.end),
    ]

    assert forecast_all(scopes) == [forecast(scope) for scope in scopes]
    assert forecast_all([]) == []


dollars = st.floats(0, 1e6).map(lambda amount: round(amount, 6))
histories = st.lists(st.one_of(st.just(0.0), dollars, dollars.map(lambda amount: -amount)), max_size=80)
shares = st.floats(0, 1)
instants = st.integers(0, 31 * 24).map(lambda hours: NOVEMBER.start + timedelta(hours=hours))


@settings(max_examples=2 * settings().max_examples)
@given(histories, dollars, dollars, shares, instants)
def test_the_estimates_are_ordered_and_never_below_what_is_spent(
    past: list[float], spent: float, today: float, known: float, now: datetime
) -> None:
    answer = forecast(running(past, f"{spent:.6f}", now, today=today, today_known=known))

    if isinstance(answer, NoForecast):
        assert answer.reason
        return
    assert answer.spent <= answer.low <= answer.mid <= answer.high
    assert list(answer.path.shares) == sorted(answer.path.shares)
    assert len(answer.path.marks) == len(answer.path.shares)


@given(
    st.lists(st.floats(1, 1000), min_size=10, max_size=80), st.floats(0, 500), shares, st.sampled_from([0.01, 7, 1000])
)
def test_money_scaled_is_a_forecast_scaled(past: list[float], today: float, known: float, factor: float) -> None:
    one = made(running(past, "0", today=today, today_known=known))
    other = made(running([factor * amount for amount in past], "0", today=factor * today, today_known=known))

    for estimate in Estimate:
        assert near(other.of(estimate), factor * float(one.of(estimate).usd), share=1e-4)


@given(st.lists(st.floats(1, 1000), min_size=7, max_size=80), st.integers(1, 40_000))
def test_an_exhausted_amount_lies_ahead_and_within_the_period(past: list[float], amount: int) -> None:
    answer = made(running(past, "100"))
    at = answer.exhausted_at(Money(Decimal(amount)))

    assert (at is None) == (amount <= 100 or Money(Decimal(amount)) > answer.mid)
    assert at is None or (at.minute, at.second, at.microsecond) == (0, 0, 0)
    assert at is None or on(11) <= at <= NOVEMBER.end
