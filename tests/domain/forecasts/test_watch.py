from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.forecasts.watch import Stand, Watch, watched
from service.domain.values.money import ZERO, Money

LEVEL = Money.of("100")
SHORT = {"b": Stand.BELOW, "p": Stand.PENDING, "c": Stand.CROSSED}


def stands(forecasts: list[tuple[int, str]]) -> list[Stand]:
    """How the level stands after each (day, mid)."""
    watch, found = Watch(), []
    for day, mid in forecasts:
        watch = watched(watch, date(2026, 11, day), Money.of(mid), LEVEL)
        found.append(watch.stand)
    return found


@pytest.mark.parametrize(
    ("forecasts", "expected"),
    [
        pytest.param([(1, "99.99"), (2, "50")], "bb", id="below is below"),
        pytest.param([(1, "100"), (2, "100")], "pc", id="reached on two days in a row"),
        pytest.param([(1, "120"), (1, "130"), (1, "140")], "ppp", id="often on one day is one day"),
        pytest.param([(1, "120"), (2, "99"), (3, "120")], "pbp", id="a day below begins again"),
        pytest.param([(1, "120"), (1, "99"), (2, "120")], "pbp", id="a fall within the day begins again"),
        pytest.param([(1, "120"), (4, "120")], "pc", id="days without a forecast do not part a run"),
        pytest.param([(1, "120"), (2, "120"), (3, "96"), (4, "101")], "pccc", id="a little below holds"),
        pytest.param([(1, "120"), (2, "120"), (3, "95"), (4, "94.99")], "pccb", id="clearly below releases"),
        pytest.param([(1, "120"), (2, "120"), (3, "90"), (4, "120")], "pcbp", id="released, two days are needed again"),
        pytest.param([(2, "120"), (1, "120")], "pp", id="a clock set back crosses nothing"),
    ],
)
def test_a_level_is_crossed_after_two_days_and_left_only_clearly_below(
    forecasts: list[tuple[int, str]], expected: str
) -> None:
    assert stands(forecasts) == [SHORT[letter] for letter in expected]


def test_a_forecast_of_nothing_crosses_no_level() -> None:
    watch = watched(Watch(), date(2026, 11, 1), ZERO, ZERO)

    assert watched(watch, date(2026, 11, 2), ZERO, ZERO) == Watch()


def test_a_crossed_level_remembers_the_first_day_of_its_run() -> None:
    watch = Watch()
    for day in (3, 4, 5):
        watch = watched(watch, date(2026, 11, day), Money.of("120"), LEVEL)

    assert watch == Watch(Stand.CROSSED, date(2026, 11, 3))


@given(st.lists(st.integers(80, 120), max_size=30))
def test_it_never_flips_more_often_than_the_bare_comparison(mids: list[int]) -> None:
    held = [Stand.BELOW, *stands([(place + 1, str(mid)) for place, mid in enumerate(mids)])]
    crossed = [stand is Stand.CROSSED for stand in held]
    above = [False, *(mid >= 100 for mid in mids)]

    assert _flips(crossed) <= _flips(above)


def _flips(values: list[bool]) -> int:
    return sum(before != after for before, after in pairwise(values))
